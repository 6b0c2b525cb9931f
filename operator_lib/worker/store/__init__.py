"""What survives the worker: deployments, versions, runs and attempts."""

from __future__ import annotations

from operator_lib.worker.store.base import (
    AttemptRow,
    Conflict,
    DeploymentRow,
    KindConflict,
    NewVersion,
    Refused,
    RunRow,
    Store,
    StoreError,
    VersionRow,
)
from operator_lib.worker.store.lock import AlreadyRunning, HomeLock
from operator_lib.worker.store.sqlite import SqliteStore

__all__ = [
    "AlreadyRunning",
    "AttemptRow",
    "Conflict",
    "DeploymentRow",
    "HomeLock",
    "KindConflict",
    "NewVersion",
    "Refused",
    "RunRow",
    "SqliteStore",
    "Store",
    "StoreError",
    "VersionRow",
]
