"""Tracebacks as plain execution gives them: the user's own lines."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from operator_lib.independence.written import OURS

_OURS = ("operator_lib.independence.", "operator_lib.engine.record")


def trimmed(trace: TracebackType | None, place: tuple[int, int] | None) -> TracebackType | None:
    """Without the frames that stand between the lines of the program.

    Args:
        place: instruction and line of the step that failed, in the function that the traceback begins in.
    """
    kept: list[tuple[Any, int, int]] = []
    while trace is not None:
        if OURS in trace.tb_frame.f_code.co_varnames:  # a piece of the function before
            if kept and trace.tb_lineno != kept[-1][2]:
                kept[-1] = kept[-1][0], -1, trace.tb_lineno
        elif not str(trace.tb_frame.f_globals.get("__name__", "")).startswith(_OURS):
            at = place if place is not None and not kept else (trace.tb_lasti, trace.tb_lineno)
            kept.append((trace.tb_frame, *at))
        trace = trace.tb_next
    found: TracebackType | None = None
    for frame, lasti, line in reversed(kept):
        found = TracebackType(found, frame, lasti, line)
    return found


def here() -> tuple[int, int]:
    """Where in the function that was taken apart the program is: instruction and line."""
    frame: Any = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame.f_code.co_name == "<genexpr>" or frame.f_globals.get("__name__", "").startswith(_OURS[0]):
        frame = frame.f_back
    return frame.f_lasti, frame.f_lineno
