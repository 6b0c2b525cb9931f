"""The same for many inputs: bounded, in order, with back-pressure; here, and for handles of deployed operators."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from operator_lib.engine.local import Calls
from operator_lib.engine.progress import progress
from operator_lib.engine.record import hand_over

# More threads than this gain nothing for Python code; who waits for a network can ask for more.
DEFAULT_WORKERS = 32


def check_workers(workers: int) -> int:
    """`workers` as a positive number, -1 standing for the default."""
    if isinstance(workers, bool) or not isinstance(workers, int) or (workers < 1 and workers != -1):
        raise ValueError(f"workers: must be a positive int, or -1 for as many as are useful, got {workers!r}")
    return DEFAULT_WORKERS if workers == -1 else workers


def map(op: Any, inputs: Iterable[Any], workers: int, ordered: bool, return_exceptions: bool) -> list[Any]:
    """`Operator.map` on an operator that is not deployed: threads of this process."""
    return star_map(((op, (x,)) for x in inputs), workers, ordered, return_exceptions, total=length(inputs))


def star_map(
    calls: Iterable[tuple[Any, Any]],
    workers: int,
    ordered: bool,
    return_exceptions: bool,
    *,
    total: int | None = None,
) -> list[Any]:
    """`Operator.star_map`."""
    count = check_workers(workers)
    inside = hand_over()
    going = Calls(min(count, os.cpu_count() or 1) if workers == -1 else count)
    with ThreadPoolExecutor(count, thread_name_prefix="operator-map") as pool:

        def start(pair: tuple[Any, Any]) -> Future[Any]:
            op, arguments = pair
            if isinstance(arguments, dict):
                return pool.submit(inside, lambda: going.call(op, (), arguments))
            positional = arguments if isinstance(arguments, tuple) else (arguments,)
            return pool.submit(inside, lambda: going.call(op, positional, {}))

        total = length(calls) if total is None else total
        try:
            return list(bounded(start, calls, 2 * count, ordered, return_exceptions, total))
        finally:
            going.end()


def length(inputs: Iterable[Any]) -> int | None:
    """How many there are, or None when only going through them would tell."""
    try:
        return len(inputs)  # type: ignore[arg-type]
    except TypeError:
        return None


def bounded(
    start: Callable[[Any], Future[Any]],
    inputs: Iterable[Any],
    window: int | Callable[[], int],
    ordered: bool,
    return_exceptions: bool,
    total: int | None = None,
    count: Callable[[Any], int] = lambda _: 1,
) -> Iterator[Any]:
    """Start each input, never more than `window` ahead of the results; yield results.

    `count` says for how many items of `total` a result stands.

    The first exception is raised at its place and everything still pending is cancelled, unless `return_exceptions`.
    """
    pending: deque[Future[Any]] = deque()
    finished: SimpleQueue[Future[Any]] = SimpleQueue()
    source = iter(inputs)
    exhausted = False
    with progress(total) as advance:
        try:
            while True:
                limit = window if isinstance(window, int) else window()
                while not exhausted and len(pending) < limit:
                    try:
                        pending.append(start(next(source)))
                    except StopIteration:
                        exhausted = True
                        break
                    if not ordered:
                        pending[-1].add_done_callback(finished.put)
                if not pending:
                    return
                # In order, the head decides: an exception further back waits for it. Else whoever is ready first.
                done = pending[0] if ordered else finished.get()
                pending.remove(done)
                value = _value(done, return_exceptions)
                yield value
                advance(count(value))
        finally:
            for future in pending:
                future.cancel()


def _value(future: Future[Any], return_exceptions: bool) -> Any:
    error = future.exception()
    if error is None:
        return future.result()
    if return_exceptions and isinstance(error, Exception):
        return error
    raise error
