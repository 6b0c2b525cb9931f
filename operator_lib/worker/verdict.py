"""How a run ends that has no process any more, and what its callers get."""

from __future__ import annotations

from pathlib import Path

from operator_lib.engine.process import VALUE
from operator_lib.engine.verdict import Verdict, error_of, raised
from operator_lib.worker.store.base import RunRow

# A run that was cut off this often by the worker's own death is set aside.
MAX_CUTS = 3


def after_restart(row: RunRow, stored: Path | None) -> Verdict | None:
    """How a run that the last worker left open has ended, with the outcome that it `stored`; None: it starts again."""
    if row.kind != "run":
        return Verdict("FAILED", "worker_lost", "worker restarted")
    if stored is not None:
        return Verdict("COMPLETED") if stored.name == VALUE else raised(stored)
    if row.cancel_requested:
        return Verdict("CANCELLED", "cancelled", "cancelled; the worker restarted meanwhile")
    if row.attempts and row.at_most_once:
        return Verdict("FAILED", "worker_lost", "worker restarted (at_most_once: not started again)")
    if row.crashes >= MAX_CUTS:
        return Verdict("FAILED", "worker_lost", f"the worker died {row.crashes} times while it ran")
    return None


def as_error(row: RunRow) -> Exception:
    """The exception that callers of a run get when its process has left none."""
    return error_of(row.status, row.cause_kind, f"run {row.id} of {row.job}: {row.cause or row.status.lower()}")
