"""What the worker remembers: rows, refusals, and the seam every store implements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from operator_lib.errors import OperatorError

PENDING, RUNNING = "PENDING", "RUNNING"
TERMINAL = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")
STATUSES = (PENDING, RUNNING, *TERMINAL)


class StoreError(OperatorError, OSError):
    """Nothing of the operation was kept: the disk is full, failing or locked, or the file is not ours."""


class StoreAway(StoreError):
    """The database does not answer. What was to be changed was not kept, unless the words say that it may have been."""


class Conflict(OperatorError, ValueError):
    """The idempotency key was used before with another input."""


class Refused(OperatorError, ValueError):
    """The state of the run or version does not allow it."""


class Ambiguous(OperatorError, ValueError):
    """A job and a serving have that name, and it was not said which is meant."""


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A name on the worker. Times are seconds since the epoch; `live_version` is 0 before the first.

    `replicas` is the number that somebody has said for a serving, None: as many as its options say and its calls need.
    """

    id: str
    name: str
    kind: str  # "job" or "serving"
    live_version: int
    created: float
    updated: float
    deleted: float | None
    replicas: int | None = None
    owner: str = ""  # the worker that has its replicas, where there are several


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One immutable version of a deployment; only `status`, `message` and `env_key` ever change."""

    deployment_id: str
    number: int  # 1, 2, 3 ... without gaps
    fingerprint: str
    python: str
    requirements: str
    manifest: bytes  # a serialised proto, opaque here
    entry_sha256: str
    entry_size: int
    options_json: str
    schema_json: str
    dag_json: str
    created: float
    status: str  # "building", "ready" or "failed"
    message: str
    env_key: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a deploy brings; the store adds number, time and status."""

    fingerprint: str
    python: str = ""
    requirements: str = ""
    manifest: bytes = b""
    entry_sha256: str = ""
    entry_size: int = 0
    options_json: str = "{}"
    schema_json: str = "{}"
    dag_json: str = "{}"
    env_key: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `attempts` counts starts, `crashes` those that the worker's own end cut off.

    Attributes:
        input_ref: "inline" or the SHA-256 of a blob.
        input_inline: None also where it was left out, as `runs` and `recover` do.
        result_size: bytes, -1 without a result.
        done: items finished so far, of a map.
        forgiven: how many of the attempts do not count any more: the run was resumed after them.
        traceparent: the span of who has asked for it, empty where nobody traces.
        owner: the worker that starts it and keeps its history; empty: none does yet, or there is only one.
    """

    id: str
    deployment_id: str
    job: str
    version: int
    kind: str = "run"  # "run" or "map"
    status: str = PENDING
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    crashes: int = 0
    cause_kind: str = ""
    cause: str = ""
    idempotency_key: str = ""
    input_sha256: str = ""
    input_ref: str = "inline"
    input_inline: bytes | None = None
    result_size: int = -1
    at_most_once: bool = False
    cancel_requested: bool = False
    done: int = 0
    forgiven: int = 0
    traceparent: str = ""
    owner: str = ""

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One start of a run; `ended` is None while it is open. `peak_rss` is in bytes."""

    run_id: str
    n: int
    lease: str
    started: float
    ended: float | None
    cause_kind: str
    cause: str
    exit_code: int | None
    signal: int | None
    peak_rss: int | None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One of several workers. What it has is another's when it was silent for `lease` seconds and some more."""

    id: str
    lease: float
    url: str
    grpc_address: str
    silent: float = 0.0  # seconds since it was heard of last, by the clock of the database


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret without its value. Times are seconds since the epoch."""

    name: str
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """When runs of a job start by themselves. Times are seconds since the epoch.

    Attributes:
        grace: seconds by which a run may be late.
        since: all that was due until then is dealt with.
        last: when the last run was due; `last_run` is its id.
        note: what went wrong last, in words.
    """

    id: str
    deployment_id: str
    job: str
    cron: str
    timezone: str
    grace: float
    created: float
    since: float
    paused: bool = False
    last: float | None = None
    last_run: str = ""
    note: str = ""


class Store(Protocol):
    """Where the worker keeps deployments and runs.

    A method that changes something returns when that is durable, and raises `StoreError` when nothing could be kept.
    Reads see every change whose method has returned. They may wait: what was read before may have changed meanwhile.
    """

    async def put_version(
        self,
        name: str,
        kind: str,
        *,
        fingerprint: str,
        python: str = "",
        requirements: str = "",
        manifest: bytes = b"",
        entry_sha256: str = "",
        entry_size: int = 0,
        options_json: str = "{}",
        schema_json: str = "{}",
        dag_json: str = "{}",
        env_key: str = "",
    ) -> tuple[DeploymentRow, VersionRow, bool]: ...
    async def set_version_status(
        self, deployment_id: str, number: int, status: str, message: str = "", env_key: str | None = None
    ) -> VersionRow: ...
    async def make_live(self, deployment_id: str, number: int) -> DeploymentRow: ...
    async def set_replicas(self, deployment_id: str, count: int | None) -> None: ...
    async def delete_deployment(self, name: str, kind: str | None = None) -> DeploymentRow: ...
    async def submit_run(self, row: RunRow) -> tuple[RunRow, bool]: ...
    async def start_attempt(self, run_id: str, lease: str, owner: str = "") -> int: ...
    async def finish_run(
        self,
        run_id: str,
        lease: str,
        status: str,
        cause_kind: str = "",
        cause: str = "",
        result_size: int = -1,
        exit_code: int | None = None,
        signal: int | None = None,
        peak_rss: int | None = None,
    ) -> bool: ...
    async def close_run(
        self, run_id: str, status: str, cause_kind: str = "", cause: str = "", result_size: int = -1, owner: str = ""
    ) -> bool: ...
    async def requeue(
        self,
        run_id: str,
        lease: str,
        cause_kind: str,
        cause: str,
        crash: bool,
        exit_code: int | None = None,
        signal: int | None = None,
        peak_rss: int | None = None,
    ) -> bool: ...
    async def reopen(self, run_id: str, owner: str = "") -> bool: ...
    async def request_cancel(self, run_id: str) -> RunRow: ...
    async def update_map(self, run_id: str, done: int) -> None: ...
    async def recover(self, owner: str = "") -> list[RunRow]: ...
    async def join(self, worker: WorkerRow) -> None: ...
    async def leave(self, worker: str) -> None: ...
    async def take_over(self, worker: str) -> list[RunRow]: ...
    async def claim(self, worker: str, count: int) -> list[str]: ...
    async def unclaimed(self, most: int) -> int: ...
    async def claim_run(self, worker: str, run_id: str) -> bool: ...
    async def release(self, worker: str, ids: list[str]) -> None: ...
    async def hold(self, worker: str, deployment_id: str) -> bool: ...
    async def belongs(self, home: str, moves: bool = False) -> None: ...
    async def forget_runs(self, ids: list[str]) -> list[str]: ...
    async def identify(self) -> str: ...
    async def put_secret(self, name: str, sealed: bytes) -> None: ...
    async def remove_secret(self, name: str) -> bool: ...
    async def put_schedule(self, row: ScheduleRow, data: bytes, key: str = "") -> ScheduleRow: ...
    async def advance_schedule(self, before: float, row: ScheduleRow) -> None: ...
    async def pause_schedule(self, schedule_id: str, paused: bool, now: float) -> None: ...
    async def remove_schedule(self, schedule_id: str) -> None: ...
    def close(self) -> None: ...
    @property
    def shared(self) -> bool: ...

    async def deployment(
        self, name: str | None = None, id: str | None = None, kind: str | None = None
    ) -> DeploymentRow | None: ...
    async def deployments(self, kind: str | None = None) -> list[DeploymentRow]: ...
    async def version(self, deployment_id: str, number: int) -> VersionRow | None: ...
    async def versions(self, deployment_id: str) -> list[VersionRow]: ...
    async def run(self, run_id: str) -> RunRow | None: ...
    async def worker(self, worker: str) -> WorkerRow | None: ...
    async def runs(
        self,
        job: str | None = None,
        status: str | None = None,
        limit: int = 100,
        before: str | None = None,
        text: str | None = None,
    ) -> list[RunRow]: ...
    async def expired_runs(self, oldest: float | None, keep: int | None, settled: float, limit: int) -> list[str]: ...
    async def known_runs(self, ids: list[str]) -> set[str]: ...
    async def kept_versions(self, since: float) -> list[VersionRow]: ...
    async def run_inputs(self) -> set[str]: ...
    async def run_by_key(self, deployment_id: str, key: str) -> str | None: ...
    async def attempts(self, run_id: str) -> list[AttemptRow]: ...
    async def counts_by_job(self) -> dict[str, dict[str, int]]: ...
    async def counts(self) -> dict[str, int]: ...
    async def count(self, job: str, status: str) -> int: ...
    async def secrets(self) -> list[SecretRow]: ...
    async def sealed_secret(self, name: str) -> bytes | None: ...
    async def schedules(self, deployment_id: str | None = None) -> list[ScheduleRow]: ...
    async def schedule(self, schedule_id: str) -> ScheduleRow | None: ...
    async def schedule_input(self, schedule_id: str) -> bytes: ...
