"""Two graphs compared: what was added, removed, or changed, and through what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.meaning import Meanings, renames
from operator_lib.trace.order import moved
from operator_lib.trace.pairs import Pairs
from operator_lib.trace.signature import SignatureChange, compare
from operator_lib.trace.summary import OWN, summarise


@dataclass(frozen=True, slots=True)
class Change:
    """A node that is in both graphs and not the same. `reasons`: ``own code``, ``via helpers.py:12 (stratify)``, ..."""

    before: Node
    after: Node
    reasons: tuple[str, ...]
    owner: str = ""
    """Path of the operator whose code it is, ``""`` for the one that was drawn."""


@dataclass(frozen=True, slots=True)
class DagDiff:
    """The difference of two graphs; false when there is none. Prints one line a node."""

    added: tuple[Node, ...] = ()
    removed: tuple[Node, ...] = ()
    changed: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    """What stands in another order, where that matters."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new path of operators that are the same under another name."""
    signature: SignatureChange = field(default_factory=SignatureChange)
    name: str = ""
    """Of the later graph."""
    loose: tuple[tuple[str, Node], ...] = ()
    """Added plain code, with the path of the operator whose code it is."""
    dropped: tuple[tuple[str, Node], ...] = ()
    """Removed plain code, likewise."""

    def summary(self) -> list[str]:
        """A few lines: by operator, with the places to look at."""
        return summarise(self)

    @property
    def breaking(self) -> bool:
        """Whether a call that worked may fail now."""
        return bool(self.signature.breaks)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.moved or self.renamed or self.signature)

    def __str__(self) -> str:
        lines = [f"! {line}" for line in str(self.signature).splitlines()]
        lines += [f"= {new}   was {old}" for old, new in self.renamed]
        lines += _counted(f"~ {c.after.title}   changed: {', '.join(c.reasons)}" for c in self.changed)
        lines += [f"> {c.after.title}   {', '.join(c.reasons)}" for c in self.moved]
        lines += [f"+ {n.title}   new ({n.file}:{n.line})" for n in outermost(self.added)]
        lines += [f"- {n.title}   gone (was {n.file}:{n.line})" for n in outermost(self.removed)]
        return "\n".join(lines) or "no difference"


def outermost(nodes: Iterable[Node]) -> list[Node]:
    """Those that stand in none of the others."""
    every = list(nodes)
    ids = {n.id for n in every}
    return [n for n in every if n.parent not in ids]


def _counted(lines: Iterable[str]) -> list[str]:
    """An operator that is called in many places changes in all of them."""
    found: dict[str, int] = {}
    for line in lines:
        found[line] = found.get(line, 0) + 1
    return [line if n == 1 else f"{line}   ({n} places)" for line, n in found.items()]


def diff(before: DAG, after: DAG) -> DagDiff:
    """`DAG.diff`."""
    pairs = Pairs(before, after)
    segments = {old.rpartition(".")[2]: new.rpartition(".")[2] for old, new in pairs.renamed.items()}
    old, new = Meanings(before, segments), Meanings(after, {})
    own = _own_changes(pairs, old, new)
    changed: list[Change] = []
    for one, other in pairs:
        reasons = _reasons(one, other, pairs, old, new, own, segments)
        if reasons:
            changed.append(Change(one, other, reasons, _owner(after, other)))
    places = [Change(a, b, (f"now {_side(b, c)} {c.title}",), _owner(after, b)) for a, b, c in moved(pairs, old, new)]
    return DagDiff(
        pairs.added,
        pairs.removed,
        tuple(changed),
        tuple(places),
        tuple(pairs.renamed.items()),
        compare(before.signature, after.signature),
        after.name,
        _plain(after, pairs.added),
        _plain(before, pairs.removed),
    )


def _side(node: Node, other: Node) -> str:
    return "before" if node.index < other.index else "after"


def _plain(dag: DAG, nodes: Iterable[Node]) -> tuple[tuple[str, Node], ...]:
    return tuple((_owner(dag, n), n) for n in outermost(nodes) if n.kind in ("code", "return"))


def _owner(dag: DAG, node: Node) -> str:
    at = node
    while at.kind != "call" or at.operator is None:
        if at.parent is None:
            return ""
        at = dag.node(at.parent)
    return at.operator


def _own_changes(pairs: Pairs, old: Meanings, new: Meanings) -> set[str]:
    """Ids (of the later graph) of nodes whose text says something else.

    Variables count by what they are, not by their names: in each function the names are matched as a whole.
    """
    found: set[str] = set()
    alike: dict[str | None, list[tuple[Node, list[str], list[str]]]] = {}
    fixed: dict[str | None, dict[str, str]] = {}
    for one, other in pairs:
        scope = new.scope(other)
        if one.kind == "input":
            fixed.setdefault(scope, {})[one.name] = other.name
            continue
        (text, names), (now, now_names) = old.of(one), new.of(other)
        if text != now and not (one.id == other.id and old.in_id(one) and new.in_id(other)):
            found.add(other.id)
        else:
            alike.setdefault(scope, []).append((other, names, now_names))
    for scope, texts in alike.items():
        same = renames([(a, b) for _, a, b in texts], fixed.get(scope, {}))
        found.update(n.id for n, a, b in texts if any(p not in same for p in zip(a, b, strict=False)))
    return found


def _reasons(
    one: Node, other: Node, pairs: Pairs, old: Meanings, new: Meanings, own: set[str], segments: dict[str, str]
) -> tuple[str, ...]:
    found: list[str] = []
    if other.id in own:
        found.append(OWN)
    if one.kind == "input" and one.name != other.name and _is_interface(pairs.after, other):
        found.append(f"was {one.name}")
    if one.kind == "call" and one.operator is not None and one.name != other.name:
        found.append(f"was {one.name}")
    if one.kind == "call" and (one.certainty == "opaque") != (other.certainty == "opaque"):
        found.append(f"cannot be followed: {other.reason}" if other.certainty == "opaque" else "can be followed now")
    elif not found and one.kind != "input":
        found.extend(_condition(one, other, pairs, old, new))
    found.extend(_via(one, other, segments))
    return tuple(found)


def _is_interface(dag: DAG, node: Node) -> bool:
    """A parameter of an operator, not of a function that it uses."""
    return node.parent is None or dag.node(node.parent).operator is not None


def _condition(one: Node, other: Node, pairs: Pairs, old: Meanings, new: Meanings) -> list[str]:
    """Whether it runs in other cases than before; an edited condition is a change of its branch, not of all in it."""
    was = pairs.partner[one.parent].id if one.parent is not None and one.parent in pairs.partner else one.parent
    if was != other.parent:
        around = pairs.after.node(other.parent) if other.parent is not None else None
        return [f"runs under another condition: {around.name if around is not None else 'always'}"]
    if one.kind != "call":
        return []
    if one.certainty != other.certainty:
        why = other.condition or other.reason if other.certainty != "exact" else "always"
        return [f"runs under another condition: {why}"]
    if old.condition(one) != new.condition(other):
        return [f"runs under another condition: {other.condition}"]
    return []


def _via(one: Node, other: Node, segments: dict[str, str]) -> list[str]:
    """What it uses of the project and that is not what it was: only what was edited itself, not what leads there."""
    before, after = _used(one.uses, segments), _used(other.uses, {})
    changed = {key: after[key][0] for key in after if key in before and before[key][1] != after[key][1]}
    # What moved to another file or class keeps its own name.
    elsewhere = {key[1].rpartition(".")[2]: mark for key, (_, mark) in before.items() if key not in after}
    for key, (place, mark) in after.items():
        if key not in before and elsewhere.get(key[1].rpartition(".")[2], mark) != mark:
            changed[key] = place
    # A class says no more than its attribute that was edited.
    owners = {name.rpartition(".")[0] for _, name in changed}
    return [f"via {place} ({name})" for (_, name), place in changed.items() if name not in owners]


def _used(uses: Iterable[str], segments: dict[str, str]) -> dict[tuple[str, str], tuple[str, str]]:
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for use in uses:
        place, name, mark = [*use.rsplit(" ", 2), "", ""][:3]
        home, _, last = name.rpartition(".")
        name = f"{home}.{segments.get(last, last)}" if home else name
        found[place.rpartition(":")[0], name] = (place, mark)
    return found
