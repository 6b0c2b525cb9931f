"""What came of a process: the status of its run, and the cause in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from operator_lib.engine.process import FAILURE, VALUE, Exit
from operator_lib.errors import Cancelled, OperatorTimeout, OutOfMemory, WorkerDied
from operator_lib.worker.store.base import RunRow

# A run that was cut off this often by the worker's own death is set aside.
MAX_CUTS = 3
# Failures of the user's code that end its process: tried again as `retries` says.
RETRIED = frozenset({"exit_code", "signal", "oom", "disk", "timeout"})


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


def judge(folder: Path, asked: str, ended: Exit, unstored: str = "", overdue: str = "") -> Verdict:
    """The outcome of an attempt whose process is gone.

    Args:
        folder: of the attempt.
        asked: why the worker had it stopped, if it had.
        unstored: what kept the process from storing its outcome.
        overdue: a call of an earlier process that took too long, which the program did not catch.
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
        return Verdict("FAILED", "user_exception")
    if why == "timeout":
        who = f"{ended.overdue} " if ended.overdue else ""
        return Verdict("TIMEOUT", "timeout", f"{who}ran for {ended.elapsed:.1f} s, the limit is {ended.limit:g} s")
    if why in ("memory", "disk"):
        return Verdict("FAILED", "oom" if why == "memory" else "disk", ended.words())
    if why == "worker":
        return Verdict("FAILED", "worker_lost", "worker restarted", cut=True)
    if why == "shim":
        return Verdict("FAILED", "worker_lost", "the process that watches over it was killed", cut=True)
    if unstored:
        return Verdict("FAILED", "internal", f"its outcome could not be stored: {unstored}")
    return Verdict("FAILED", "signal" if ended.signal is not None else "exit_code", ended.words())


def after_restart(row: RunRow, stored: Path | None) -> Verdict | None:
    """How a run that the last worker left open has ended, with the outcome that it `stored`; None: it starts again."""
    if row.kind != "run":
        return Verdict("FAILED", "worker_lost", "worker restarted")
    if stored is not None:
        return Verdict("COMPLETED") if stored.name == VALUE else Verdict("FAILED", "user_exception")
    if row.cancel_requested:
        return Verdict("CANCELLED", "cancelled", "cancelled; the worker restarted meanwhile")
    if row.attempts and row.at_most_once:
        return Verdict("FAILED", "worker_lost", "worker restarted (at_most_once: not started again)")
    if row.crashes >= MAX_CUTS:
        return Verdict("FAILED", "worker_lost", f"the worker died {row.crashes} times while it ran")
    return None


def as_error(row: RunRow) -> Exception:
    """The exception that callers of a run get when its process has left none."""
    about = f"run {row.id} of {row.job}: {row.cause or row.status.lower()}"
    if row.cause_kind == "oom":
        return OutOfMemory(about)
    kinds = {"TIMEOUT": OperatorTimeout, "CANCELLED": Cancelled}
    return kinds.get(row.status, WorkerDied)(about)
