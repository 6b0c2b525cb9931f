"""Every program, in every way to run it, gives what plain Python gives for each example."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from operator_lib.autobatch import CompileError
from tests.autobatch.conftest import assert_same, batched, lane, one_by_one
from tests.autobatch.programs import PROGRAMS


def test_lanes_are_what_plain_python_gives_in_any_company(name: str, way: str) -> None:
    program = PROGRAMS[name]
    run = batched(program, way)
    inputs = program.inputs(np.random.default_rng(1), 40)
    few = tuple(column[:7] for column in inputs)
    if way == "jax" and program.two_names:
        with pytest.raises(CompileError, match="two names hold"):
            run(*few)
        return
    expected = one_by_one(program, inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = run(*few)
        for place in range(7):
            assert_same(lane(found, place), expected[place], exact=way not in ("jax", "torch"))
        if way == "jax":
            return  # compiles for each size
        whole = run(*inputs)
        for place in range(40):
            assert_same(lane(whole, place), expected[place], exact=way != "torch")
        order = np.random.default_rng(3).permutation(40)
        shuffled = run(*(column[order] for column in inputs))
        alone = run(*(column[5:6] for column in inputs))
    assert_same(lane(alone, 0), lane(whole, 5))
    for place in range(40):
        assert_same(lane(shuffled, place), lane(whole, int(order[place])))
        if place < 7:
            assert_same(lane(found, place), lane(whole, place))


def test_empty_batch(name: str) -> None:
    program = PROGRAMS[name]
    inputs = tuple(column[:0] for column in program.inputs(np.random.default_rng(4), 2))
    found = batched(program, "program_counter")(*inputs)

    def empty(value: object) -> None:
        if isinstance(value, tuple):
            for item in value:
                empty(item)
        elif isinstance(value, dict):
            for item in value.values():
                empty(item)
        else:
            assert len(value) == 0  # type: ignore[arg-type]

    empty(found)
