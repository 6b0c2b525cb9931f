"""A progress bar where somebody can see one: a terminal or a notebook."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

# What is over sooner than this needs no bar.
PATIENCE = 0.5


def visible() -> bool:
    """Whether standard error is a terminal, or this is a notebook."""
    if os.environ.get("OPERATOR_LIB_PROGRESS") == "0":
        return False
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())


@contextmanager
def progress(total: int | None, label: str = "map") -> Generator[Callable[[int], None]]:
    """A function to call with the number of items that have just been finished."""
    if not visible():
        yield lambda n: None
        return
    started = time.monotonic()
    bar: Any = None
    task: Any = None
    done = 0

    def advance(n: int) -> None:
        nonlocal bar, task, done
        done += n
        if bar is None and time.monotonic() - started > PATIENCE:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.start()
            task = bar.add_task(label, total=total)
        if bar is not None:
            bar.update(task, completed=done)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.stop()
