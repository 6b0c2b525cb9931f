"""The executor of this very program, for runs without a worker: there while it has something to do."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from operator_lib.executors import groups
from operator_lib.executors.local.executor import LocalExecutor

# Seconds that it waits for more to do: what the next process is forked from takes a while to start.
IDLE = 1.0
# Seconds for its processes to be gone when the program ends.
ENDING = 5.0

Work = Callable[[LocalExecutor, Path], Awaitable[None]]


class Program:
    """An event loop in a thread, with an executor."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="operator-lib-"))
        self.executor = LocalExecutor(self.home)
        self.executor.means.groups = groups.find(self.home)
        self.loop = asyncio.new_event_loop()
        self.busy = 0
        self.ended = False
        self.thread = threading.Thread(target=self.loop.run_forever, name="operator-processes", daemon=True)
        self.thread.start()

    async def carry_out(self, work: Work) -> None:
        try:
            await work(self.executor, self.home)
        finally:
            self.busy -= 1
            if not self.busy:
                self.loop.call_later(IDLE, self.leave)

    def leave(self) -> None:
        """End, if nothing is to be done; on its own loop."""
        global _current
        with _lock:
            if self.busy or self.ended:
                return
            self.ended = True
            _current = None
        self.loop.create_task(self.close())

    async def close(self) -> None:
        self.ended = True
        with contextlib.suppress(Exception):
            await self.executor.close()
        shutil.rmtree(self.home, ignore_errors=True)
        self.loop.stop()


_lock = threading.Lock()
_current: Program | None = None


def carry_out(work: Work) -> Future[None]:
    """Have `work` done with the executor of this program, and the folder that its processes may use.

    Raises:
        OSError: there is no room for the folder.
    """
    global _current
    with _lock:
        if _current is None:
            _current = Program()
        _current.busy += 1
        return asyncio.run_coroutine_threadsafe(_current.carry_out(work), _current.loop)  # type: ignore[arg-type]


def soon(function: Callable[[], Any]) -> None:
    """Call it on the loop, if that is there still."""
    with _lock, contextlib.suppress(RuntimeError):
        if _current is not None:
            _current.loop.call_soon_threadsafe(function)


@atexit.register
def _end() -> None:
    """The program ends, and with it everything that it has started here."""
    program = _current
    if program is not None:
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(program.close(), program.loop)
            program.thread.join(ENDING)


def _forked() -> None:
    """A fork of the program must not hold the leashes: its parent's processes end with the parent."""
    global _current, _lock
    program, _current, _lock = _current, None, threading.Lock()
    if program is not None:
        program.executor.forget()


os.register_at_fork(after_in_child=_forked)
