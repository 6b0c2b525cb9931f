"""What can go wrong while a program is compiled or run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operator_lib.errors import OperatorError


@dataclass(frozen=True, slots=True)
class Position:
    """A stretch of source: where an instruction comes from."""

    file: str
    line: int
    column: int
    end_column: int
    function: str
    text: str
    """The line itself."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"

    def excerpt(self) -> str:
        """The line with carets under the construct."""
        indent = len(self.text) - len(self.text.lstrip())
        start = max(self.column - indent, 0)
        width = max(min(self.end_column, len(self.text)) - self.column, 1)
        return f"    {self.text.strip()}\n    {' ' * start}{'^' * width}"


class CompileError(OperatorError, ValueError):
    """The function uses what cannot be batched; says where, and what to write instead.

    Attributes: ``position`` (file, line, column), or None when there is no source to point to.
    """

    def __init__(self, message: str, position: Position | None = None, hint: str = "") -> None:
        self.position = position
        text = message if position is None else f"{position}: {message}\n{position.excerpt()}"
        super().__init__(f"{text}\n{hint}" if hint else text)


class StackOverflow(OperatorError, ValueError):
    """A lane calls more deeply than ``max_stack_depth`` allows.

    Attributes: ``lane`` (its place in the batch), ``position`` (the call).
    """

    def __init__(self, limit: int, lane: int | None, position: Position | None) -> None:
        self.lane, self.position = lane, position
        who = "" if lane is None else f" Lane {lane}"
        where = "" if position is None else f" at {position}"
        said = f"{who} needs more than {limit} frames{where}." if who or where else f" More than {limit} are needed."
        super().__init__(f"Maximum stack depth exceeded.{said} Give max_stack_depth= a larger number, or None to grow.")


class LaneError(OperatorError):
    """Some lanes raised; the others have their results.

    What is raised is also an instance of the first lane's exception type, so ``except ValueError`` still works.
    Attributes: ``lanes`` (place in the batch -> exception), ``results`` (what the function returned; zeros in
    the places of the lanes that failed), ``position`` (of the first lane's failure).
    """

    lanes: Mapping[int, BaseException]
    results: Any = None
    position: Position | None = None
    failed: Mapping[int, tuple[BaseException, Position | None]]


def lane_error(failed: Mapping[int, tuple[BaseException, Position | None]], results: Any) -> LaneError:
    """One exception for all lanes that failed, of the first one's type."""
    first = min(failed)
    cause, position = failed[first]
    kind = type(cause)
    more = len(failed) - 1
    others = f" (and {more} more {'lane' if more == 1 else 'lanes'}: see .lanes)" if more else ""
    where = "" if position is None else f", {position}"
    message = f"lane {first}{where}: {kind.__name__}: {cause}{others}"
    try:
        own = {"__init__": _plain, "__str__": _said, "__reduce__": _reduced}
        made = type(f"Lane{kind.__name__}", (LaneError, kind), own)(message)
    except TypeError:  # a type that cannot be mixed
        made = LaneError(message)
    made.failed = dict(failed)
    made.lanes = {lane: error for lane, (error, _) in sorted(failed.items())}
    made.results, made.position = results, position
    made.__cause__ = cause
    return made


def _plain(self: Exception, message: str) -> None:
    Exception.__init__(self, message)


def _reduced(self: LaneError) -> Any:
    return lane_error, (self.failed, self.results)


def _said(self: Exception) -> str:
    return str(self.args[0])
