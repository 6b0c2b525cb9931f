"""Threads for steps. They carry out what changes nothing, so the program does not wait for them to end.

A step for which no thread is free is not taken: steps wait for steps inside of them, and in a queue behind those that
wait for it, it would never begin.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

# Of all programs of this process together.
MOST = 128


class Threads:
    """Threads that stay for the next step."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = SimpleQueue()
        self._free = 0
        self._all = 0

    def submit(self, work: Callable[..., None], *args: Any) -> bool:
        """Whether there is a thread for it; then it begins at once."""
        with self._lock:
            new = self._free == 0
            if new and self._all >= MOST:
                return False
            if new:
                try:
                    threading.Thread(target=self._serve, name=f"operator-optimize-{self._all}", daemon=True).start()
                except RuntimeError:  # the system has no more, or the interpreter is about to end
                    return False
                self._all += 1
            else:
                self._free -= 1
            self._tasks.put((work, args))
        return True

    def _serve(self) -> None:
        while True:
            work, args = self._tasks.get()
            work(*args)
            del work, args  # what it refers to may wait to be let go of
            with self._lock:
                self._free += 1


_threads: Threads | None = None
_making = threading.Lock()


def threads() -> Threads:
    """Those of this process."""
    global _threads
    with _making:
        if _threads is None:
            _threads = Threads()
        return _threads


def forked() -> None:
    """In the child there are none of them."""
    global _threads, _making
    _threads, _making = None, threading.Lock()


os.register_at_fork(after_in_child=forked)
