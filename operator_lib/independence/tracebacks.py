"""Tracebacks as plain execution gives them: the user's own lines."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

_OURS = ("operator_lib.independence.", "concurrent.futures.", "operator_lib.engine.record")


def trimmed(trace: TracebackType | None, place: tuple[int, int] | None) -> TracebackType | None:
    """Without the frames that stand between the lines of the program.

    Args:
        place: instruction and line of the step that failed, in the function that the traceback begins in.
    """
    kept: list[TracebackType] = []
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if not name.startswith(_OURS):
            kept.append(trace)
        trace = trace.tb_next
    found: TracebackType | None = None
    for number in range(len(kept) - 1, -1, -1):
        one = kept[number]
        lasti, line = place if place is not None and number == 0 else (one.tb_lasti, one.tb_lineno)
        found = TracebackType(found, one.tb_frame, lasti, line)
    return found


def here(inside: str) -> tuple[int, int]:
    """Where the program is that has called something in the module `inside`: instruction and line."""
    frame: Any = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame.f_globals.get("__name__") == inside:
        frame = frame.f_back
    return frame.f_lasti, frame.f_lineno
