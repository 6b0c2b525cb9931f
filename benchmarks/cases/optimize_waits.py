"""Three independent children that wait half a second each, run by `optimize`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator

from benchmarks.case import Case, Round, Sample, seconds


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib import Operator, optimize

    class Wait(Operator):
        def forward(self, x: int) -> int:
            time.sleep(0.5)
            return x

    class Three(Operator):
        def __init__(self) -> None:
            self.a, self.b, self.c = Wait(), Wait(), Wait()

        def forward(self, x: int) -> int:
            return self.a(x) + self.b(x + 1) + self.c(x + 2)

    def one() -> Sample:
        return Sample(seconds(lambda: optimize(Three())(1)))  # made anew: nothing is known of how long they take

    yield one


CASE = Case(
    name="optimize_waits",
    what="three children of 0.5 s, optimized",
    unit="s",
    beside="0.65 s",
    goal_text="at most 0.65 s",
    limit=0.65,
    rounds=rounds,
)
