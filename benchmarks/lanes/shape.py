"""What a run comes to, apart from time: steps, how well lanes are used, how many frames are set aside."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from benchmarks.peers import lanes
from tests.autobatch.programs import PROGRAMS, Program

LANES, QUEUE = 64, 512
SHOWN = (
    "fib",
    "ackermann",
    "tak",
    "collatz",
    "mandelbrot",
    "newton_sqrt",
    "adaptive_ode",
    "odd_digit_sum",
    "quicksort",
)


def shapes(seconds: float) -> dict[str, Any]:
    """Of the programs of the tests; `seconds` for tuning each."""
    found = {name: _shape(program, seconds) for name, program in PROGRAMS.items()}
    means = {key: math.exp(np.mean([math.log(row[key]) for row in found.values()])) for key in ("steps", "tuned")}
    shown = {name: found[name] for name in SHOWN}
    return {"programs": shown, "count": len(found), "mean": means, "second_type_ms": 1e3 * _second_type()}


def _shape(program: Program, seconds: float) -> dict[str, Any]:
    from operator_lib.autobatch import Context

    context = Context(strategy="program_counter")
    for helper in program.helpers:
        context.batch(helper)
    batched = context.batch(program.function).options(max_stack_depth=None)
    rng = np.random.default_rng(1)
    columns, queue = program.inputs(rng, LANES), program.inputs(rng, QUEUE)

    def stats(given: tuple[Any, ...], **options: Any) -> Any:
        chosen = batched.options(**options)
        chosen(*given)
        return chosen.last_stats

    longest = max(stats(tuple(column[n : n + 1] for column in columns)).steps for n in range(LANES))
    source = stats(columns)
    at_once = stats(queue)
    refilled = stats(queue, lanes=LANES, schedule="most")
    tuned = batched.tune(*columns, seconds=seconds)
    return {
        "steps": source.steps / longest,
        "tuned": tuned * source.steps / longest,
        "utilisation": at_once.utilisation,
        "refilled": refilled.utilisation,
        "frames": at_once.peak_frames / at_once.live_frames if at_once.live_frames else None,
    }


def _second_type() -> float:
    """Seconds that a call takes more when types alternate."""
    from operator_lib.autobatch import Context

    batched = Context(strategy="program_counter").batch(lanes.newton)
    wide = lanes.inputs(lanes.newton, 10)
    whole = tuple(column.astype(np.int64) for column in wide)

    def taken(calls: list[Any]) -> float:
        best = math.inf
        for _ in range(20):
            started = time.perf_counter()
            for columns in calls:
                batched(*columns)
            best = min(best, time.perf_counter() - started)
        return best / len(calls)

    batched(*wide), batched(*whole)
    return max(taken([wide, whole] * 5) - (taken([wide] * 5) + taken([whole] * 5)) / 2, 0.0)
