"""What was done with a program, what was not, and why: pair by pair."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operator_lib import tree
from operator_lib.independence.settings import Settings
from operator_lib.trace import build
from operator_lib.trace.dag import DAG, Node

if TYPE_CHECKING:
    from operator_lib.independence.optimized import Plan
    from operator_lib.independence.prover import Proof
    from operator_lib.independence.written import Place

DECLARE = "operator(pure=True) on {name}, if its calls change nothing and depend on their arguments alone"

# How the reasons of pairs begin that may overlap, or of which it turns out when they run.
POSSIBLE = ("independent", "which operator ")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two calls that could overlap, or the rounds of one call in a loop."""

    first: str
    """As it is written: ``self.left``."""
    line: int
    second: str
    second_line: int
    parallel: bool
    reason: str
    """``independent``, or what keeps the second from starting before the first has ended."""
    fix: str = ""
    """What the user can do about it; "" where it is as it must be."""
    rounds: bool = False
    """It is one call in a loop, and its rounds are meant."""

    def __str__(self) -> str:
        if self.rounds:
            who = f"{self.first} (line {self.line}), rounds"
        else:
            who = f"{self.first} (line {self.line}) and {self.second} (line {self.second_line})"
        words = f"{who}: {'parallel' if self.parallel else 'in order'}: {self.reason}"
        return f"{words}\n    to do: {self.fix}" if self.fix else words


@dataclass(frozen=True, slots=True)
class Report:
    """What `optimize` found out about one operator. Printable."""

    name: str
    pairs: tuple[Pair, ...] = ()
    left: str = ""
    """Why the operator runs as it always did; "" when it was taken apart."""
    repeated: dict[str, int] = dataclasses.field(default_factory=dict[str, int])
    """Calls that were not made because the same had been made before, by what is called and its line, so far."""

    inside: tuple[Report, ...] = ()
    """The operators below of which the function was taken apart too, by their paths."""

    @property
    def parallel(self) -> tuple[Pair, ...]:
        """The pairs that run at the same time."""
        return tuple(pair for pair in self.pairs if pair.parallel)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        count = len(self.parallel)
        head = f"{self.name}: {count} of {len(self.pairs)} pairs of calls may overlap"
        lines = [f"{head}; it runs as it did: {self.left}" if self.left else head, *map(str, self.pairs)]
        lines += [f"{where}: {times} repeated calls were not made" for where, times in self.repeated.items()]
        return "\n".join([*lines, *map(str, self.inside)])


class Explained:
    """The calls of one function, with what is known about each."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self.plan = plan
        self.settings = settings
        self.dag: DAG = build(plan.op)
        self._operators: dict[str, Any] = dict(tree.named_operators(plan.op))
        self._after = _after(self.dag)

    def report(self) -> Report:
        rewritten = self.plan.rewritten
        name = tree.name_of(self.plan.op)
        if rewritten is None:
            return Report(name, (), self.plan.left)
        again = {f"{site.text} (line {site.line})": site.repeated for site in rewritten.sites.values() if site.repeated}
        return Report(name, tuple(self.pairs()), self.plan.left, again)

    def pairs(self) -> Iterator[Pair]:
        return (pair for _, _, pair in self.between())

    def between(self) -> Iterator[tuple[Place, Place, Pair]]:
        """Every two calls that could overlap; a call in a loop with itself."""
        places = self.places()
        for number, one in enumerate(places):
            if one.rounds is not None:
                yield one, one, self._pair(one, one)
            for other in places[number + 1 :]:
                if not self._apart(one, other):
                    yield one, other, self._pair(one, other)

    def places(self) -> list[Place]:
        """The calls in the order of the source."""
        found = self.plan.rewritten.places if self.plan.rewritten is not None else []
        return sorted(found, key=lambda place: (place.call.lineno, place.call.col_offset))

    def _pair(self, one: Place, other: Place) -> Pair:
        reason, fix = self._why(one, other)
        parallel = not reason and self.settings.parallel
        reason = reason or ("independent" if parallel else "independent, but parallel=False")
        return Pair(one.text, one.call.lineno, other.text, other.call.lineno, parallel, reason, fix, one is other)

    def _why(self, one: Place, other: Place) -> tuple[str, str]:
        assert self.plan.rewritten is not None
        if one is not other and self._needs(one, other):
            return f"{other.text} needs what {one.text} gives", ""
        if one is not other and self._needs(other, one):  # an argument stands behind the function that takes it
            return f"{one.text} needs what {other.text} gives", ""
        for place in (one, other) if one is not other else (one,):
            for text, proof in self._proofs(place):
                if proof is None:
                    return f"which operator {place.text} is, is known only when it runs", ""
                if proof.obstacles:
                    first = proof.obstacles[0]
                    wrote = first.does.startswith(("writes", "changes"))
                    fix = first.fix or ("" if wrote else DECLARE.format(name=text))
                    return f"{text} {first} of {first.file.rpartition('/')[2]}", fix
        for place in (one, other):
            if place.kept:
                return f"the statement in line {place.call.lineno} keeps its place: {place.kept}", ""
        start, end = one.call.lineno, other.call.lineno
        if one is other and one.rounds is not None:
            start, end = one.rounds
        for line, why in sorted(self.plan.rewritten.barriers.items()):
            if start <= line <= end and line not in (one.call.lineno, other.call.lineno):
                return f"line {line} stands between and keeps its place: {why}", ""
        return "", ""

    def nodes(self, place: Place) -> list[Node]:
        """The nodes of the graph that stand for a call."""
        at = place.call.lineno, place.call.col_offset
        return [n for n in self.dag.nodes if n.kind == "call" and (n.line, n.col) == at]

    def _proofs(self, place: Place) -> list[tuple[str, Proof | None]]:
        assert self.plan.rewritten is not None
        reading, variables = self.plan.rewritten.reading, self.plan.rewritten.variables
        known = reading.operators(place.call.func, variables)
        found: list[tuple[str, Proof | None]] = [(one.title, self.settings.known(one.value)) for one in known]
        if not found:
            for node in self.nodes(place):
                op = self._operators.get(node.operator or "")
                found.append((f"self.{node.operator}", self.settings.known(op) if op is not None else None))
        return found or [("", None)]

    def _needs(self, one: Place, other: Place) -> bool:
        targets = {node.id for node in self.nodes(other)}
        return any(targets & self._after.get(node.id, set()) for node in self.nodes(one))

    def _apart(self, one: Place, other: Place) -> bool:
        """Whether only one of the two runs: they stand in different arms."""
        first, second = self.nodes(one), self.nodes(other)
        if not first or not second:
            return False
        for a, b in zip(self._around(first[0]), self._around(second[0]), strict=False):
            if a.id != b.id:
                return (
                    a.kind == b.kind == "branch" and a.parent is not None and self.dag.node(a.parent).kind == "branch"
                )
        return False

    def _around(self, node: Node) -> list[Node]:
        found: list[Node] = []
        inside: Node | None = node
        while inside is not None:
            found.insert(0, inside)
            inside = self.dag.node(inside.parent) if inside.parent is not None else None
        return found


def _after(dag: DAG) -> dict[str, set[str]]:
    """For every node, those that are computed from what it gives."""
    found: dict[str, set[str]] = {}
    direct: dict[str, set[str]] = {}
    for edge in dag.edges:
        if edge.kind == "data" and edge.certainty == "exact":
            direct.setdefault(edge.source, set()).add(edge.target)
    for node in reversed(dag.nodes):
        mine = found[node.id] = set(direct.get(node.id, ()))
        for target in direct.get(node.id, ()):
            mine |= found.get(target, set())
    return found


def marked(dag: DAG, explained: Explained) -> DAG:
    """The graph, with a word at every call about what it may overlap with, or what keeps it in its place."""
    words: dict[str, str] = {}
    pairs = list(explained.between())
    for place in explained.places():
        mine = [(one, other, pair) for one, other, pair in pairs if place in (one, other)]
        beside = {one.text if other is place else other.text for one, other, pair in mine if pair.parallel}
        if any(pair.parallel and pair.rounds for _, _, pair in mine):
            beside = {"its rounds"} | {one.text for one, _, p in mine if p.parallel and not p.rounds} - {place.text}
        if beside:
            word = "∥ " + ", ".join(sorted(beside))
        else:
            reason = next((pair.reason for _, _, pair in mine if " needs what " not in pair.reason), "")
            word = f"in order: {reason}" if reason else ""
        if word:
            words.update({node.id: word for node in explained.nodes(place)})
    nodes = [
        dataclasses.replace(n, extra={**(n.extra or {}), "order": words[n.id]}) if n.id in words else n
        for n in dag.nodes
    ]
    return dataclasses.replace(dag, nodes=tuple(nodes))
