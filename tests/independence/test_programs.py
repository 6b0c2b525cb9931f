"""Random programs, plainly and optimized: nobody can tell the difference."""

from __future__ import annotations

import os

import pytest
from both_ways import run
from effect_oracle import conflicts
from random_programs import Program

# All of them where somebody asks for it: OPERATOR_PROGRAMS=2000.
COUNT = int(os.environ.get("OPERATOR_PROGRAMS", "60"))


@pytest.mark.timeout(1200)
def test_results_state_exceptions_and_conflicting_calls_are_those_of_plain_execution():
    beside = failed = 0
    for seed in range(COUNT):
        program = Program(seed)
        text = program.text
        plainly, fast = run(text, seed, False), run(text, seed, True)
        assert fast.outcomes == plainly.outcomes, text
        assert fast.state == plainly.state, text
        assert conflicts(plainly.calls, fast.calls, program.touched) == [], text
        beside += len({thread for _, _, thread in fast.calls}) > 1
        failed += any(outcome[0] == "error" for outcome in plainly.outcomes)
    assert beside > COUNT / 2  # else this shows nothing
    assert failed > COUNT / 10
