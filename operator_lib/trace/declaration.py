"""What the source of a `Graph` has declared at one point of the program: functions, edges, and what it leaves open."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from operator_lib.trace.frame import Heap
from operator_lib.trace.source import SourceFile
from operator_lib.trace.values import Choice, Instance, Maybe, Thing
from operator_lib.trace.world import World

# The attribute of the object under which its declaration is kept; no attribute can be called so.
PLACE = "<graph>"


@dataclass(frozen=True, slots=True)
class Gap:
    """A function that the source names in a way that says only to the running program which one it is."""

    node: ast.AST
    file: SourceFile
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Declaration(Thing):
    """What was declared so far. Nothing is changed in place: on another way through the program it may be different."""

    name: str
    doc: str = ""
    start: str = ""
    functions: dict[str, Instance] = field(default_factory=dict[str, Instance])
    edges: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """With the reason why they may not be there, or ""."""
    given: dict[Any, str] = field(default_factory=dict[Any, str])
    gaps: tuple[Gap, ...] = ()
    problems: tuple[str, ...] = ()
    """Why the program would end where it makes the graph."""


def of(what: Instance, heap: Heap, world: World) -> Declaration | None:
    """The declaration of an object, at this point of the program; None: it was not read."""
    kept = heap.get((what.identity, PLACE)) or world.heap.get((what.identity, PLACE))
    found = kept.what if kept is not None else None
    found = found.what if isinstance(found, Maybe) else found
    if isinstance(found, Choice):
        return _merged([o for o in found.options if isinstance(o, Declaration)])
    return found if isinstance(found, Declaration) else None


def _merged(ways: list[Declaration]) -> Declaration:
    """Where ways through the program meet: what is not declared on all of them may not be there."""
    functions = {name: op for way in ways for name, op in way.functions.items()}
    edges = {
        edge: next((why for way in ways if (why := way.edges.get(edge, "choice"))), "")
        for edge in dict.fromkeys(edge for way in ways for edge in way.edges)
    }
    given = {key: name for way in ways for key, name in way.given.items()}
    gaps = {(id(gap.node), gap.name): gap for way in ways for gap in way.gaps}
    problems = dict.fromkeys(problem for way in ways for problem in way.problems)
    return replace(
        ways[0], functions=functions, edges=edges, given=given, gaps=tuple(gaps.values()), problems=tuple(problems)
    )
