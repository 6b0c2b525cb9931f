"""The changes of status in the histories of runs. The worker adds them, while no process of the run writes there."""

from __future__ import annotations

import logging
import time
from collections.abc import Container
from typing import Any

from operator_lib.worker import history
from operator_lib.worker.ids import made
from operator_lib.worker.places import Places
from operator_lib.worker.store.base import PENDING, RunRow

log = logging.getLogger("operator_lib.worker")


class Chronicle:
    """Of the runs of one worker.

    A run that waits has no files: making them costs more than all else about accepting it. Its history begins when it
    goes on, or when somebody reads it.

    Args:
        maps: runs that begin without having waited.
    """

    def __init__(self, where: Places, maps: Container[str]) -> None:
        self._places = where
        self._maps = maps

    def tell(self, run_id: str, status: str, attempt: int, cause: str) -> None:
        """Add a change."""
        event = _event(time.time(), status, attempt)
        if cause:
            event["cause"] = cause
        path, first = self._places.events(run_id), None if run_id in self._maps else _first(run_id)
        try:
            try:
                history.append(path, event, first)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                history.append(path, event, first)
        except OSError as problem:
            _unwritten(run_id, problem)

    def begin(self, row: RunRow) -> None:
        """Somebody is about to read."""
        path = self._places.events(row.id)
        if row.kind != "run" or row.status != PENDING or path.exists():
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            history.begin(path, _first(row.id))
        except OSError as problem:
            _unwritten(row.id, problem)


def _unwritten(run_id: str, problem: OSError) -> None:
    """The store has the status; the story of it can wait for room on the disk."""
    log.warning("run %s: history not written: %s", run_id, problem)


def _first(run_id: str) -> dict[str, Any]:
    return _event(made(run_id), PENDING, 0)


def _event(t: float, status: str, attempt: int) -> dict[str, Any]:
    return {"kind": "status", "t": t, "status": status, "attempt": attempt}
