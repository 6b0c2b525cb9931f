"""Every program, in every way to run it, gives what plain Python gives for each example."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from operator_lib.autobatch import CompileError
from tests.autobatch.conftest import assert_same, batched, lane, one_by_one
from tests.autobatch.programs import PROGRAMS

SIZES = (1, 7, 40)


def test_lanes_are_what_plain_python_gives(name: str, way: str) -> None:
    program = PROGRAMS[name]
    run = batched(program, way)
    rng = np.random.default_rng(1)
    if way == "jax" and program.two_names:
        with pytest.raises(CompileError, match="two names hold"):
            run(*program.inputs(rng, 7))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for size in SIZES if way != "jax" else (7,):  # where each size is compiled
            inputs = program.inputs(rng, size)
            expected = one_by_one(program, inputs)
            found = run(*inputs)
            for place in range(size):
                assert_same(lane(found, place), expected[place], exact=way not in ("jax", "torch"))


def test_a_lane_does_not_depend_on_its_neighbours(name: str, way: str) -> None:
    if way == "jax":
        pytest.skip("compiles for each size")
    program = PROGRAMS[name]
    run = batched(program, way)
    inputs = program.inputs(np.random.default_rng(2), 23)
    whole = run(*inputs)
    order = np.random.default_rng(3).permutation(23)
    shuffled = run(*(column[order] for column in inputs))
    for place in range(23):
        assert_same(lane(shuffled, place), lane(whole, int(order[place])))
    alone = run(*(column[5:6] for column in inputs))
    assert_same(lane(alone, 0), lane(whole, 5))


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
