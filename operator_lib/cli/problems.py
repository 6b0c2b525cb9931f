"""Errors for people: what happened, where, what to do next; never a traceback of ours."""

from __future__ import annotations

import os
import sys
import traceback

from operator_lib import errors
from operator_lib.cli import output

# As in frames: links are not followed.
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
FAILED = 1


class UserFailure(Exception):
    """The user's code raised here, in this process."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def report(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong; the exit code."""
    if as_json:
        output.document({"error": describe(error)})
    if isinstance(error, UserFailure):
        _say(user_traceback(error.error))
        return FAILED
    remote = remote_cause(error)
    if remote is not None:
        _say(remote.remote_traceback.strip())
        _say(where_it_failed(remote))
    if error is not remote:
        _say(f"{output.paint('error:', 'red', 'bold', stream=sys.stderr)} {headline(error)}")
    if expected(error) or os.environ.get("OPERATOR_LIB_DEBUG"):
        if os.environ.get("OPERATOR_LIB_DEBUG"):
            traceback.print_exception(error)
        return FAILED
    _say("This is a mistake of operator_lib itself; OPERATOR_LIB_DEBUG=1 shows where it happened.")
    return FAILED


def describe(error: BaseException) -> dict[str, object]:
    """An error as JSON, in the shape that HTTP callers get."""
    if isinstance(error, UserFailure):
        inner = error.error
        return {"type": type(inner).__name__, "message": str(inner), "details": {"traceback": user_traceback(inner)}}
    remote = remote_cause(error)
    details: dict[str, object] = {}
    if remote is not None:
        details = {
            "traceback": remote.remote_traceback.strip(),
            "operator_path": remote.operator_path,
            "run_id": remote.run_id,
        }
    shown = type(error)
    return {"type": getattr(error, "remote_type", "") or shown.__name__, "message": str(error), "details": details}


def remote_cause(error: BaseException) -> errors.RemoteError | None:
    """The exception that the user's code raised on a worker, when that is what happened."""
    for found in (error, error.__cause__):
        if isinstance(found, errors.RemoteError) and found.remote_traceback:
            return found
    return None


def where_it_failed(error: errors.RemoteError) -> str:
    """Which operator of which run."""
    place = f"at {error.operator_path}" if error.operator_path else ""
    if error.run_id:
        stopped = f"\nRun {error.run_id} stopped{' ' + place if place else ''}; see: operator-lib show {error.run_id}"
        return f"{stopped}\nWhat it had finished is stored. Mend it, deploy, then: operator-lib replay {error.run_id}"
    return f"\nIt stopped {place}." if place else ""


def headline(error: BaseException) -> str:
    """The message; the type too when it tells more."""
    text = str(error).strip() or type(error).__name__
    if expected(error) and not isinstance(error, TypeError):
        return text
    return f"{type(error).__name__}: {text}"


def error_line(error: BaseException) -> str:
    """Type and message in a line."""
    name = getattr(error, "remote_type", "").rpartition(".")[2] or type(error).__name__
    text = str(error).strip()
    return f"{name}: {text.splitlines()[0]}" if text else name


def expected(error: BaseException) -> bool:
    """Whether the message is meant for the user: ours, the system's, or what the user's code raised."""
    return isinstance(error, (errors.OperatorError, OSError, ValueError, TypeError, TimeoutError, LookupError))


def user_traceback(error: BaseException) -> str:
    """The traceback of an exception of the user's code that ran here, without the frames that led there."""
    shown = traceback.TracebackException.from_exception(error, compact=True)
    chain: list[traceback.TracebackException] = [shown]
    while chain:
        part = chain.pop()
        part.stack = traceback.StackSummary.from_list([f for f in part.stack if not _ours(f.filename)])
        chain += [linked for linked in (part.__cause__, part.__context__) if linked is not None]
    return "".join(shown.format()).rstrip()


def _ours(file: str) -> bool:
    return file.startswith((PACKAGE, "<frozen")) or "/importlib/" in file


def _say(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)
