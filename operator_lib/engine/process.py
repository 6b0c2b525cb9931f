"""What a process of the user's code is told, and what its shim reports: the seam between executors and the runner.

The worker writes a `ProcessSpec` into the process's folder. The shim speaks JSON lines over one socket:

* to the worker: ``{"started": pid}``, ``{"events": last_seq}`` (left out when the worker does not listen),
  ``{"ready": {...}}`` (a replica answers calls now), ``{"going": {...}}`` (it starts no more calls, and ends when those
  it has are answered), ``{"unstored": {...}}`` (there was no room for the outcome),
  ``{"overdue": {...}}`` (the program did not catch that a call of an earlier process took too long),
  ``{"exit": {...}}`` (see `Exit`; the last line);
* to the executor alone: ``{"part": {...}}`` (a process of its own is needed for an operator: see executors/parts.py);
* from the worker: `ProcessSpec.handed`, where there are secrets; ``{"stop": cause, "grace": seconds}`` (SIGTERM, then
  SIGKILL).

The socket is the leash: when the worker dies it closes, and everything below the shim is killed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from operator_lib.engine import clock

# Files in the folder of an attempt. Whichever of `value` and `failure` exists is the outcome: both are written to a
# temporary name, flushed to disk and renamed.
VALUE = "value"
FAILURE = "failure"
# What the functions of a graph have returned: see engine/kept.py.
OUTPUTS = "outputs"
SPEC = "spec.json"
# Which calls a replica has started: see engine/ledger.py.
LEDGER = "ledger"
# What a replica has done of the inputs of a map: see engine/harvest.py.
HARVEST = "harvest"
# The state that a replica leaves to the next one, and that it was left: see runner/snapshots.py.
SNAPSHOT, RESTORED = "snapshot", "restored"
# Until when each call must have ended: see engine/clock.py.
CLOCK = "clock"
# What the functions of a run share, in the folder of the run: see engine/memory.py.
STATE = "state"
# Folders of parts, in that of the process around.
PARTS = "parts"
# In the folder of a part, a pipe by which the process around it hears of it: see executors/parts.py.
HEARD = "heard"
# What its calls have returned, also there: see engine/checkpoints.py.
CHECKPOINTS = "checkpoints"

# A line of log longer than this is split.
LINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process that runs the user's code."""

    kind: str
    """``"run"``, ``"replica"``, ``"part"`` (see runner/part.py) or ``"check"`` (make the operator, nothing else)."""
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
    secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """What must not show in what the process says. Those that `resources` names are variables of its environment, the
    others of other processes of the deployment. Values are not written down with the rest: see `handed`."""
    variables: tuple[str, ...] = ()
    """Of `secrets`, those that are the values of variables of the same name, whatever `env` says."""
    required: tuple[str, ...] = ()
    """Variables that somebody has to give a value before the program is called."""
    timeout: float | None = None
    """Seconds for a run."""
    cpu: float | None = None
    """Processors that it may use at the same time."""
    memory: int = 0
    """Bytes for it and everything below it; 0: no limit."""
    disk: int = 0
    """Bytes in its private folders; 0: no limit."""
    groups: tuple[str, ...] = ()
    """Folders of control groups that hold it to `cpu` and `memory`: see executors/groups.py."""
    cores: tuple[int, ...] = ()
    """The only ones that it may run on, where no group holds it to `cpu`."""
    directory: str = ""
    """Of a process beside the program that has started it: where that is, and so the process."""
    paths: tuple[str, ...] = ()
    """Of such a one: ``sys.path`` of that program. `entry` and `input` are pickles, made for this process alone."""
    resources: dict[str, Any] = field(default_factory=dict[str, Any])
    """The options that it has been given these by: operators inside that ask for others run in parts."""
    operator: str = ""
    """Of a part: path of the operator that runs in it."""
    shared: str = ""
    """Of a part of a run: folder with the state that the functions of the run share."""
    place: str = ""
    """What the executor calls the room that it has for it."""
    host: str = "127.0.0.1"
    token: str = ""
    """That callers of a replica or of a part must show."""
    tls: str = field(default="", repr=False)
    """Key and certificate in PEM with which a replica encrypts; made by the worker, good for as long as it lives."""
    concurrency: int = 1
    restart_on_error: bool = False
    """A replica goes after a failed call."""
    elastic: bool = False
    """Of a replica: there may be more of them soon, or none; calls that wait can be taken back from it."""
    traceparent: str = ""
    """Of a run: the span that what it calls elsewhere belongs to; empty where nobody traces."""
    sampling: str = ""
    """Where spans are told: which traces are kept, see telemetry/trace_context.py."""
    snapshot: float | None = None
    """Of a replica: seconds between snapshots of the object's state; 0: one at the end; None: none."""

    def write(self) -> Path:
        """Write it into its folder, readable by the owner alone; of secrets the names only."""
        path = Path(self.folder) / SPEC
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self) | {"secrets": dict.fromkeys(self.secrets, "")}, file)
        return path

    def handed(self) -> bytes:
        """What whoever starts the process sends over the socket first: the secrets, one line; empty without any."""
        return json.dumps(self.secrets).encode() + b"\n" if self.secrets else b""

    @classmethod
    def read(cls, path: str | Path) -> ProcessSpec:
        with open(path) as file:
            given: dict[str, Any] = json.load(file)
        for name in ("input_codecs", "variables", "required", "groups", "cores", "paths"):
            given[name] = tuple(given[name])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int | None = None
    signal: int | None = None
    stopped: str = ""
    """Why the shim stopped it: ``timeout``, ``memory``, ``disk``, ``cancelled``, ``worker``, or empty.
    ``shim``: that was killed itself; ``node``: the machine that it was on is gone, or lost."""
    peak_rss: int = 0
    """KiB."""
    elapsed: float = 0.0
    last_seq: int = 0
    overdue: str = ""
    """With ``timeout``: path of the operator that ran for too long, `elapsed` seconds of its `limit`."""
    limit: float = 0.0
    blamed: bool = False
    """With ``timeout``: it is noted down which call it was, so the program can be told where it made the call."""
    allowed: int = 0
    """With ``memory`` and ``disk``: bytes that it had."""
    node: str = ""
    """With ``node``: which, and what is known of it, in words."""
    mark: str = ""
    """With ``timeout``, of a replica: which call it was, in hex (see engine/ledger.py)."""

    def words(self) -> str:
        """The cause, for people."""
        if self.stopped == "node":
            return self.node
        if self.stopped in ("memory", "disk"):
            return f"killed: out of {self.stopped} (limit {size(self.allowed)})"
        if self.stopped == "timeout":
            return clock.words(self.overdue, self.elapsed, self.limit)
        if self.signal is not None:
            import signal

            try:
                name = signal.Signals(self.signal).name
            except ValueError:
                name = str(self.signal)
            return f"killed by signal {self.signal} ({name})"
        return f"exit {self.code}"


def size(count: int) -> str:
    """Bytes for people, in the largest unit that they fill.

    >>> size(512 << 20), size(3 << 29)
    ('512 MiB', '1.5 GiB')
    """
    unit, name = (1 << 30, "GiB") if count >= 1 << 30 else (1 << 20, "MiB")
    return f"{count / unit:.4g} {name}"
