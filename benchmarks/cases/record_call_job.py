"""A call of an operator in a run on a worker, told to its history, beside the same call there while nothing listens."""

from __future__ import annotations

from benchmarks import turns
from benchmarks.case import Case

CASE = Case(
    name="record_call_job",
    what="op(x) in a run on a worker",
    unit="µs",
    beside="not recorded",
    goal_text="at most 10 µs more",
    limit=10.0,
    rounds=lambda quick: turns.rounds("Outer"),
)
