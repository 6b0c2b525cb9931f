"""The graph as the message ``operator_lib.v1.DAG``; what a newer version has put into it comes out again."""

from __future__ import annotations

import base64
import importlib
import json
from typing import Any

from operator_lib.trace.dag import DAG, Edge, Node
from operator_lib.trace.plain import checked

_TEXT = ("id", "kind", "name", "certainty", "reason", "condition", "code", "file", "status")
_NUMBERS = ("index", "line", "end_line", "col", "end_col", "count", "iteration")
_LISTS = ("inputs", "outputs", "uses")
_EDGE = ("source", "target", "kind", "name", "certainty")
_OPTIONAL = ("operator", "parent", "started", "duration")
# A message of before these fields leaves them empty: what they then mean.
_UNSAID = {"certainty": "exact", "status": "pending", "kind": "data"}
# Key in `extra` of the fields of a message that this version has no names for: their bytes, in base64.
UNKNOWN = "proto:unknown"


def to_proto(dag: DAG) -> Any:
    """`DAG.to_proto`."""
    pb = importlib.import_module("operator_lib.wire.proto.dag_pb2")
    made = pb.DAG(name=dag.name, signature=dag.signature, doc=dag.doc, file=dag.file, line=dag.line)
    _put_extra(made, dag.extra)
    for node in dag.nodes:
        fields = {k: getattr(node, k) for k in (*_TEXT, *_NUMBERS, *_LISTS)}
        fields |= {k: v for k in _OPTIONAL if (v := getattr(node, k)) is not None}
        _put_extra(made.nodes.add(**fields), node.extra)
    for edge in dag.edges:
        _put_extra(made.edges.add(**{k: getattr(edge, k) for k in _EDGE}), edge.extra)
    return made


def from_proto(message: Any) -> DAG:
    """`DAG.from_proto`."""
    nodes: list[Node] = []
    for node in message.nodes:
        fields: dict[str, Any] = {k: getattr(node, k) or _UNSAID.get(k, "") for k in _TEXT}
        fields |= {k: getattr(node, k) for k in _NUMBERS}
        fields |= {k: tuple(getattr(node, k)) for k in _LISTS}
        fields |= {k: getattr(node, k) for k in _OPTIONAL if node.HasField(k)}
        nodes.append(Node(**fields, extra=_extra(node) or None))
    edges: list[Edge] = []
    for edge in message.edges:
        fields = {k: getattr(edge, k) or _UNSAID.get(k, "") for k in _EDGE}
        edges.append(Edge(**fields, extra=_extra(edge) or None))
    head = {k: getattr(message, k) for k in ("name", "signature", "doc", "file", "line")}
    return checked(DAG(tuple(nodes), tuple(edges), **head, extra=_extra(message)))


def _put_extra(message: Any, extra: Any) -> None:
    if not extra:
        return
    named = {k: v for k, v in extra.items() if k != UNKNOWN}
    if named:
        message.extra = json.dumps(named, sort_keys=True)
    if isinstance(extra.get(UNKNOWN), str):
        from google.protobuf.message import DecodeError

        try:
            message.MergeFromString(base64.b64decode(extra[UNKNOWN], validate=True))
        except (ValueError, DecodeError) as problem:
            raise ValueError(f"{UNKNOWN} of the DAG is damaged: {problem}") from None


def _extra(message: Any) -> dict[str, Any]:
    try:
        extra: Any = json.loads(message.extra) if message.extra else {}
    except ValueError as problem:
        raise ValueError(f"the extra fields of the DAG are no JSON: {problem}") from None
    if not isinstance(extra, dict):
        raise ValueError("the extra fields of the DAG are no JSON object")
    unknown = _unknown_bytes(message)
    return {**extra, UNKNOWN: base64.b64encode(unknown).decode()} if unknown else dict(extra)  # type: ignore[arg-type]


def _unknown_bytes(message: Any) -> bytes:
    """What is left of the message itself without the fields that it knows."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    if not len(UnknownFieldSet(message)):
        return b""
    rest = type(message)()
    rest.CopyFrom(message)
    for field in rest.DESCRIPTOR.fields:
        rest.ClearField(field.name)
    return rest.SerializeToString()
