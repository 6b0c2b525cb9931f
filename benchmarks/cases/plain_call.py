"""``op(x)`` here, without options, beside a ``torch.nn.Module`` that does the same."""

from __future__ import annotations

import contextlib
import timeit
from collections.abc import Callable, Generator
from typing import Any

from benchmarks.case import Case, Round, alternate


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    import torch

    from operator_lib import Operator

    class Ours(Operator):
        def forward(self, x: int) -> int:
            return x

    class Theirs(torch.nn.Module):
        def forward(self, x: int) -> int:
            return x

    calls = 1_000 if quick else 20_000

    def per_call(target: Callable[[int], Any]) -> Callable[[], float]:
        timer = timeit.Timer("target(1)", globals={"target": target})
        return lambda: 1e9 * timer.timeit(calls) / calls

    yield alternate(per_call(Ours()), per_call(Theirs()), times=1 if quick else 15)


CASE = Case(
    name="plain_call",
    what="op(x), no options",
    unit="ns",
    beside="torch.nn.Module",
    goal_text="at most 1.0 ×",
    rounds=rounds,
    needs={"torch": "torch==2.13.0"},
)
