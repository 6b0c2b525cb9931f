"""A child that is killed for its time limit has had an attempt; the program is told where it made the call."""

from __future__ import annotations

from pathlib import Path

import pipelines
import pytest
from crash import read_lines

from operator_lib.errors import OperatorTimeout, WorkerDied

TOO_LONG = r"spins ran for 1\.\d s, the limit is 1 s"


def test_the_parent_can_catch_it(shared, effects):
    run = pipelines.Catches().deploy("catches").submit(effects, True)
    assert run.result(30).startswith("3: spins ran for 1.")
    assert read_lines(effects) == ["step 1", "spins", "spins"], "one retry, and nothing else twice"
    assert run.status == "COMPLETED"
    assert run.attempts == 3
    causes = [event.get("cause", "") for event in run.events() if event.get("status") == "PENDING"]
    assert len([cause for cause in causes if "spins ran for" in cause and "to be started again" in cause]) == 2


def test_when_nobody_catches_it_the_run_ends_with_it(shared, effects):
    run = pipelines.Catches().deploy("catches").submit(effects, False)
    with pytest.raises(OperatorTimeout, match=TOO_LONG):
        run.result(30)
    assert run.status == "TIMEOUT"
    assert read_lines(effects) == ["step 1", "spins", "spins"]


def test_resumed_it_has_all_its_attempts_again(shared, effects):
    run = pipelines.Catches().deploy("catches").submit(effects, False)
    with pytest.raises(OperatorTimeout):
        run.result(30)
    with pytest.raises(OperatorTimeout, match=TOO_LONG):
        run.resume().result(30)
    assert read_lines(effects) == ["step 1", *["spins"] * 4]
    Path(f"{effects}.stop").touch()
    assert run.resume().result(30) == "stopped"
    assert read_lines(effects) == ["step 1", *["spins"] * 5]


def test_a_program_that_never_makes_the_same_call_is_not_started_for_ever(shared, effects):
    run = pipelines.NeverTheSame().deploy("never").submit(effects)
    with pytest.raises(OperatorTimeout, match=r"random ran for 1\.\d s, the limit is 1 s"):
        run.result(30)
    assert run.status == "TIMEOUT"
    assert len(read_lines(effects)) <= 5


def test_resumed_the_root_has_all_its_processes_again(shared, effects):
    run = pipelines.leaves.deploy("leaves").submit(effects)
    with pytest.raises(WorkerDied, match="exit 3"):
        run.result(30)
    assert run.attempts == 2, "one retry"
    with pytest.raises(WorkerDied, match="exit 3"):
        run.resume().result(30)
    assert run.attempts == 4, "and one more of the run that was resumed"
    assert read_lines(effects) == ["leaves"] * 4
