"""The graph as the message ``operator_lib.v1.DAG``."""

from __future__ import annotations

import importlib
import json
from typing import Any

from operator_lib.trace.dag import DAG, Edge, Node

_TEXT = ("id", "kind", "name", "certainty", "reason", "condition", "code", "file", "status")
_NUMBERS = ("index", "line", "end_line", "col", "end_col", "count", "iteration")
_LISTS = ("inputs", "outputs", "uses")
_EDGE = ("source", "target", "kind", "name", "certainty")
_OPTIONAL = ("operator", "parent", "started", "duration")


def _messages() -> Any:
    return importlib.import_module("operator_lib.wire.proto.dag_pb2")


def to_proto(dag: DAG) -> Any:
    """`DAG.to_proto`."""
    pb = _messages()
    made = pb.DAG(name=dag.name, signature=dag.signature, doc=dag.doc, file=dag.file, line=dag.line)
    made.extra = _text(dag.extra)
    for node in dag.nodes:
        fields = {k: getattr(node, k) for k in (*_TEXT, *_NUMBERS, *_LISTS)}
        fields |= {k: v for k in _OPTIONAL if (v := getattr(node, k)) is not None}
        made.nodes.add(**fields, extra=_text(node.extra))
    for edge in dag.edges:
        fields = {k: getattr(edge, k) for k in _EDGE}
        made.edges.add(**fields, extra=_text(edge.extra))
    return made


def from_proto(message: Any) -> DAG:
    """`DAG.from_proto`."""
    nodes: list[Node] = []
    for node in message.nodes:
        fields: dict[str, Any] = {k: getattr(node, k) for k in (*_TEXT, *_NUMBERS)}
        fields |= {k: tuple(getattr(node, k)) for k in _LISTS}
        fields |= {k: getattr(node, k) for k in _OPTIONAL if node.HasField(k)}
        nodes.append(Node(**fields, extra=_mapping(node.extra)))
    edges = tuple(
        Edge(e.source, e.target, e.kind, e.name, e.certainty or "exact", _mapping(e.extra)) for e in message.edges
    )
    extra = _mapping(message.extra) or {}
    return DAG(tuple(nodes), edges, message.name, message.signature, message.doc, message.file, message.line, extra)


def _text(extra: Any) -> str:
    return json.dumps(extra, sort_keys=True) if extra else ""


def _mapping(text: str) -> Any:
    return json.loads(text) if text else None
