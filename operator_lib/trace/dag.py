"""The vocabulary of the graph: `Node`, `Edge`, `DAG`. Imports nothing of ours; drawing and comparing live elsewhere."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

KINDS = ("input", "code", "call", "branch", "loop", "try", "with", "return")
CERTAINTIES = ("exact", "may", "opaque")
STATUSES = ("pending", "running", "done", "failed", "skipped", "cached", "lost")
EDGE_KINDS = ("data", "control", "effect")

# Raised when a reader of version 1 would misunderstand the JSON, never for added fields.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the source: a call of an operator, a region around some, or the code between them."""

    id: str
    """Stable: same source and tree give the same id on every machine."""
    index: int
    """Program order, 0..n-1."""
    kind: str
    """One of `KINDS`."""
    name: str
    """What it is called: the class of the operator, the function, the variable, the header of a region."""
    operator: str | None = None
    """Path in the tree of the operator that is called (``"b"``, ``"stages.0"``), None for everything else."""
    parent: str | None = None
    """Id of the enclosing region or call."""
    certainty: str = "exact"
    """``exact``: runs whenever the call around it runs to its end; ``may``: perhaps; ``opaque``: not followed."""
    reason: str = ""
    """Why it is not exact, or what was assumed: a code, see `explain`."""
    condition: str = ""
    """The condition of an arm, the header of a loop, the items of a ``with``."""
    code: str = ""
    """Source text."""
    file: str = ""
    """POSIX path, relative to the project root."""
    line: int = 0
    end_line: int = 0
    col: int = 0
    """In UTF-8 bytes, as ``code.co_positions()`` says it."""
    end_col: int = 0
    inputs: tuple[str, ...] = ()
    """Names of the variables read; for a call the arguments in order."""
    outputs: tuple[str, ...] = ()
    """Names of the variables written."""
    uses: tuple[str, ...] = ()
    """Functions of the project that it calls and that call no operator: ``"helpers.py:12 stratify 9f2c41aa"``."""
    status: str = "pending"
    """One of `STATUSES`."""
    count: int = 0
    """How often it has run."""
    started: float | None = None
    """Seconds since the epoch, of the first start."""
    duration: float | None = None
    """Seconds, summed over all runs of this node."""
    iteration: int = 0
    """The round of the innermost loop around it in which it ran last, from 1; 0: not inside a loop, or never run."""
    extra: Mapping[str, Any] | None = field(default=None, hash=False)
    """Fields of a newer format, kept as they were."""

    @property
    def title(self) -> str:
        """How the node is called in pictures."""
        if self.kind == "call" and self.operator is not None:
            return f"{self.operator or 'self'}: {self.name}"
        return self.name


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` comes before ``target``; both are node ids."""

    source: str
    target: str
    kind: str = "data"
    """``data`` (a value flows), ``control`` (next in program order), ``effect`` (a side effect must stay in order)."""
    name: str = ""
    """The variable, for data edges; what is changed, for effect edges."""
    certainty: str = "exact"
    """``exact``, or ``assumed``: code that cannot be read is taken to change what it was given."""
    extra: Mapping[str, Any] | None = field(default=None, hash=False)
    """Fields of a newer format, kept as they were."""


@dataclass(frozen=True)
class DAG:
    """The static graph of an operator: what `Operator.dag` returns. Printable, drawable, comparable, never cyclic."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    name: str = ""
    signature: str = ""
    doc: str = ""
    file: str = ""
    line: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of a newer format, kept as they were."""

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for node in self.nodes:
            if node.operator:
                found.setdefault(node.operator, node)
        return found | {node.id: node for node in self.nodes}

    @cached_property
    def _children(self) -> dict[str | None, tuple[Node, ...]]:
        found: dict[str | None, list[Node]] = {}
        for node in self.nodes:
            found.setdefault(node.parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in found.items()}

    def node(self, id_or_path: str) -> Node:
        """The node with this id, or the first one that calls the operator at this path.

        Raises:
            KeyError: there is none.
        """
        try:
            return self._by_id[id_or_path]
        except KeyError:
            known = ", ".join(sorted({n.operator for n in self.nodes if n.operator})) or "none"
            raise KeyError(f"no node {id_or_path!r} in the DAG of {self.name}; operators called: {known}") from None

    def children_of(self, id: str | None) -> tuple[Node, ...]:
        """The nodes directly inside a region or call, in program order; None for the outermost ones."""
        return self._children.get(id, ())

    @property
    def sites(self) -> tuple[Node, ...]:
        """Every place that calls, or may call, an operator."""
        return tuple(n for n in self.nodes if n.kind == "call" or n.certainty == "opaque")

    @property
    def coverage(self) -> float:
        """Share of call sites that are not opaque, 0.0 to 1.0."""
        sites = self.sites
        return 1.0 - sum(n.certainty == "opaque" for n in sites) / len(sites) if sites else 1.0

    def explain(self) -> Any:
        """One entry per opaque or assumed thing: file, line, reason, fix. Printable."""
        return _reach("explain", "explain")(self)

    def diff(self, other: DAG) -> Any:
        """What is different in `other`: ``added``, ``removed``, ``changed`` (with reasons)."""
        return _reach("diff", "diff")(self, other)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without the fields that have their default value."""
        return _reach("plain", "to_dict")(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DAG:
        """Inverse of `to_dict`.

        Raises:
            ValueError: this is not the data of a DAG, or of a format that is newer than this version reads.
        """
        return _reach("plain", "from_dict")(data)

    def to_json(self) -> str:
        """JSON text; the same graph gives the same bytes."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> DAG:
        """Inverse of `to_json`; unknown fields are kept. Raises as `from_dict` does."""
        return _reach("plain", "from_json")(text)

    def to_proto(self) -> Any:
        """The message ``operator_lib.v1.DAG``."""
        return _reach("proto", "to_proto")(self)

    @classmethod
    def from_proto(cls, message: Any) -> DAG:
        """Inverse of `to_proto`."""
        return _reach("proto", "from_proto")(message)

    def to_svg(self, depth: int | None = None) -> str:
        """A standalone SVG picture, boxes at most `depth` deep; without it, as deep as is still readable."""
        return _reach("draw.svg", "render")(self, depth)

    def to_mermaid(self) -> str:
        """A Mermaid flowchart."""
        return _reach("draw.mermaid", "render")(self)

    def to_dot(self) -> str:
        """A Graphviz digraph."""
        return _reach("draw.dot", "render")(self)

    def __str__(self) -> str:
        return _reach("draw.terminal", "render")(self)

    def __repr__(self) -> str:
        return f"<DAG of {self.name}: {len(self.nodes)} nodes, {len(self.edges)} edges, coverage {self.coverage:.0%}>"

    def __rich__(self) -> Any:
        return _reach("draw.terminal", "rich_text")(self)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return _reach("draw.notebook", "dag_bundle")(self)


def _reach(module: str, name: str) -> Any:
    """A function of a neighbour, imported at the moment it is needed: this file stays free of imports."""
    return getattr(importlib.import_module(f"{__package__}.{module}"), name)
