"""Where calls come from: the place in the source, and through which functions the caller got there."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

# Python frames looked at between a call of an operator and the operator that it is part of.
DEPTH = 24
# Frames of these modules stand between the user's call and the recorder.
OURS = frozenset(
    {
        *("operator_lib.core", "operator_lib.decorator"),
        *(f"operator_lib.engine.{name}" for name in ("call", "record", "sites", "managed", "steps", "lasting")),
        *(f"operator_lib.engine.{name}" for name in ("map", "local", "checkpoints", "remembered")),
        *(f"operator_lib.independence.{name}" for name in ("flow", "launching", "optimized", "settings")),
        *(f"operator_lib.graph.{name}" for name in ("flow", "graph")),
        *("operator_lib.runner.job", "operator_lib.runner.part"),
        *("operator_lib.client.job", "operator_lib.client.serving"),
        *("operator_lib.frontends.sieve.reference", "operator_lib.frontends.tensorlake.remote"),
    }
)
_STANDARD = os.path.dirname(os.__file__) + os.sep
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode

# Code and the offset of the call in it, innermost first.
Stack = tuple[tuple[CodeType, int], ...]


class Place:
    """One way to come to a call of an operator: from here in the source, inside of that other place.

    `calls` numbers the calls made from here, `silent` says that they have no decisions to tell, for the time being;
    the rest is what is not told yet: see `Recorder`.
    """

    __slots__ = (
        *("calls", "col", "count", "failed", "file", "first", "head", "inside", "line", "name", "path", "spent"),
        *("silent", "told", "via"),
    )

    def __init__(self, path: str, file: str, line: int, col: int, via: tuple[tuple[str, int, int], ...] = ()) -> None:
        self.path = path
        self.file = file
        self.line = line
        self.col = col
        self.via = via
        self.inside: dict[Any, Place] = {}
        self.calls = itertools.count(1)
        self.first = 0
        self.told = 0.0
        self.silent = False
        self.count = 0
        self.failed = 0
        self.spent = 0.0
        self.head = _encode(self.fields())[1:-1].encode()
        self.name = _encode({"path": path})[1:-1].encode()

    def fields(self) -> dict[str, Any]:
        """As events name it."""
        found: dict[str, Any] = {"path": self.path, "file": self.file, "line": self.line, "col": self.col}
        if self.via:
            found["via"] = [list(site) for site in self.via]
        return found


def user_frame(frame: FrameType) -> FrameType:
    """The innermost frame that is not ours."""
    while frame.f_globals.get("__name__") in OURS and frame.f_back is not None:
        frame = frame.f_back
    return frame


def stack(frame: FrameType) -> Stack:
    """`frame` and what called it, up to the operator around; what stands in it twice (recursion) once."""
    found = [(frame.f_code, frame.f_lasti)]
    outer = frame.f_back
    for _ in range(DEPTH):
        if outer is None or outer.f_globals.get("__name__") in OURS:
            break
        step = outer.f_code, outer.f_lasti
        if not any(step[0] is code and step[1] == at for code, at in found):
            found.append(step)
        outer = outer.f_back
    return tuple(found)


def raised_at(error: BaseException) -> int:
    """The line of the operator's own code that an exception came through; 0 when it came from nowhere in it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in OURS:
        trace = trace.tb_next
    return trace.tb_lineno if trace is not None else 0


def make_place(path: str, calls: Stack, name: Callable[[str], str]) -> Place:
    """The place that a stack stands for; `name` says how the graph calls a file."""
    if not calls:
        return Place(path, "", 0, 0)
    inner, *outer = calls
    via = [_site(*step, name) for step in reversed(outer) if not _standard(step[0].co_filename)]
    return Place(path, *_site(*inner, name), via=tuple(via))


def _site(code: CodeType, at: int, name: Callable[[str], str]) -> tuple[str, int, int]:
    position = next(itertools.islice(code.co_positions(), at // 2, None))
    return name(code.co_filename), position[0] or code.co_firstlineno, position[2] or 0


def _standard(file: str) -> bool:
    """Whether it is of Python's own library, which no graph goes into."""
    return file.startswith("<frozen") or (file.startswith(_STANDARD) and "-packages" not in file)
