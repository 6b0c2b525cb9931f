"""A traceback of an exception that came from elsewhere: the cell, the code over there, and what to do next."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, cast

# Between a cell and the code that failed there is only machinery: ours, futures, and what runs cells.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PARTS = (os.sep + os.path.join("concurrent", "futures") + os.sep, os.sep + "IPython" + os.sep)


def rendered(error: BaseException) -> list[str]:
    """The lines that IPython prints for `error`, by its hook ``_render_traceback_``."""
    from IPython.core.getipython import get_ipython

    shell = cast("Any", get_ipython())
    trace = without_machinery(error.__traceback__)
    lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    cells: dict[str, int] = getattr(shell.compile, "_filename_map", {})
    for file, number in cells.items():
        lines = [line.replace(f'File "{file}"', f"Cell In[{number}]") for line in lines]
    return lines


def without_machinery(trace: TracebackType | None) -> TracebackType | None:
    """The frames that somebody has written who looks at a notebook."""
    kept: list[TracebackType] = []
    step = trace
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not file.startswith(_OURS) and not any(part in file for part in _PARTS):
            kept.append(step)
        step = step.tb_next
    made: TracebackType | None = None
    for frame in reversed(kept):
        made = TracebackType(made, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return made or trace
