"""Every exception that operator_lib raises by itself, under one root.

Messages say what happened, where, and what to do next. Exceptions raised by user code are not wrapped: a remote
``ValueError`` arrives as a ``ValueError`` that is also a `RemoteError`.
"""

from __future__ import annotations


class OperatorError(Exception):
    """Root of everything below."""


class OptionError(OperatorError, ValueError):
    """An option has a wrong name, type or range. One error lists every mistake, one a line."""


class SerializationError(OperatorError, TypeError):
    """A value cannot be encoded or decoded; the message names the argument or the attribute path."""


class CacheError(OperatorError, ValueError):
    """A call of a ``cacheable`` operator cannot be told from others for sure; the message names what is in the way."""


class PythonVersionMismatch(SerializationError):
    """A pickle was made by another Python minor version. Raised before any byte of it is read."""


class AuthenticationError(OperatorError, PermissionError):
    """The token is missing or wrong."""


class NotFound(OperatorError, LookupError):
    """No job, serving, run or version of that name."""


class NotReady(OperatorError):
    """It exists but cannot answer yet (still running, still starting)."""


class DeployError(OperatorError):
    """A deploy was refused or failed; carries the build log and the remote traceback where there is one.

    >>> DeployError("requirements could not be installed", log="No solution found").log
    'No solution found'
    """

    def __init__(self, message: str = "", *, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class RemoteError(OperatorError):
    """Anything that was raised on a worker.

    Attributes: ``remote_traceback`` (text, with source lines), ``operator_path`` (path in the tree of the operator
    that raised, ``""`` for the root), ``run_id`` (or None), ``remote_type`` (qualified name of the type there).
    """

    remote_traceback: str = ""
    operator_path: str = ""
    run_id: str | None = None
    remote_type: str = ""


class RequestError(OperatorError):
    """Raised by user code: this request can never succeed. Never retried."""


class OperatorTimeout(OperatorError, TimeoutError):
    """A call or a run went over its limit; the message gives elapsed and limit in seconds."""


class WorkerDied(OperatorError):
    """The process that ran the user's code ended before it answered; the message gives the cause in words."""


class OutOfMemory(WorkerDied):
    """The process went over its memory limit."""


# What has ended a process, and what its callers get; everything else is `WorkerDied`.
ENDS: dict[str, type[OperatorError]] = {"oom": OutOfMemory, "timeout": OperatorTimeout}


class Cancelled(OperatorError):
    """The run or call was cancelled."""


class QueueFull(OperatorError):
    """Too much is waiting already; try again after ``retry_after`` seconds."""

    def __init__(self, message: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FatalException(OperatorError):
    """Raised by user code: the process is no longer usable and must be replaced."""


class NotPure(OperatorError):
    """An operator that was declared ``pure=True`` is not: found by ``optimize(..., check=True)``."""


class UntrustedResult(SerializationError):
    """A peer sent a pickle that this side did not ask for."""
