"""`Estimate`: how long the next run will take, and what that is made of."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from operator_lib.estimate.history import Trip
from operator_lib.estimate.quantiles import Band, band
from operator_lib.estimate.schedule import Path, Plan, with_workers
from operator_lib.trace.dag import DAG, Node

# With fewer runs the band is where they were, and the estimate says so.
ENOUGH = 9


@dataclass(frozen=True, slots=True)
class NodeEstimate:
    """One place that calls, repeats or chooses."""

    id: str
    kind: str
    """``call``, ``loop`` or ``branch``."""
    title: str
    line: int
    file: str
    seconds: Band | None
    """Of one call; None where nothing is known."""
    trips: Band | None
    """Of a loop: rounds each time it is come to; of everything else: times in one run."""
    frequency: float | None
    """Share of the times it was passed at which it ran; None where that is not known."""
    runs: int
    """In how many of the runs it ran."""
    changed: bool = False
    """Its code is not the one that was measured."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What `Operator.estimate` returns: seconds that a run will take. Printable, and shows itself in notebooks."""

    name: str
    runs: int
    """How many runs it is made from."""
    seconds: Band | None
    """p10, p50 and p90; None without any run."""
    nodes: tuple[NodeEstimate, ...]
    """In program order."""
    critical: Path
    """The longest chain of calls that have to wait for one another."""
    workers: Mapping[int, float] = field(default_factory=dict[int, float])
    """Median seconds with so many calls at the same time at most, as far as the graph lets them."""
    dag: DAG = field(default_factory=DAG, repr=False, compare=False)
    own: Mapping[str, float] = field(default_factory=dict[str, float], repr=False, compare=False)
    """Mean seconds of each call in one run, without the calls in it."""

    @property
    def p10(self) -> float | None:
        """One of ten runs takes less, in seconds; None when nothing is known."""
        return self.seconds.p10 if self.seconds else None

    @property
    def p50(self) -> float | None:
        """Half of the runs take less."""
        return self.seconds.p50 if self.seconds else None

    @property
    def p90(self) -> float | None:
        """Nine of ten runs take less."""
        return self.seconds.p90 if self.seconds else None

    @property
    def unknown(self) -> tuple[NodeEstimate, ...]:
        """Calls of which there is no time: they are not part of the estimate."""
        return tuple(node for node in self.nodes if node.kind == "call" and node.seconds is None)

    @property
    def few(self) -> bool:
        """Whether there were too few runs to tell one of ten from nine of ten."""
        return self.runs < ENOUGH

    def what_if(self, workers: int) -> float | None:
        """Median seconds with at most so many calls at the same time, as far as the graph lets them.

        Raises:
            ValueError: not a positive number.
        """
        if workers < 1:
            raise ValueError(f"workers: must be at least 1, got {workers}")
        if self.seconds is None:
            return None
        plan = Plan(self.dag, self.own)
        seconds = with_workers(plan, min(workers, max(1, len(self.own))))
        return self.seconds.p50 * (seconds[-1] / seconds[0] if seconds[0] else 1.0)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return {
            "name": self.name,
            "runs": self.runs,
            "few": self.few,
            "seconds": asdict(self.seconds) if self.seconds else None,
            "nodes": [asdict(node) for node in self.nodes],
            "unknown": [node.id for node in self.unknown],
            "critical": {"seconds": self.critical.seconds, "nodes": list(self.critical.nodes)},
            "workers": {str(count): seconds for count, seconds in self.workers.items()},
        }

    def __str__(self) -> str:
        from operator_lib.estimate.shown import text

        return text(self)

    def _repr_html_(self) -> str:
        from operator_lib.estimate.shown import page

        return page(self)


def made(dag: DAG, found: Sequence[Trip], changed: frozenset[str] = frozenset(), workers: int = 2) -> Estimate:
    """The estimate of a program from its runs.

    The runs are drawn as wholes: the times of its nodes in one run belong together (a large input makes all of them
    slow), so their sum is not spread less than the runs were.

    Args:
        changed: nodes whose code is another one than that which ran.
        workers: up to how many at the same time are looked at.
    """
    seconds = band([trip.total for trip in found])
    own = _own_seconds(dag, found)
    plan = Plan(dag, own)
    by_workers = with_workers(plan, workers)
    scale = seconds.p50 / by_workers[0] if seconds is not None and by_workers[0] else 1.0
    return Estimate(
        name=dag.name,
        runs=len(found),
        seconds=seconds,
        nodes=tuple(_node(dag, node, found, node.id in changed) for node in _counted(dag)),
        critical=plan.carry_out(None)[1],
        workers={count: one * scale for count, one in enumerate(by_workers, 1)} if found else {},
        dag=dag,
        own=own,
    )


def _counted(dag: DAG) -> Iterator[Node]:
    """Nodes that a line is due to: calls of operators, and what decides how often they are made."""
    around: set[str | None] = set()
    for node in dag.nodes:
        parent = node.parent if node.kind == "call" or node.certainty == "opaque" else None
        while parent not in around and parent is not None:
            around.add(parent)
            parent = dag.node(parent).parent
    for node in dag.nodes:
        called = (node.kind == "call" and node.operator is not None) or node.certainty == "opaque"
        if called or (node.kind in ("loop", "branch") and node.id in around):
            yield node


def _own_seconds(dag: DAG, found: Sequence[Trip]) -> dict[str, float]:
    """Mean seconds of each call in one run, without the calls in it."""
    if not found:
        return {}
    whole = {
        node.id: statistics.fmean([trip.spent.get(node.id, 0.0) for trip in found])
        for node in dag.nodes
        if node.kind == "call"
    }
    own = dict(whole)
    for node in dag.nodes:
        if whole.get(node.id):
            around = node.parent
            while around is not None and not whole.get(around):
                around = dag.node(around).parent
            if around is not None:
                own[around] -= whole[node.id]
    return {id: seconds for id, seconds in own.items() if seconds > 0}


def _node(dag: DAG, node: Node, found: Sequence[Trip], changed: bool) -> NodeEstimate:
    times = [seconds for trip in found for seconds in trip.nodes.get(node.id, ())]
    passed, entered = _passed(dag, node, found)
    rounds = [count / around for count, around in zip(entered, passed, strict=True) if around]
    looped = node.kind == "loop"
    return NodeEstimate(
        id=node.id,
        kind="call" if node.certainty == "opaque" else node.kind,
        title=node.title,
        line=node.line,
        file=node.file,
        seconds=band(times),
        trips=band(rounds if looped else entered),
        frequency=min(1.0, sum(entered) / sum(passed)) if sum(passed) and not looped else None,
        runs=sum(1 for count in entered if count),
        changed=changed,
    )


def _passed(dag: DAG, node: Node, found: Sequence[Trip]) -> tuple[list[int], list[int]]:
    """For each run: how often what is around the node was gone through, and how often the node itself."""
    around = node.parent
    while around is not None and "unrolled" in dag.node(around).reason:  # each child once each time it is come to
        around = dag.node(around).parent
    passed = [1 if around is None else trip.counts.get(around, 0) for trip in found]
    return passed, [trip.counts.get(node.id, 0) for trip in found]
