"""What survives the worker: deployments, versions, runs and attempts."""

from __future__ import annotations

from operator_lib.worker.store.base import (
    Ambiguous,
    AttemptRow,
    Conflict,
    DeploymentRow,
    NewVersion,
    Refused,
    RunRow,
    Store,
    StoreAway,
    StoreError,
    VersionRow,
)
from operator_lib.worker.store.lock import AlreadyRunning, HomeLock
from operator_lib.worker.store.sqlite import SqliteStore

__all__ = [
    "AlreadyRunning",
    "Ambiguous",
    "AttemptRow",
    "Conflict",
    "DeploymentRow",
    "HomeLock",
    "NewVersion",
    "Refused",
    "RunRow",
    "SqliteStore",
    "Store",
    "StoreAway",
    "StoreError",
    "VersionRow",
]
