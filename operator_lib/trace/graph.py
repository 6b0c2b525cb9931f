"""The graph while it is being built: nodes in program order, edges that only point forward, parts taken back."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from operator_lib.trace.values import Dep, Deps, Place

if TYPE_CHECKING:
    from operator_lib.trace.frame import Frame

NODE_LIMIT = 20_000


class Draft:
    """A node that is still growing."""

    __slots__ = (
        "alone",
        "arm",
        "call_path",
        "certainty",
        "code",
        "condition",
        "file",
        "frame",
        "gone",
        "inputs",
        "key",
        "kind",
        "name",
        "operator",
        "outputs",
        "parent",
        "position",
        "reason",
        "serial",
        "through",
        "tree",
        "uses",
    )  # fmt: skip

    def __init__(self, serial: int, kind: str, name: str, frame: Frame, parent: Draft | None, tree: Any) -> None:
        self.serial = serial
        self.kind = kind
        self.name = name
        self.frame = frame
        self.parent = parent
        self.tree: ast.AST | list[ast.AST] | None = tree
        self.operator: str | None = None
        self.certainty = "exact"
        self.reason: str | Draft = ""
        self.condition = ""
        self.code = ""
        self.file = frame.shown
        self.position: tuple[int, int, int, int] = (0, 0, 0, 0)
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.uses: dict[str, str] = {}
        self.key: Any = None
        self.gone = False
        self.through: Deps = frozenset()
        # One of several ways, of which only one is taken.
        self.arm = False
        # Of a statement that is still being read: its code node without what it was computed from.
        self.alone: Draft | None = None

    @property
    def site(self) -> bool:
        """Whether it must not be folded into plain code."""
        return self.kind == "call" or self.certainty == "opaque"

    def note(self, names: Iterable[str], into: list[str]) -> None:
        for name in names:
            if name not in into:
                into.append(name)


Mark = tuple[int, int, int, int]
EdgeDraft = tuple[Draft, Draft, str, str]
# A node looks at a piece of state (0), changes it (1), or is only taken to change it (2).
Event = tuple[Draft, Place, int]
# Begins the name of a value that comes from a change which is only assumed.
ASSUMED = "~"


class Graph:
    """Drafts and edges. `mark` and `fold` take a part back that turned out to call no operator."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.edges: list[EdgeDraft] = []
        self.seen: set[tuple[int, int, str]] = set()
        self.events: list[Event] = []
        # What a piece of state is called.
        self.titles: dict[Place, str] = {}
        # What it is called in one reading of a function, where it has a variable there.
        self.names: dict[tuple[Frame, Place], tuple[int, str]] = {}
        # In the second and later passes over the body of an unrolled loop: what was made before is found again.
        self.again: dict[Any, Draft] = {}
        self.repeating = 0
        # The one found again last, in each region.
        self.met: dict[Draft | None, Draft] = {}
        # Why the round in which they were found again may not happen: what is new in them may not run either.
        self.doubts: dict[Draft, str] = {}
        self.serial = 0
        self.sites = 0
        # Code made before this serial number takes in no further statements.
        self.sealed = 0

    def emit(
        self, kind: str, name: str, frame: Frame, tree: Any, operator: str | None = None, key: Any = None
    ) -> Draft:
        """A new node in the frame's current region."""
        parent = frame.region
        spot = (tree.lineno, tree.col_offset, tree.end_lineno, tree.end_col_offset) if hasattr(tree, "lineno") else key
        full = (id(parent), kind, spot, operator, key, name)
        if self.repeating and (old := self.again.get(full)) is not None and not old.gone:
            if old.kind == "call":
                self.sites += 1
            self.met[parent] = old
            self.doubts[old] = self._why(frame)
            return old
        draft = Draft(self.serial, kind, name, frame, parent, tree)
        self.serial += 1
        draft.operator = operator
        draft.key = full
        if hasattr(tree, "lineno"):
            draft.position = (tree.lineno, tree.col_offset, tree.end_lineno, tree.end_col_offset)
        why = self._why(frame)
        if why:
            draft.certainty, draft.reason = "may", why
        self.drafts.append(draft)
        if kind == "call":
            self.sites += 1
        if self.repeating:
            self.again[full] = draft
        return draft

    def _why(self, frame: Frame) -> str:
        return frame.why or (self.doubts.get(frame.call, "") if self.repeating and frame.call is not None else "")

    def call(self, frame: Frame, places: Iterable[Place], name: str) -> None:
        """A variable holds these objects, or something in them; the first name stays."""
        for place in places:
            self.names.setdefault((frame, place), (len(self.names), name))

    @property
    def full(self) -> bool:
        return len(self.drafts) >= NODE_LIMIT

    def connect(self, deps: Collection[Dep], target: Draft, kind: str = "data") -> None:
        """Edges from where a value comes from. What would point backwards is carried by a loop: no edge."""
        for source, name in expanded(deps):
            if source.serial < target.serial and (source.serial, target.serial, name) not in self.seen:
                self.seen.add((source.serial, target.serial, name))
                self.edges.append((source, target, kind, name))

    def mark(self) -> Mark:
        return len(self.drafts), len(self.edges), self.sites, len(self.events)

    def plain_since(self, mark: Mark) -> bool:
        """Whether nothing since `mark` has to stay visible."""
        return self.sites == mark[2]

    def fold(self, mark: Mark) -> tuple[list[Draft], Deps, list[tuple[Place, int]]]:
        """Take back what was made since `mark`: its values then come from where it got its own.

        Returns:
            What was removed, what it was made from, and which state it looks at and changes.
        """
        touched = list(dict.fromkeys((place, how) for _, place, how in self.events[mark[3] :]))
        del self.events[mark[3] :]
        removed = self.drafts[mark[0] :]
        edges = self.edges[mark[1] :]
        del self.drafts[mark[0] :]
        del self.edges[mark[1] :]
        for draft in removed:
            draft.gone = True
        for edge in edges:
            self.seen.discard((edge[0].serial, edge[1].serial, edge[3]))
        incoming = frozenset((s, n) for s, t, _, n in edges if t.gone and not s.gone)
        for draft in removed:
            draft.through = incoming
        for edge in edges:
            if not edge[1].gone and not edge[0].gone:
                self.connect([(edge[0], edge[3])], edge[1], edge[2])
        return removed, incoming, touched

    def absorb(
        self, removed: list[Draft], incoming: Deps, into: Draft, touched: Iterable[tuple[Place, int]] = ()
    ) -> None:
        """`into` stands for what was removed."""
        self.connect(incoming, into)
        self.events.extend((into, place, how) for place, how in touched)
        through = outside_code(incoming) | {(into, "")}
        for draft in removed:
            draft.through = through
            into.note(draft.inputs, into.inputs)
            into.note(draft.outputs, into.outputs)
            into.uses.update(draft.uses)
            if isinstance(draft.reason, str) and draft.reason.startswith("assumed") and not into.reason:
                into.reason = draft.reason


def expanded(deps: Collection[Dep]) -> Collection[Dep]:
    """`deps` without the nodes that were taken back."""
    for dep in deps:
        if dep[0].gone:
            break
    else:
        return deps
    stack = list(deps)
    done: set[Dep] = set()
    found: list[Dep] = []
    while stack:
        dep = stack.pop()
        if dep in done:
            continue
        done.add(dep)
        if dep[0].gone:
            name = dep[1]
            for d, n in dep[0].through:
                stack.append((d, _via(name, n) if n else name))
        else:
            found.append(dep)
    return found


def _via(name: str, inner: str) -> str:
    """What a value is called that got to `name` through code that was taken back, where it was called `inner`."""
    return ASSUMED + inner if name[:1] == ASSUMED and inner[0] != ASSUMED else inner


def without_assumed(deps: Deps) -> Deps:
    """Without what is only assumed: whoever may change an object now may also have looked at it."""
    return frozenset(d for d in deps if not d[1].startswith(ASSUMED))


def outside_code(deps: Collection[Dep]) -> Deps:
    """Only what is no plain code: values are followed through code to the calls and inputs they come from."""
    return frozenset(d for d in expanded(deps) if d[0].kind != "code")


def labelled(deps: Deps, name: str) -> Deps:
    """Values that had no name so far are called `name` from here on."""
    for _, label in deps:
        if not label:
            return frozenset((d, n or name) for d, n in deps)
    return deps
