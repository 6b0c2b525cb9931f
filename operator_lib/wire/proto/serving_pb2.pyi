from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verb(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL: _ClassVar[Verb]
    GET: _ClassVar[Verb]
    SET: _ClassVar[Verb]
    DEL: _ClassVar[Verb]
    DUNDER: _ClassVar[Verb]
    MAP: _ClassVar[Verb]

class AnswerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VALUE: _ClassVar[AnswerKind]
    ERROR: _ClassVar[AnswerKind]
    ITERATOR: _ClassVar[AnswerKind]
    CALLABLE: _ClassVar[AnswerKind]
    REFUSED: _ClassVar[AnswerKind]
    STOP: _ClassVar[AnswerKind]
    MOVED: _ClassVar[AnswerKind]
CALL: Verb
GET: Verb
SET: Verb
DEL: Verb
DUNDER: Verb
MAP: Verb
VALUE: AnswerKind
ERROR: AnswerKind
ITERATOR: AnswerKind
CALLABLE: AnswerKind
REFUSED: AnswerKind
STOP: AnswerKind
MOVED: AnswerKind

class StatsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StatsReply(_message.Message):
    __slots__ = ("status", "version", "wanted", "restarts", "replicas")
    class Replica(_message.Message):
        __slots__ = ("id", "pid", "version", "status", "started", "load")
        ID_FIELD_NUMBER: _ClassVar[int]
        PID_FIELD_NUMBER: _ClassVar[int]
        VERSION_FIELD_NUMBER: _ClassVar[int]
        STATUS_FIELD_NUMBER: _ClassVar[int]
        STARTED_FIELD_NUMBER: _ClassVar[int]
        LOAD_FIELD_NUMBER: _ClassVar[int]
        id: str
        pid: int
        version: int
        status: str
        started: float
        load: LoadReply
        def __init__(self, id: _Optional[str] = ..., pid: _Optional[int] = ..., version: _Optional[int] = ..., status: _Optional[str] = ..., started: _Optional[float] = ..., load: _Optional[_Union[LoadReply, _Mapping]] = ...) -> None: ...
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    status: str
    version: int
    wanted: int
    restarts: int
    replicas: _containers.RepeatedCompositeFieldContainer[StatsReply.Replica]
    def __init__(self, status: _Optional[str] = ..., version: _Optional[int] = ..., wanted: _Optional[int] = ..., restarts: _Optional[int] = ..., replicas: _Optional[_Iterable[_Union[StatsReply.Replica, _Mapping]]] = ...) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ("name", "wait", "dead", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    wait: float
    dead: _containers.RepeatedScalarFieldContainer[str]
    version: int
    def __init__(self, name: _Optional[str] = ..., wait: _Optional[float] = ..., dead: _Optional[_Iterable[str]] = ..., version: _Optional[int] = ...) -> None: ...

class FateRequest(_message.Message):
    __slots__ = ("name", "replica_id", "session", "call")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    name: str
    replica_id: str
    session: int
    call: int
    def __init__(self, name: _Optional[str] = ..., replica_id: _Optional[str] = ..., session: _Optional[int] = ..., call: _Optional[int] = ...) -> None: ...

class FateReply(_message.Message):
    __slots__ = ("last_started", "known", "cause", "kind", "shared")
    LAST_STARTED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    last_started: int
    known: bool
    cause: str
    kind: str
    shared: bool
    def __init__(self, last_started: _Optional[int] = ..., known: _Optional[bool] = ..., cause: _Optional[str] = ..., kind: _Optional[str] = ..., shared: _Optional[bool] = ...) -> None: ...

class ConnectReply(_message.Message):
    __slots__ = ("endpoints", "version", "schema_json", "cause", "options_json", "failure", "certificate")
    class Endpoint(_message.Message):
        __slots__ = ("replica_id", "address", "token", "line")
        REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        TOKEN_FIELD_NUMBER: _ClassVar[int]
        LINE_FIELD_NUMBER: _ClassVar[int]
        replica_id: str
        address: str
        token: str
        line: int
        def __init__(self, replica_id: _Optional[str] = ..., address: _Optional[str] = ..., token: _Optional[str] = ..., line: _Optional[int] = ...) -> None: ...
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[ConnectReply.Endpoint]
    version: int
    schema_json: str
    cause: str
    options_json: str
    failure: bytes
    certificate: str
    def __init__(self, endpoints: _Optional[_Iterable[_Union[ConnectReply.Endpoint, _Mapping]]] = ..., version: _Optional[int] = ..., schema_json: _Optional[str] = ..., cause: _Optional[str] = ..., options_json: _Optional[str] = ..., failure: _Optional[bytes] = ..., certificate: _Optional[str] = ...) -> None: ...

class SpansRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SpanPack(_message.Message):
    __slots__ = ("lines",)
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: bytes
    def __init__(self, lines: _Optional[bytes] = ...) -> None: ...

class LoadRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LoadReply(_message.Message):
    __slots__ = ("waiting", "running", "oldest", "worked", "memory", "methods", "batches_json")
    WAITING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    OLDEST_FIELD_NUMBER: _ClassVar[int]
    WORKED_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_JSON_FIELD_NUMBER: _ClassVar[int]
    waiting: int
    running: int
    oldest: float
    worked: float
    memory: int
    methods: _containers.RepeatedCompositeFieldContainer[MethodLoad]
    batches_json: str
    def __init__(self, waiting: _Optional[int] = ..., running: _Optional[int] = ..., oldest: _Optional[float] = ..., worked: _Optional[float] = ..., memory: _Optional[int] = ..., methods: _Optional[_Iterable[_Union[MethodLoad, _Mapping]]] = ..., batches_json: _Optional[str] = ...) -> None: ...

class MethodLoad(_message.Message):
    __slots__ = ("name", "calls", "errors", "seconds", "latencies")
    class LatenciesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    calls: int
    errors: int
    seconds: float
    latencies: _containers.ScalarMap[int, int]
    def __init__(self, name: _Optional[str] = ..., calls: _Optional[int] = ..., errors: _Optional[int] = ..., seconds: _Optional[float] = ..., latencies: _Optional[_Mapping[int, int]] = ...) -> None: ...

class ShedRequest(_message.Message):
    __slots__ = ("count", "leave")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LEAVE_FIELD_NUMBER: _ClassVar[int]
    count: int
    leave: bool
    def __init__(self, count: _Optional[int] = ..., leave: _Optional[bool] = ...) -> None: ...

class ShedReply(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("id", "verb", "name", "payload", "more", "json", "environment", "chain", "traceparent", "alone")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    id: int
    verb: Verb
    name: str
    payload: bytes
    more: bool
    json: bool
    environment: _containers.ScalarMap[str, str]
    chain: str
    traceparent: str
    alone: bool
    def __init__(self, id: _Optional[int] = ..., verb: _Optional[_Union[Verb, str]] = ..., name: _Optional[str] = ..., payload: _Optional[bytes] = ..., more: _Optional[bool] = ..., json: _Optional[bool] = ..., environment: _Optional[_Mapping[str, str]] = ..., chain: _Optional[str] = ..., traceparent: _Optional[str] = ..., alone: _Optional[bool] = ...) -> None: ...

class CallPack(_message.Message):
    __slots__ = ("calls", "last")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    last: bool
    def __init__(self, calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ..., last: _Optional[bool] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("id", "kind", "payload", "more")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    id: int
    kind: AnswerKind
    payload: bytes
    more: bool
    def __init__(self, id: _Optional[int] = ..., kind: _Optional[_Union[AnswerKind, str]] = ..., payload: _Optional[bytes] = ..., more: _Optional[bool] = ...) -> None: ...

class FarewellRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FarewellReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AnswerPack(_message.Message):
    __slots__ = ("answers", "going")
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    GOING_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    going: bool
    def __init__(self, answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ..., going: _Optional[bool] = ...) -> None: ...

class IterateRequest(_message.Message):
    __slots__ = ("iterator_id", "send")
    ITERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    iterator_id: str
    send: bytes
    def __init__(self, iterator_id: _Optional[str] = ..., send: _Optional[bytes] = ...) -> None: ...
