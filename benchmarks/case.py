"""What a benchmark is: two things that take turns, or one thing and a limit."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.peers.separate import Peer

Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round found, in the unit of its case."""

    ours: float
    peer: float | None = None


Round = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the rounds of one case found: ``ours[i]`` and ``peer[i]`` were taken side by side."""

    ours: list[float]
    peer: list[float]
    """Empty when the case is held against a limit alone."""


@dataclass(frozen=True, slots=True)
class Case:
    """One benchmark. A case without a peer has a limit; one with both is held to `limit` more than the peer."""

    name: str
    what: str
    unit: str
    beside: str
    """The peer's name, or the limit in words."""
    goal_text: str
    rounds: Callable[[bool], AbstractContextManager[Round]]
    """Sets up (small sizes when true), gives the function that measures one round, cleans up."""
    goal: float = 1.0
    """The ratio to the peer or limit that is aimed at: at most this, or at least this when higher is better."""
    better: Better = "lower"
    limit: float | None = None
    needs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Modules that must be there, each with what to give to ``pip install``."""
    peer: Peer | None = None
    """Where it is in an environment of its own."""
    most: int | None = None
    """Rounds, however many are asked for: of a case whose rounds take long."""
    group: Literal["usual", "load"] = "usual"
    """Those of other groups are measured when they are asked for."""

    def measure(self, rounds: int, *, quick: bool = False) -> Measurement:
        """Set up, warm both sides up with a round that does not count, measure `rounds` times, clean up."""
        with self.rounds(quick) as one:
            one()
            samples = [one() for _ in range(min(rounds, self.most or rounds))]
        return Measurement([s.ours for s in samples], [s.peer for s in samples if s.peer is not None])


def alternate(ours: Callable[[], float], peer: Callable[[], float], times: int = 1) -> Round:
    """A round in which the two take `times` turns each; who goes first changes every time; medians."""
    turn = itertools.count()

    def one() -> Sample:
        found: tuple[list[float], list[float]] = ([], [])
        for _ in range(times):
            first = next(turn) % 2
            for side in (first, 1 - first):
                found[side].append((ours, peer)[side]())
        return Sample(statistics.median(found[0]), statistics.median(found[1]))

    return one


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
