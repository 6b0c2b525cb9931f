"""A recorded loop of 10,000 rounds that chooses and calls, with its decisions kept, beside the same without them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator

from benchmarks.case import Case, Round, alternate


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib import Operator, record

    class Step(Operator):
        def forward(self, x: int) -> int:
            return x + 1

    class Loop(Operator):
        def __init__(self) -> None:
            self.step = Step()

        def forward(self, rounds: int) -> int:
            total = 0
            for i in range(rounds):
                if i % 3 == 0:
                    total = self.step(total)
                elif total > 2 * i:
                    total -= 1
                else:
                    total = self.step(total)
            return total

    calls, op = 1_000 if quick else 10_000, Loop()

    def milliseconds(decisions: bool) -> Callable[[], float]:
        def one() -> float:
            with record(decisions=decisions):
                start = time.process_time()
                op(calls)
                return 1e3 * (time.process_time() - start)

        return one

    yield alternate(milliseconds(True), milliseconds(False), times=1 if quick else 15)


CASE = Case(
    name="decision_log",
    what="a recorded loop of 10,000 rounds, decisions kept (CPU time)",
    unit="ms",
    beside="decisions not kept",
    goal_text="at most 1.03 ×",
    goal=1.03,
    rounds=rounds,
)
