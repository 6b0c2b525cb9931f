"""A worker for the length of a block, in a home that is not kept."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from operator_lib import endpoint

if TYPE_CHECKING:
    from operator_lib.worker import LocalWorker


@contextlib.contextmanager
def local(**options: str) -> Generator[LocalWorker]:
    """A worker with a new home; stopped, and its home removed, whatever happens. `options`: of its command line."""
    from operator_lib import worker

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-"))
        with _held(signal.SIGINT, signal.SIGTERM):
            running = stack.enter_context(worker.local(Path(folder, "home"), **options))
        yield running


def kill(home: Path) -> None:
    """kill -9 the worker of `home`."""
    found = endpoint.running(home)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    os.waitpid(found.pid, 0)


def start(home: Path, **options: str) -> float:
    """Start another; seconds until it accepts calls."""
    begun = time.perf_counter()
    endpoint.ensure(home, {name.replace("_", "-"): value for name, value in options.items()}, leash=True)
    return time.perf_counter() - begun


@contextlib.contextmanager
def _held(*signals: signal.Signals) -> Generator[None]:
    """These wait until the block is done: a start that is cut off would leave a worker that nobody stops."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
