"""What a process of the user's code is told, and what its shim reports: the seam between executors and the runner.

The worker writes a `ProcessSpec` into the process's folder. The shim speaks JSON lines over one socket:

* to the worker: ``{"started": pid}``, ``{"events": last_seq}`` (left out when the worker does not listen),
  ``{"ready": {...}}`` (a replica answers calls now), ``{"unstored": {...}}`` (there was no room for the outcome),
  ``{"exit": {...}}`` (see `Exit`; the last line);
* from the worker: ``{"stop": cause, "grace": seconds}`` (SIGTERM, then SIGKILL).

The socket is the leash: when the worker dies it closes, and everything below the shim is killed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Files in the folder of an attempt. Whichever of `value` and `failure` exists is the outcome: both are written to a
# temporary name, flushed to disk and renamed.
VALUE = "value"
FAILURE = "failure"
SPEC = "spec.json"
# Which calls a replica has started: see engine/ledger.py.
LEDGER = "ledger"
# Until when each call must have ended: see engine/clock.py.
CLOCK = "clock"
# What the functions of a run share, in the folder of the run: see engine/memory.py.
STATE = "state"

# A line of log longer than this is split.
LINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process that runs the user's code."""

    kind: str
    """``"run"``, ``"replica"``, or ``"check"`` (make the operator, nothing else)."""
    id: str
    """Of the run or the replica."""
    name: str
    """Of the deployment."""
    folder: str
    """Private to this process; holds `SPEC`, `VALUE`, `FAILURE`, ``work`` (current directory) and ``tmp``."""
    source: str
    """The version's files; first on ``sys.path``."""
    entry: str
    """File with the operator: see operator_lib.package.entry."""
    events: str
    """File that events are appended to."""
    version: int = 0
    """Of the deployment."""
    attempt: int = 1
    input: str = ""
    """File with the encoded arguments of a run."""
    input_codecs: tuple[str, ...] = ("json",)
    output_codec: str = "json"
    env: dict[str, str] = field(default_factory=dict[str, str])
    timeout: float | None = None
    """Seconds for a run."""
    host: str = "127.0.0.1"
    token: str = ""
    """That callers of a replica must show."""
    concurrency: int = 1

    def write(self) -> Path:
        """Write it into its folder, readable by the owner alone."""
        path = Path(self.folder) / SPEC
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        return path

    @classmethod
    def read(cls, path: str | Path) -> ProcessSpec:
        with open(path) as file:
            given: dict[str, Any] = json.load(file)
        given["input_codecs"] = tuple(given["input_codecs"])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int | None = None
    signal: int | None = None
    stopped: str = ""
    """Why the shim stopped it: ``timeout``, ``cancelled``, ``worker``, or empty."""
    peak_rss: int = 0
    """KiB."""
    elapsed: float = 0.0
    last_seq: int = 0
    overdue: str = ""
    """With ``timeout``: path of the operator that ran for too long, `elapsed` seconds of its `limit`."""
    limit: float = 0.0

    def words(self) -> str:
        """The cause, for people."""
        if self.signal is not None:
            import signal

            try:
                name = signal.Signals(self.signal).name
            except ValueError:
                name = str(self.signal)
            return f"killed by signal {self.signal} ({name})"
        return f"exit {self.code}"
