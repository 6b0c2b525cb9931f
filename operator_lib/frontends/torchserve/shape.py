"""Whether the nodes of a specification form a DAG with one start: circles are named with their path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from operator_lib.frontends.torchserve.problems import Problem
from operator_lib.frontends.torchserve.specification import Specification

# What an operator may be called, see the option `name`.
NAME = re.compile(r"[A-Za-z0-9!_\-.*'()]{1,200}")


def shape(spec: Specification) -> list[Problem]:
    """What is wrong with the edges, and models that nothing uses."""
    return [*_names(spec), *_circles(spec), *_starts(spec), *_unused(spec)]


def _names(spec: Specification) -> Iterator[Problem]:
    for name, line in spec.lines.items():
        if not NAME.fullmatch(name):
            yield Problem(f"{name!r} is no name for a node", spec.file, line, "use letters, digits and !_-.*'()")


def _circles(spec: Specification) -> Iterator[Problem]:
    """Each circle once, by a depth-first walk that keeps its path."""
    done: set[str] = set()
    for root in spec.nodes:
        path: list[str] = []
        todo: list[tuple[str, Iterator[str]]] = []
        if root not in done:
            path.append(root)
            todo.append((root, iter(spec.edges.get(root, ()))))
        while todo:
            name, rest = todo[-1]
            child = next(rest, None)
            if child is None:
                todo.pop()
                done.add(path.pop())
            elif child in path:
                circle = [*path[path.index(child) :], child]
                words = "feeds itself" if len(circle) == 2 else "form a circle"
                hint = "remove one of these edges; a loop belongs inside of a node"
                yield Problem(f"{' -> '.join(circle)} {words}", spec.file, spec.entries[name], hint)
            elif child not in done:
                path.append(child)
                todo.append((child, iter(spec.edges.get(child, ()))))


def start(spec: Specification) -> str | None:
    """The one node that follows no other."""
    found = [name for name, parents in spec.parents.items() if not parents]
    return found[0] if len(found) == 1 else None


def _starts(spec: Specification) -> Iterator[Problem]:
    starts = [name for name, parents in spec.parents.items() if not parents]
    if len(starts) > 1:
        for name in starts[1:]:
            kind = "model" if spec.is_model(name) else "node"
            hint = f"feed it from {starts[0]}, or put one node before both: a workflow has one start"
            message = f"{kind} {name} is not reachable from the start node {starts[0]}: nothing feeds it"
            yield Problem(message, spec.file, spec.lines[name], hint)


def _unused(spec: Specification) -> Iterator[Problem]:
    for name, model in spec.models.items():
        if spec.lines and name not in spec.lines:
            hint = "name it in `dag`, or remove it"
            yield Problem(
                f"model {name} is in no edge of the dag, so it is not reachable", spec.file, model.line, hint, "warning"
            )
