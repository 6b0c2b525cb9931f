"""The graph as the message ``operator_lib.v1.DAG``."""

from __future__ import annotations

import importlib
import json
from typing import Any

from operator_lib.trace.dag import DAG, Edge, Node

_TEXT = ("id", "kind", "name", "certainty", "reason", "condition", "code", "file", "status")
_NUMBERS = ("index", "line", "end_line", "col", "end_col", "count")
_LISTS = ("inputs", "outputs", "uses")
_OPTIONAL = ("operator", "parent", "started", "duration")


def _messages() -> Any:
    return importlib.import_module("operator_lib.wire.proto.dag_pb2")


def to_proto(dag: DAG) -> Any:
    """`DAG.to_proto`."""
    pb = _messages()
    made = pb.DAG(name=dag.name, signature=dag.signature, doc=dag.doc, file=dag.file, line=dag.line)
    if dag.extra:
        made.extra = json.dumps(dag.extra, sort_keys=True)
    for node in dag.nodes:
        fields = {k: getattr(node, k) for k in (*_TEXT, *_NUMBERS, *_LISTS)}
        fields |= {k: v for k in _OPTIONAL if (v := getattr(node, k)) is not None}
        made.nodes.add(**fields)
    for edge in dag.edges:
        made.edges.add(source=edge.source, target=edge.target, kind=edge.kind, name=edge.name)
    return made


def from_proto(message: Any) -> DAG:
    """`DAG.from_proto`."""
    nodes: list[Node] = []
    for node in message.nodes:
        fields: dict[str, Any] = {k: getattr(node, k) for k in (*_TEXT, *_NUMBERS)}
        fields |= {k: tuple(getattr(node, k)) for k in _LISTS}
        fields |= {k: getattr(node, k) for k in _OPTIONAL if node.HasField(k)}
        nodes.append(Node(**fields))
    edges = tuple(Edge(e.source, e.target, e.kind, e.name) for e in message.edges)
    extra = json.loads(message.extra) if message.extra else {}
    return DAG(tuple(nodes), edges, message.name, message.signature, message.doc, message.file, message.line, extra)
