"""The simulation of many machines: it carries what it is offered where there is enough, and shows what there is not."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.scaling.model import Rates, Work, simulate
from benchmarks.scaling.plan import most, needed

RATES = Rates(accept=0.001, start=0.002, end=0.002, line=1e-5, going=1e-5, commit=0.002, row=0.0005)


@pytest.mark.parametrize(("machines", "length"), [(10, 10.0), (1_000, 10.0), (1_000, 60.0)])
def test_with_what_it_needs_it_carries_what_is_offered(machines: int, length: float) -> None:
    work = needed(Work(machines, 1, 1, length), RATES)
    found = simulate(work, RATES, runs=4_000)
    assert found.per_second == pytest.approx(work.offered, rel=0.1)
    assert most(work, RATES) >= work.offered
    assert max(found.busy["worker"], found.busy["database"]) < 0.95


def test_one_worker_is_the_bound_of_a_thousand_machines() -> None:
    work = dataclasses.replace(needed(Work(1_000, 1, 1, 10.0), RATES), workers=1)
    found = simulate(work, RATES, runs=4_000)
    assert found.busy["worker"] > 0.95
    assert found.per_second < work.offered / 2


def test_one_machine_makes_runs_wait_for_one_another() -> None:
    found = simulate(Work(1, 1, 1, 10.0), RATES, runs=2_000)
    assert found.p50 < 0.1
    assert found.p99 > 1.0
