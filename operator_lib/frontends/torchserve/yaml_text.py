"""YAML with the line of every key and value: a thin view of PyYAML's node tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operator_lib.frontends.torchserve.problems import Problem

# A specification is written by hand; what is larger is something else.
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a mapping."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value: a mapping, a list or a scalar.

    Attributes:
        kind: ``"mapping"``, ``"list"``, or what a scalar is read as: ``"str"``, ``"int"``, ``"float"``, ``"bool"``,
            ``"null"``, or another tag of YAML.
        value: of a scalar the Python value; of the others None.
        text: of a scalar, as it is written.
    """

    kind: str
    line: int
    value: Any = None
    text: str = ""
    entries: tuple[Entry, ...] = ()
    items: tuple[Node, ...] = ()


class Reader:
    """One file: its tree, and what is wrong with the text."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.root: Node | None = None
        yaml = _yaml()
        if len(text) > LARGEST:
            self._wrong(f"has {len(text):,} characters, more than {LARGEST:,}", 0, "this is no specification")
            return
        try:
            loader = yaml.SafeLoader(text)
            composed = loader.get_single_node()
            self.root = self._node(composed, loader, 0) if composed is not None else None
        except yaml.MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            said = " ".join(filter(None, (problem.context, problem.problem)))
            self._wrong(f"this is not YAML: {said}", mark.line + 1 if mark else 0, "check brackets and indentation")
        except yaml.YAMLError as problem:
            self._wrong(f"this is not YAML: {problem}", 0, "save it as UTF-8 text")
        except RecursionError:
            self._wrong("is nested too deeply", 0, "a specification has three levels")

    def _wrong(self, message: str, line: int, hint: str = "") -> None:
        self.problems.append(Problem(message, self.file, line, hint))

    def _node(self, node: Any, loader: Any, depth: int) -> Node:
        line = node.start_mark.line + 1
        if depth > 20:
            raise RecursionError
        if node.id == "sequence":
            return Node("list", line, items=tuple(self._node(item, loader, depth + 1) for item in node.value))
        if node.id == "mapping":
            return Node("mapping", line, entries=tuple(self._entries(node, loader, depth)))
        kind = str(node.tag).rpartition(":")[2]
        try:
            value = loader.construct_object(node)
        except (_yaml().YAMLError, ValueError) as problem:
            self._wrong(f"cannot read {node.value!r}: {problem}", line, "quote it")
            value = node.value
        return Node(kind, line, value, str(node.value))

    def _entries(self, node: Any, loader: Any, depth: int) -> Iterator[Entry]:
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag.endswith(":merge"):
                for merged in value.value if value.id == "sequence" else [value]:
                    yield from self._entries(merged, loader, depth + 1) if merged.id == "mapping" else ()
                continue
            if key.id != "scalar":
                self._wrong("a key must be a name", line, "write `name: value`")
                continue
            if not key.tag.endswith(":str"):
                kind = key.tag.rpartition(":")[2]
                self._wrong(f"YAML reads the name {key.value} as {kind}", line, f'quote it: "{key.value}"')
            if key.value in first:
                self._wrong(f"{key.value!r} stands here twice, first on line {first[key.value]}", line, "keep one")
                continue
            first[key.value] = line
            yield Entry(key.value, line, self._node(value, loader, depth + 1))


def load(text: str) -> Any:
    """The plain values of a file that is only handed on. Raises ValueError."""
    yaml = _yaml()
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as problem:
        raise ValueError(f"this is not YAML: {problem}") from None


def _yaml() -> Any:
    try:
        import yaml
    except ModuleNotFoundError as problem:
        raise ModuleNotFoundError(
            "workflows are described in YAML, which needs PyYAML: pip install 'operator_lib[torchserve]'"
        ) from problem
    return yaml
