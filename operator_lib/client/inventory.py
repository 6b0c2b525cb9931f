"""What is on a worker, as plain data: its deployments, its runs, itself; and handles for any of them by name."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from operator_lib import decisions
from operator_lib.client import job, serving
from operator_lib.client.connect import Connection
from operator_lib.client.manage import ServingManager
from operator_lib.client.run import RemoteRun, failed, follow_events
from operator_lib.core import reach
from operator_lib.decisions import Decision
from operator_lib.engine import outcome
from operator_lib.engine.events import TERMINAL, Event
from operator_lib.errors import OptionError
from operator_lib.trace.dag import DAG
from operator_lib.wire import codec
from operator_lib.wire.proto import common_pb2, deploy_pb2, runs_pb2

# Stored values up to this many bytes are shown.
SHOWN = 1 << 20
KINDS = {common_pb2.DEPLOYMENT_KIND_JOB: "job", common_pb2.DEPLOYMENT_KIND_SERVING: "serving"}
KIND_NUMBERS = {name: number for number, name in KINDS.items()}


@dataclass(frozen=True, slots=True)
class DeploymentInfo:
    """A named thing on a worker. Times are seconds since the epoch."""

    name: str
    kind: str
    """``job`` or ``serving``."""
    id: str
    version: int
    versions: int
    status: str
    """``ready``, ``starting``, ``degraded`` or ``failed``."""
    replicas: int
    """Processes that answer calls; 0 for a job."""
    running: int
    """Runs going on."""
    waiting: int
    """Runs waiting to be started."""
    created: float
    updated: float
    url: str = ""
    python: str = ""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One execution of a job. Times are seconds since the epoch, None where that has not happened yet."""

    id: str
    job: str
    version: int
    status: str
    created: float
    started: float | None
    ended: float | None
    attempts: int
    cause: str = ""
    """In words, while it waits or after it has failed."""

    @property
    def duration(self) -> float | None:
        """Seconds since it started, until now or until it ended."""
        return None if self.started is None else (self.ended or time.time()) - self.started

    @property
    def ended_well(self) -> bool:
        return self.status == "COMPLETED"

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with what became of it."""

    info: RunInfo
    error: BaseException | None = field(default=None, compare=False)
    """What `Run.result` raises, when it has failed."""
    operator_path: str = ""
    """Path of the operator that raised it."""
    has_value: bool = False
    """Whether `value` is the result; it is left out when large, or pickled."""
    value: Any = None
    result_size: int = -1
    """Bytes of the stored result, -1 without one."""
    dag: DAG | None = field(default=None, compare=False)
    """The program with the status of every node."""
    decisions: tuple[Decision, ...] = ()
    """How its conditions, loops and handlers went, in order."""
    way: tuple[Decision, ...] = ()
    """Those of the call that failed, and of the calls around it."""


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker about itself."""

    version: str
    python: str
    pid: int
    url: str
    grpc_address: str
    home: str
    started: float
    pythons: tuple[str, ...]
    running: int
    queued: int


def worker(connection: Connection) -> WorkerInfo:
    """The worker at the other end."""
    found = connection.call(connection.deployments.Info, deploy_pb2.InfoRequest())
    return WorkerInfo(
        version=found.version,
        python=found.python,
        pid=found.pid,
        url=found.url,
        grpc_address=found.grpc_address,
        home=found.home,
        started=found.started,
        pythons=tuple(found.pythons),
        running=found.running,
        queued=found.queued,
    )


def deployments(connection: Connection) -> list[DeploymentInfo]:
    """Everything that is deployed, by name."""
    listed = connection.call(connection.deployments.List, deploy_pb2.ListRequest()).deployments
    infos = [describe(found) for found in listed if found.version]
    return sorted(infos, key=lambda info: info.name)


def describe(found: deploy_pb2.Deployment) -> DeploymentInfo:
    """A deployment as plain data."""
    return DeploymentInfo(
        name=found.name,
        kind=KINDS.get(found.kind, "job"),
        id=found.id,
        version=found.version,
        versions=len(found.versions),
        status=found.status,
        replicas=sum(replica.status == "ready" for replica in found.replicas),
        running=found.running,
        waiting=found.waiting,
        created=found.created,
        updated=found.updated,
        url=found.url,
        python=found.python,
    )


def latch(connection: Connection, name: str) -> job.JobHandle | serving.ServingHandle:
    """A handle on the deployment of that name, whichever kind it is; ``job:name`` or ``serving:name`` says which.

    Raises:
        NotFound: there is none.
        OptionError: a job and a serving have the name.
    """
    kind, _, name = name.rpartition(":")
    wanted = KIND_NUMBERS.get(kind, common_pb2.DEPLOYMENT_KIND_UNSPECIFIED)
    try:
        found = connection.call(connection.deployments.Get, deploy_pb2.GetRequest(name=name, kind=wanted))
    except OptionError:
        raise OptionError(f"{name!r} is both a job and a serving: say job:{name} or serving:{name}") from None
    if found.kind == common_pb2.DEPLOYMENT_KIND_SERVING:
        return serving.latch(connection, found)
    return job.JobHandle(connection, found)


def manager(connection: Connection, name: str) -> job.JobManager | ServingManager:
    """What can be done to the deployment of that name besides calling it."""
    handle = latch(connection, name)
    return handle.job if isinstance(handle, job.JobHandle) else handle.serving


def parameters(handle: Any, method: str = "") -> tuple[tuple[str, str], ...]:
    """Names and annotations (source text) of the parameters of a handle, or of one of its methods."""
    found = handle._schema.methods.get(method)
    return () if found is None else tuple((param.name, param.annotation) for param in found.params)


def runs(connection: Connection, name: str = "", *, status: str = "", limit: int = 20) -> list[RunInfo]:
    """The latest runs, newest first; of one job, or in one state.

    Raises:
        NotFound: there is no job of that name.
    """
    if name:
        request = deploy_pb2.GetRequest(name=name, kind=common_pb2.DEPLOYMENT_KIND_JOB)
        connection.call(connection.deployments.Get, request)
    request = runs_pb2.ListRunsRequest(job=name, status=status, limit=limit)
    return [_run(state) for state in connection.call(connection.runs.List, request).runs]


def _run(state: runs_pb2.RunState) -> RunInfo:
    return RunInfo(
        id=state.id,
        job=state.job,
        version=state.version,
        status=runs_pb2.RunStatus.Name(state.status),
        created=state.created,
        started=state.started or None,
        ended=state.ended or None,
        attempts=state.attempts,
        cause=state.cause or state.failure.message,
    )


def run(connection: Connection, run_id: str) -> RunInfo:
    """One run as it stands.

    Raises:
        NotFound: there is none of that id.
    """
    return _run(_state(connection, run_id))


def run_handle(connection: Connection, run_id: str) -> RemoteRun:
    """One run as a future. It reads JSON results only: for others latch on to its job."""
    return RemoteRun(connection, _state(connection, run_id), codec.loads)


def _state(connection: Connection, run_id: str) -> runs_pb2.RunState:
    return connection.call(connection.runs.Get, runs_pb2.GetRunRequest(run_id=run_id))


def run_detail(connection: Connection, run_id: str) -> RunDetail:
    """One run with its failure or value, and its graph with the status of every node.

    Raises:
        NotFound: there is none of that id.
    """
    state = _state(connection, run_id)
    info = _run(state)
    error = failed(state) if info.over and not info.ended_well else None
    has_value, value = _value(state) if info.ended_well else (False, None)
    seen = list(events(connection, run_id))
    return RunDetail(
        info=info,
        error=error,
        operator_path=str(getattr(error, "operator_path", "")),
        has_value=has_value,
        value=value,
        result_size=state.result_size,
        dag=overlaid(static_dag(connection, info.job, info.version), seen),
        decisions=tuple(decisions.read(seen)),
        way=tuple(decisions.way_to_failure(seen)) if error is not None else (),
    )


def _value(state: runs_pb2.RunState) -> tuple[bool, Any]:
    """The result, where it is JSON and small: a pickle is read only by who asks for the result itself."""
    if not state.result or len(state.result) > SHOWN:
        return False, None
    try:
        value = outcome.read(state.result, codec.loads)
        return True, list(value) if isinstance(value, Iterator) else value
    except Exception:
        return False, None


def events(
    connection: Connection, name: str, *, follow: bool = False, after: int = 0, kinds: Collection[str] = ()
) -> Iterator[Event]:
    """The history of a run, or what the replicas of a serving have printed: see `operator_lib.engine.events`."""
    return follow_events(connection, name, follow, after, kinds=kinds)


def logs(connection: Connection, name: str, *, follow: bool = False) -> Iterator[Event]:
    """Log events of a run, of the latest run of a job, or of a serving.

    Raises:
        NotFound: nothing of that id or name.
    """
    known = {d.name: d.kind for d in deployments(connection)}
    if known.get(name) == "job":
        latest = runs(connection, name, limit=1)
        return follow_events(connection, latest[0].id, follow, 0, kinds=("log",)) if latest else iter(())
    return follow_events(connection, name, follow, 0, kinds=("log",))


def static_dag(connection: Connection, name: str, version: int = 0) -> DAG | None:
    """The graph that a version was deployed with, or None without one."""
    from operator_lib.errors import NotFound

    try:
        found = connection.call(
            connection.deployments.Get,
            deploy_pb2.GetRequest(name=name, version=version, kind=common_pb2.DEPLOYMENT_KIND_JOB),
        )
    except NotFound:  # the deployment is gone, its runs are still there
        return None
    return DAG.from_json(found.dag_json) if found.dag_json else None


def overlaid(dag: DAG | None, seen: list[Event]) -> DAG | None:
    """`dag` with the status that the events of a run give its nodes."""
    return None if dag is None else reach("trace.overlay", "overlay")(dag, seen)


def plain_json(value: Any) -> Any:
    """A value in terms of JSON alone, as an HTTP caller gets it.

    Raises:
        SerializationError: it has no such form.
    """
    return codec.to_json(value)
