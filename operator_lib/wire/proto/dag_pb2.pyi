from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DAG(_message.Message):
    __slots__ = ("nodes", "edges", "name", "signature", "doc", "file", "line", "extra")
    NODES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    DOC_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[DagNode]
    edges: _containers.RepeatedCompositeFieldContainer[DagEdge]
    name: str
    signature: str
    doc: str
    file: str
    line: int
    extra: str
    def __init__(self, nodes: _Optional[_Iterable[_Union[DagNode, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[DagEdge, _Mapping]]] = ..., name: _Optional[str] = ..., signature: _Optional[str] = ..., doc: _Optional[str] = ..., file: _Optional[str] = ..., line: _Optional[int] = ..., extra: _Optional[str] = ...) -> None: ...

class DagNode(_message.Message):
    __slots__ = ("id", "index", "kind", "name", "operator", "parent", "certainty", "reason", "condition", "code", "file", "line", "end_line", "col", "end_col", "inputs", "outputs", "uses", "status", "count", "started", "duration", "iteration", "extra")
    ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CERTAINTY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    COL_FIELD_NUMBER: _ClassVar[int]
    END_COL_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    ITERATION_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    id: str
    index: int
    kind: str
    name: str
    operator: str
    parent: str
    certainty: str
    reason: str
    condition: str
    code: str
    file: str
    line: int
    end_line: int
    col: int
    end_col: int
    inputs: _containers.RepeatedScalarFieldContainer[str]
    outputs: _containers.RepeatedScalarFieldContainer[str]
    uses: _containers.RepeatedScalarFieldContainer[str]
    status: str
    count: int
    started: float
    duration: float
    iteration: int
    extra: str
    def __init__(self, id: _Optional[str] = ..., index: _Optional[int] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., operator: _Optional[str] = ..., parent: _Optional[str] = ..., certainty: _Optional[str] = ..., reason: _Optional[str] = ..., condition: _Optional[str] = ..., code: _Optional[str] = ..., file: _Optional[str] = ..., line: _Optional[int] = ..., end_line: _Optional[int] = ..., col: _Optional[int] = ..., end_col: _Optional[int] = ..., inputs: _Optional[_Iterable[str]] = ..., outputs: _Optional[_Iterable[str]] = ..., uses: _Optional[_Iterable[str]] = ..., status: _Optional[str] = ..., count: _Optional[int] = ..., started: _Optional[float] = ..., duration: _Optional[float] = ..., iteration: _Optional[int] = ..., extra: _Optional[str] = ...) -> None: ...

class DagEdge(_message.Message):
    __slots__ = ("source", "target", "kind", "name", "certainty", "extra")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CERTAINTY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    source: str
    target: str
    kind: str
    name: str
    certainty: str
    extra: str
    def __init__(self, source: _Optional[str] = ..., target: _Optional[str] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., certainty: _Optional[str] = ..., extra: _Optional[str] = ...) -> None: ...
