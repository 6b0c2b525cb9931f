"""A batched program beside a plain Python loop, in turns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any

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
