from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Asked(_message.Message):
    __slots__ = ("id", "ask", "name", "payload", "accept", "seconds", "request_id", "media", "file", "traceparent", "alone")
    class Ask(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        START: _ClassVar[Asked.Ask]
        NEXT: _ClassVar[Asked.Ask]
        CANCEL: _ClassVar[Asked.Ask]
        FIELD: _ClassVar[Asked.Ask]
        PART: _ClassVar[Asked.Ask]
    START: Asked.Ask
    NEXT: Asked.Ask
    CANCEL: Asked.Ask
    FIELD: Asked.Ask
    PART: Asked.Ask
    ID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    id: int
    ask: Asked.Ask
    name: str
    payload: bytes
    accept: str
    seconds: float
    request_id: str
    media: str
    file: str
    traceparent: str
    alone: bool
    def __init__(self, id: _Optional[int] = ..., ask: _Optional[_Union[Asked.Ask, str]] = ..., name: _Optional[str] = ..., payload: _Optional[bytes] = ..., accept: _Optional[str] = ..., seconds: _Optional[float] = ..., request_id: _Optional[str] = ..., media: _Optional[str] = ..., file: _Optional[str] = ..., traceparent: _Optional[str] = ..., alone: _Optional[bool] = ...) -> None: ...

class Told(_message.Message):
    __slots__ = ("id", "tell", "payload", "media", "more")
    class Tell(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DONE: _ClassVar[Told.Tell]
        FAILED: _ClassVar[Told.Tell]
        ITEM: _ClassVar[Told.Tell]
        ENDED: _ClassVar[Told.Tell]
        REFUSED: _ClassVar[Told.Tell]
    DONE: Told.Tell
    FAILED: Told.Tell
    ITEM: Told.Tell
    ENDED: Told.Tell
    REFUSED: Told.Tell
    ID_FIELD_NUMBER: _ClassVar[int]
    TELL_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    id: int
    tell: Told.Tell
    payload: bytes
    media: str
    more: bool
    def __init__(self, id: _Optional[int] = ..., tell: _Optional[_Union[Told.Tell, str]] = ..., payload: _Optional[bytes] = ..., media: _Optional[str] = ..., more: _Optional[bool] = ...) -> None: ...
