"""A progress bar where somebody can see one: a terminal or a notebook."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from operator_lib import core
from operator_lib.wire.listing import in_notebook

# What is over sooner than this needs no bar.
PATIENCE = 0.5


def visible() -> bool:
    """Whether standard error is a terminal, or this is a notebook."""
    if os.environ.get("OPERATOR_LIB_PROGRESS") == "0":
        return False
    return in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


@contextmanager
def progress(total: int | None, label: str = "map") -> Generator[Callable[[int], None]]:
    """A function to call with the number of items that have just been finished."""
    if not visible():
        yield lambda n: None
        return
    started = time.monotonic()
    bar: Any = None
    done = 0

    def advance(n: int) -> None:
        nonlocal bar, done
        done += n
        if bar is None and time.monotonic() - started > PATIENCE:
            bar = core.reach("notebook.bars", "Bar")(label, total, started) if in_notebook() else Terminal(label, total)
        if bar is not None:
            bar.update(done)

    completed = False
    try:
        yield advance
        completed = True
    finally:
        if bar is not None:
            bar.stop(completed=completed)


class Terminal:
    """A bar on standard error, gone when it is done."""

    def __init__(self, label: str, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(label, total=total)

    def update(self, done: int) -> None:
        """So many are done."""
        self._bar.update(self._task, completed=done)

    def stop(self, *, completed: bool) -> None:
        """No more will come."""
        self._bar.stop()
