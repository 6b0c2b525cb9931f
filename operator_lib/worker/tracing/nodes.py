"""Which node of the static graph the span of a call of an operator stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operator_lib.telemetry.span import Span
from operator_lib.trace.dag import DAG
from operator_lib.trace.lit.find import find
from operator_lib.trace.lit.shape import Shape

_LOST = object()


class Nodes:
    """Those of one graph, for the calls of one run or of one call of a serving."""

    def __init__(self, shape: Shape | None) -> None:
        self._shape = shape
        # By call: the node that the calls made in it stand in; None: in none, they are of the outermost operator.
        self._scopes: dict[int, Any] = {}

    def name(self, span: Span, place: Mapping[str, Any]) -> None:
        """Put the node and the place into the attributes. The calls around it have come before."""
        about = span.attributes
        about["operator_lib.operator"] = place.get("path", "")
        if place.get("file"):
            about["code.file.path"], about["code.line.number"] = place["file"], place["line"]
        node = self._node(span, place)
        if node is not None:
            about["operator_lib.node.id"] = node.id

    def _node(self, span: Span, place: Mapping[str, Any]) -> Any:
        known = span.scope in self._scopes
        scope = self._scopes.get(span.scope)
        if scope is _LOST or self._shape is None:
            self._scopes[span.call] = _LOST
            return None
        if not known and not place.get("path"):
            self._scopes[span.call] = None
            return None
        node = find(self._shape, place, scope, not known, lambda _: False)
        self._scopes[span.call] = _LOST if node is None else self._shape.inside(node)
        return node


def shape_of(dag_json: str) -> Shape | None:
    """Of a version's graph; None where it has none."""
    return Shape(DAG.from_json(dag_json)) if dag_json not in ("", "{}") else None
