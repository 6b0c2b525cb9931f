"""A call of a child in a run on a worker: told to the history, and its value stored for when the run is resumed."""

from __future__ import annotations

from benchmarks import turns
from benchmarks.case import Case

CASE = Case(
    name="checkpoint_call",
    what="op(x) of a child in a run, its value stored",
    unit="µs",
    beside="neither recorded nor stored",
    goal_text="at most 100 µs more",
    limit=100.0,
    rounds=lambda quick: turns.rounds("Inner"),
)
