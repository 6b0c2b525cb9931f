"""Random programs give, in every way, what plain Python gives for each example."""

from __future__ import annotations

import importlib.util
import os
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_lib.autobatch import Context
from tests.autobatch.conftest import NEEDS, assert_same, lane, options
from tests.autobatch.random_programs import loaded, scalar, sources

# More of them where somebody asks for it: OPERATOR_PROGRAMS=2000.
COUNT = int(os.environ.get("OPERATOR_PROGRAMS", "40"))
WAYS = ("program_counter", "stackless", "refill", "loop", "torch", "tensorflow")
SCALAR_WAYS = ("program_counter", "stackless", "loop", "native")


def check(module: ModuleType, ways: tuple[str, ...], seed: int, *, array: bool = True) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-5, 9, 6), rng.integers(-5, 9, 6)
    columns = (a, b, rng.integers(0, 9, (6, 4))) if array else (a, b)
    rows = [(int(a[i]), int(b[i]), *(column[i].copy() for column in columns[2:])) for i in range(6)]
    expected: list[Any] = [module.program(*row) for row in rows]
    for way in ways:
        if importlib.util.find_spec(NEEDS.get(way, "numpy")) is None:
            continue
        found = Context(**options(way)).batch(module.program).options(max_stack_depth=None)(*columns)
        for place in range(6):
            assert_same(lane(found, place), expected[place])


@settings(max_examples=COUNT, suppress_health_check=list(HealthCheck))
@given(text=sources(), seed=st.integers(0, 99))
def test_random_programs(text: str, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    check(loaded(text, tmp_path_factory.getbasetemp()), WAYS, seed)


@settings(max_examples=COUNT // 3, suppress_health_check=list(HealthCheck))
@given(text=sources(), seed=st.integers(0, 99))
def test_random_programs_on_numbers(text: str, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    check(loaded(scalar(text), tmp_path_factory.getbasetemp()), SCALAR_WAYS, seed, array=False)
