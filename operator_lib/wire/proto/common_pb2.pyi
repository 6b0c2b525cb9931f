from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class DeploymentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEPLOYMENT_KIND_UNSPECIFIED: _ClassVar[DeploymentKind]
    DEPLOYMENT_KIND_JOB: _ClassVar[DeploymentKind]
    DEPLOYMENT_KIND_SERVING: _ClassVar[DeploymentKind]
DEPLOYMENT_KIND_UNSPECIFIED: DeploymentKind
DEPLOYMENT_KIND_JOB: DeploymentKind
DEPLOYMENT_KIND_SERVING: DeploymentKind

class Failure(_message.Message):
    __slots__ = ("cause", "message", "payload")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    cause: str
    message: str
    payload: bytes
    def __init__(self, cause: _Optional[str] = ..., message: _Optional[str] = ..., payload: _Optional[bytes] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...
