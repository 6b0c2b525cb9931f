"""Time limits of calls in a job: of the root, of children, with progress, and with children at work."""

from __future__ import annotations

import limited
import pytest

from operator_lib.errors import OperatorTimeout


def test_a_child_has_its_own_limit(shared):
    run = limited.Parent().deploy("limited").submit("sleep")
    with pytest.raises(OperatorTimeout, match=r"child ran for 1\.\d s, the limit is 1 s"):
        run.result(30)
    assert run.status == "TIMEOUT"


@pytest.mark.parametrize("how", ["spin", "c_code", "process"])
def test_nothing_keeps_a_child_alive(shared, tmp_path, how):
    run = limited.Parent().deploy("limited").submit(how, str(tmp_path / "pid"))
    with pytest.raises(OperatorTimeout):
        run.result(30)


def test_progress_starts_the_clock_anew(shared):
    assert limited.reports.deploy("reports")(4) == 4


def test_silence_after_progress_is_too_long(shared):
    run = limited.reports.deploy("reports").submit(2, silent=True)
    with pytest.raises(OperatorTimeout):
        run.result(30)
    assert [event["current"] for event in run.events(follow=False) if event["kind"] == "progress"] == [1, 2]


def test_the_time_of_children_does_not_count(shared):
    assert limited.Waits().deploy("waits")() == "rested three times"


def test_a_timed_out_root_is_tried_again(shared, tmp_path):
    run = limited.slow_at_first.deploy("slow").submit(str(tmp_path / "starts"))
    assert run.result(30) == "at last"
    assert run.attempts == 2


def test_the_state_of_a_run_outlives_its_process(shared):
    run = limited.remembers.deploy("remembers").submit()
    assert run.result(30) == ["first", 2]
