from operator_lib.wire.proto import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BlobRef(_message.Message):
    __slots__ = ("sha256", "size")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size: int
    def __init__(self, sha256: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class MissingBlobsRequest(_message.Message):
    __slots__ = ("blobs",)
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    blobs: _containers.RepeatedCompositeFieldContainer[BlobRef]
    def __init__(self, blobs: _Optional[_Iterable[_Union[BlobRef, _Mapping]]] = ...) -> None: ...

class MissingBlobsReply(_message.Message):
    __slots__ = ("missing",)
    class Missing(_message.Message):
        __slots__ = ("sha256", "received")
        SHA256_FIELD_NUMBER: _ClassVar[int]
        RECEIVED_FIELD_NUMBER: _ClassVar[int]
        sha256: str
        received: int
        def __init__(self, sha256: _Optional[str] = ..., received: _Optional[int] = ...) -> None: ...
    MISSING_FIELD_NUMBER: _ClassVar[int]
    missing: _containers.RepeatedCompositeFieldContainer[MissingBlobsReply.Missing]
    def __init__(self, missing: _Optional[_Iterable[_Union[MissingBlobsReply.Missing, _Mapping]]] = ...) -> None: ...

class BlobChunk(_message.Message):
    __slots__ = ("sha256", "size", "offset", "data")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size: int
    offset: int
    data: bytes
    def __init__(self, sha256: _Optional[str] = ..., size: _Optional[int] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class UploadReply(_message.Message):
    __slots__ = ("bytes",)
    BYTES_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    def __init__(self, bytes: _Optional[int] = ...) -> None: ...

class File(_message.Message):
    __slots__ = ("path", "sha256", "size", "executable")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    EXECUTABLE_FIELD_NUMBER: _ClassVar[int]
    path: str
    sha256: str
    size: int
    executable: bool
    def __init__(self, path: _Optional[str] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ..., executable: _Optional[bool] = ...) -> None: ...

class Manifest(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[File]
    def __init__(self, files: _Optional[_Iterable[_Union[File, _Mapping]]] = ...) -> None: ...

class DeployRequest(_message.Message):
    __slots__ = ("name", "kind", "manifest", "entry", "python", "requirements", "options_json", "schema_json", "dag_json", "fingerprint", "timeout", "detach", "parts_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    DAG_JSON_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    PARTS_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: _common_pb2.DeploymentKind
    manifest: Manifest
    entry: BlobRef
    python: str
    requirements: str
    options_json: str
    schema_json: str
    dag_json: str
    fingerprint: str
    timeout: float
    detach: bool
    parts_json: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[_common_pb2.DeploymentKind, str]] = ..., manifest: _Optional[_Union[Manifest, _Mapping]] = ..., entry: _Optional[_Union[BlobRef, _Mapping]] = ..., python: _Optional[str] = ..., requirements: _Optional[str] = ..., options_json: _Optional[str] = ..., schema_json: _Optional[str] = ..., dag_json: _Optional[str] = ..., fingerprint: _Optional[str] = ..., timeout: _Optional[float] = ..., detach: _Optional[bool] = ..., parts_json: _Optional[str] = ...) -> None: ...

class PlanReply(_message.Message):
    __slots__ = ("changed", "live_version", "next_version", "live_manifest", "live_dag_json", "live_options_json", "environment_cached", "problems", "live_requirements")
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    LIVE_VERSION_FIELD_NUMBER: _ClassVar[int]
    NEXT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIVE_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    LIVE_DAG_JSON_FIELD_NUMBER: _ClassVar[int]
    LIVE_OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_CACHED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    LIVE_REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    live_version: int
    next_version: int
    live_manifest: Manifest
    live_dag_json: str
    live_options_json: str
    environment_cached: bool
    problems: _containers.RepeatedScalarFieldContainer[str]
    live_requirements: str
    def __init__(self, changed: _Optional[bool] = ..., live_version: _Optional[int] = ..., next_version: _Optional[int] = ..., live_manifest: _Optional[_Union[Manifest, _Mapping]] = ..., live_dag_json: _Optional[str] = ..., live_options_json: _Optional[str] = ..., environment_cached: _Optional[bool] = ..., problems: _Optional[_Iterable[str]] = ..., live_requirements: _Optional[str] = ...) -> None: ...

class DeployEvent(_message.Message):
    __slots__ = ("log", "phase", "done", "failed")
    LOG_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    log: str
    phase: str
    done: DeployDone
    failed: _common_pb2.Failure
    def __init__(self, log: _Optional[str] = ..., phase: _Optional[str] = ..., done: _Optional[_Union[DeployDone, _Mapping]] = ..., failed: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class DeployDone(_message.Message):
    __slots__ = ("deployment", "unchanged")
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    deployment: Deployment
    unchanged: bool
    def __init__(self, deployment: _Optional[_Union[Deployment, _Mapping]] = ..., unchanged: _Optional[bool] = ...) -> None: ...

class Version(_message.Message):
    __slots__ = ("number", "fingerprint", "created", "status", "message")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    number: int
    fingerprint: str
    created: float
    status: str
    message: str
    def __init__(self, number: _Optional[int] = ..., fingerprint: _Optional[str] = ..., created: _Optional[float] = ..., status: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Deployment(_message.Message):
    __slots__ = ("name", "kind", "id", "version", "schema_json", "options_json", "dag_json", "url", "token", "created", "versions", "status", "python", "description", "replicas", "updated", "running", "waiting")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    DAG_JSON_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: _common_pb2.DeploymentKind
    id: str
    version: int
    schema_json: str
    options_json: str
    dag_json: str
    url: str
    token: str
    created: float
    versions: _containers.RepeatedCompositeFieldContainer[Version]
    status: str
    python: str
    description: str
    replicas: _containers.RepeatedCompositeFieldContainer[Replica]
    updated: float
    running: int
    waiting: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[_common_pb2.DeploymentKind, str]] = ..., id: _Optional[str] = ..., version: _Optional[int] = ..., schema_json: _Optional[str] = ..., options_json: _Optional[str] = ..., dag_json: _Optional[str] = ..., url: _Optional[str] = ..., token: _Optional[str] = ..., created: _Optional[float] = ..., versions: _Optional[_Iterable[_Union[Version, _Mapping]]] = ..., status: _Optional[str] = ..., python: _Optional[str] = ..., description: _Optional[str] = ..., replicas: _Optional[_Iterable[_Union[Replica, _Mapping]]] = ..., updated: _Optional[float] = ..., running: _Optional[int] = ..., waiting: _Optional[int] = ...) -> None: ...

class Replica(_message.Message):
    __slots__ = ("id", "pid", "version", "status", "started")
    ID_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    id: str
    pid: int
    version: int
    status: str
    started: float
    def __init__(self, id: _Optional[str] = ..., pid: _Optional[int] = ..., version: _Optional[int] = ..., status: _Optional[str] = ..., started: _Optional[float] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("kind",)
    KIND_FIELD_NUMBER: _ClassVar[int]
    kind: _common_pb2.DeploymentKind
    def __init__(self, kind: _Optional[_Union[_common_pb2.DeploymentKind, str]] = ...) -> None: ...

class ListReply(_message.Message):
    __slots__ = ("deployments",)
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    def __init__(self, deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("name", "id", "kind", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    kind: _common_pb2.DeploymentKind
    version: int
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., kind: _Optional[_Union[_common_pb2.DeploymentKind, str]] = ..., version: _Optional[int] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("name", "kind")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: _common_pb2.DeploymentKind
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[_common_pb2.DeploymentKind, str]] = ...) -> None: ...

class DeleteReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("name", "version", "kind")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    kind: _common_pb2.DeploymentKind
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., kind: _Optional[_Union[_common_pb2.DeploymentKind, str]] = ...) -> None: ...

class ScaleRequest(_message.Message):
    __slots__ = ("name", "replicas", "automatic")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    name: str
    replicas: int
    automatic: bool
    def __init__(self, name: _Optional[str] = ..., replicas: _Optional[int] = ..., automatic: _Optional[bool] = ...) -> None: ...

class InfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InfoReply(_message.Message):
    __slots__ = ("version", "python", "pid", "url", "grpc_address", "started", "home", "pythons", "running", "queued")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    GRPC_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    HOME_FIELD_NUMBER: _ClassVar[int]
    PYTHONS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    version: str
    python: str
    pid: int
    url: str
    grpc_address: str
    started: float
    home: str
    pythons: _containers.RepeatedScalarFieldContainer[str]
    running: int
    queued: int
    def __init__(self, version: _Optional[str] = ..., python: _Optional[str] = ..., pid: _Optional[int] = ..., url: _Optional[str] = ..., grpc_address: _Optional[str] = ..., started: _Optional[float] = ..., home: _Optional[str] = ..., pythons: _Optional[_Iterable[str]] = ..., running: _Optional[int] = ..., queued: _Optional[int] = ...) -> None: ...
