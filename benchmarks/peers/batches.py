"""A batched program beside another way to run it, in turns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from benchmarks.case import Round, alternate, seconds


def beside_loop(function: str, strategy: str, lanes: int) -> Callable[[bool], AbstractContextManager[Round]]:
    """Milliseconds for a batch, and for the same examples in a loop."""

    @contextlib.contextmanager
    def rounds(quick: bool) -> Generator[Round]:
        from benchmarks.peers import lanes as programs
        from operator_lib.autobatch import Context

        plain_function: Callable[..., Any] = getattr(programs, function)
        columns = programs.inputs(plain_function, 20 if quick else lanes)
        batched = Context(strategy=strategy).batch(plain_function)
        assert (batched(*columns) == programs.plain(plain_function, columns)).all()
        if not quick and batched.last_stats.strategy != strategy != "auto":
            raise RuntimeError(f"ran as {batched.last_stats.strategy}, not as {strategy}")
        yield alternate(
            lambda: 1e3 * seconds(lambda: batched(*columns)),
            lambda: 1e3 * seconds(lambda: programs.plain(plain_function, columns)),
            times=1 if quick else 3,
        )

    return rounds


def beside_unrolled(target: str, chains: int) -> Callable[[bool], AbstractContextManager[Round]]:
    """Milliseconds for ten steps of a No-U-Turn sampler written for one chain, and of one written for all of them."""

    @contextlib.contextmanager
    def rounds(quick: bool) -> Generator[Round]:
        from benchmarks.lanes import nuts, unrolled

        what = getattr(nuts, target)()
        given = nuts.start(what, *((3, 2) if quick else (chains, 10)))
        ours, by_hand = nuts.sampler(what), unrolled.sampler(what)
        for _ in range(1 if quick else 6):  # what is tried is tried in the first calls
            found = ours(*given)
        if not all(np.allclose(one, two) for one, two in zip(found, by_hand(*given), strict=True)):
            raise RuntimeError("the two samplers do not agree")
        yield alternate(
            lambda: 1e3 * seconds(lambda: ours(*given)),
            lambda: 1e3 * seconds(lambda: by_hand(*given)),
            times=1 if quick else 3,
        )

    return rounds
