"""What came of a process that ran the user's code: the status of its run, and the cause in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from operator_lib.engine.process import FAILURE, VALUE, Exit
from operator_lib.errors import ENDS, Cancelled, OperatorTimeout, SerializationError, WorkerDied
from operator_lib.wire import failure

# Failures of the user's code that end its process: tried again as `retries` says.
RETRIED = frozenset({"exit_code", "signal", "oom", "disk", "timeout"})
# What a process was stopped for, and how that is called.
KINDS = {"timeout": "timeout", "memory": "oom", "disk": "disk"}
# What a process has ended of where its machine is another one: the machine, or what had given it room there.
AWAY = ("node",)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one attempt. `cut`: it was not the run's own doing, so it is started again."""

    status: str
    kind: str = ""
    cause: str = ""
    cut: bool = False


def outcome(folder: Path) -> Path | None:
    """What a process has stored in its folder: a failure, or a value."""
    for name in (FAILURE, VALUE):
        if (folder / name).exists():
            return folder / name
    return None


def kind_of(ended: Exit) -> str:
    """What has ended a process that was not told to end, as one of `RETRIED`."""
    if ended.stopped in KINDS:
        return KINDS[ended.stopped]
    return "signal" if ended.signal is not None else "exit_code"


def judge(folder: Path, asked: str, ended: Exit, unstored: str = "", overdue: str = "") -> Verdict:
    """The outcome of an attempt whose process is gone.

    Args:
        folder: of the attempt.
        asked: why whoever started it had it stopped, if it was.
        unstored: what kept the process from storing its outcome.
        overdue: a call that took too long, which the program did not catch.
    """
    if overdue:
        return Verdict("TIMEOUT", "timeout", overdue)
    stored = outcome(folder)
    if stored is not None and stored.name == VALUE:
        return Verdict("COMPLETED")
    why = asked or ended.stopped
    if why == "cancelled":
        return Verdict("CANCELLED", "cancelled", "cancelled" + (" (forced)" if ended.signal == 9 else ""))
    if stored is not None:
        return raised(stored)
    if why in KINDS:
        return Verdict("TIMEOUT" if why == "timeout" else "FAILED", KINDS[why], ended.words())
    if why == "worker":
        return Verdict("FAILED", "worker_lost", "worker restarted", cut=True)
    if why == "shim":
        return Verdict("FAILED", "worker_lost", "the process that watches over it was killed", cut=True)
    if why in AWAY:
        return Verdict("FAILED", "worker_lost", ended.words(), cut=True)
    if unstored:
        return Verdict("FAILED", "internal", f"its outcome could not be stored: {unstored}")
    return Verdict("FAILED", kind_of(ended), ended.words())


def raised(stored: Path) -> Verdict:
    """The outcome of an attempt whose program raised the exception that is `stored`."""
    try:
        return Verdict("FAILED", "user_exception", failure.headline(stored.read_bytes()))
    except (OSError, SerializationError, KeyError):  # callers are told when they ask for it
        return Verdict("FAILED", "user_exception", "an exception that cannot be read")


def error_of(status: str, kind: str, about: str) -> Exception:
    """The exception that callers of a run get whose process has left none."""
    statuses = {"TIMEOUT": OperatorTimeout, "CANCELLED": Cancelled}
    return (statuses.get(status) or ENDS.get(kind, WorkerDied))(about)
