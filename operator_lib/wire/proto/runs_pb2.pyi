from operator_lib.wire.proto import common_pb2 as _common_pb2
from operator_lib.wire.proto import deploy_pb2 as _deploy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATUS_UNSPECIFIED: _ClassVar[RunStatus]
    PENDING: _ClassVar[RunStatus]
    RUNNING: _ClassVar[RunStatus]
    COMPLETED: _ClassVar[RunStatus]
    FAILED: _ClassVar[RunStatus]
    TIMEOUT: _ClassVar[RunStatus]
    CANCELLED: _ClassVar[RunStatus]
RUN_STATUS_UNSPECIFIED: RunStatus
PENDING: RunStatus
RUNNING: RunStatus
COMPLETED: RunStatus
FAILED: RunStatus
TIMEOUT: RunStatus
CANCELLED: RunStatus

class SubmitRequest(_message.Message):
    __slots__ = ("job", "version", "inline", "blob", "idempotency_key", "input_sha256", "at_most_once")
    JOB_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    INPUT_SHA256_FIELD_NUMBER: _ClassVar[int]
    AT_MOST_ONCE_FIELD_NUMBER: _ClassVar[int]
    job: str
    version: int
    inline: bytes
    blob: _deploy_pb2.BlobRef
    idempotency_key: str
    input_sha256: str
    at_most_once: bool
    def __init__(self, job: _Optional[str] = ..., version: _Optional[int] = ..., inline: _Optional[bytes] = ..., blob: _Optional[_Union[_deploy_pb2.BlobRef, _Mapping]] = ..., idempotency_key: _Optional[str] = ..., input_sha256: _Optional[str] = ..., at_most_once: _Optional[bool] = ...) -> None: ...

class RunState(_message.Message):
    __slots__ = ("id", "job", "version", "status", "created", "started", "ended", "attempts", "failure", "result_size", "result", "cause", "last_seq")
    ID_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    RESULT_SIZE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    id: str
    job: str
    version: int
    status: RunStatus
    created: float
    started: float
    ended: float
    attempts: int
    failure: _common_pb2.Failure
    result_size: int
    result: bytes
    cause: str
    last_seq: int
    def __init__(self, id: _Optional[str] = ..., job: _Optional[str] = ..., version: _Optional[int] = ..., status: _Optional[_Union[RunStatus, str]] = ..., created: _Optional[float] = ..., started: _Optional[float] = ..., ended: _Optional[float] = ..., attempts: _Optional[int] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ..., result_size: _Optional[int] = ..., result: _Optional[bytes] = ..., cause: _Optional[str] = ..., last_seq: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("run_ids",)
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class EventsRequest(_message.Message):
    __slots__ = ("run_id", "after_seq", "follow", "kinds")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    after_seq: int
    follow: bool
    kinds: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_id: _Optional[str] = ..., after_seq: _Optional[int] = ..., follow: _Optional[bool] = ..., kinds: _Optional[_Iterable[str]] = ...) -> None: ...

class EventBatch(_message.Message):
    __slots__ = ("lines",)
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: bytes
    def __init__(self, lines: _Optional[bytes] = ...) -> None: ...

class ResultRequest(_message.Message):
    __slots__ = ("run_id", "offset", "outputs")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    offset: int
    outputs: bool
    def __init__(self, run_id: _Optional[str] = ..., offset: _Optional[int] = ..., outputs: _Optional[bool] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ("run_id", "key")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    key: str
    def __init__(self, run_id: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ReplayRequest(_message.Message):
    __slots__ = ("run_id", "run", "from_node")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    FROM_NODE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    run: SubmitRequest
    from_node: str
    def __init__(self, run_id: _Optional[str] = ..., run: _Optional[_Union[SubmitRequest, _Mapping]] = ..., from_node: _Optional[str] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("job", "limit", "status", "results")
    JOB_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    job: str
    limit: int
    status: str
    results: bool
    def __init__(self, job: _Optional[str] = ..., limit: _Optional[int] = ..., status: _Optional[str] = ..., results: _Optional[bool] = ...) -> None: ...

class ListRunsReply(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[RunState]
    def __init__(self, runs: _Optional[_Iterable[_Union[RunState, _Mapping]]] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class LeaseRequest(_message.Message):
    __slots__ = ("job", "want")
    JOB_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    job: str
    want: int
    def __init__(self, job: _Optional[str] = ..., want: _Optional[int] = ...) -> None: ...

class LeaseEvent(_message.Message):
    __slots__ = ("run_id", "address", "token", "replica_id", "failed", "ended", "last_started", "begun", "outcomes", "line", "certificate")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    LAST_STARTED_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    address: str
    token: str
    replica_id: str
    failed: _common_pb2.Failure
    ended: bool
    last_started: int
    begun: int
    outcomes: bytes
    line: int
    certificate: str
    def __init__(self, run_id: _Optional[str] = ..., address: _Optional[str] = ..., token: _Optional[str] = ..., replica_id: _Optional[str] = ..., failed: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ..., ended: _Optional[bool] = ..., last_started: _Optional[int] = ..., begun: _Optional[int] = ..., outcomes: _Optional[bytes] = ..., line: _Optional[int] = ..., certificate: _Optional[str] = ...) -> None: ...
