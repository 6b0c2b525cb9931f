"""A job as an operator: a call is a run on the worker."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from operator_lib import core
from operator_lib.client import schedules
from operator_lib.client.caller import readable, spoken_name
from operator_lib.client.connect import Connection, connect
from operator_lib.client.manage import Manager
from operator_lib.client.run import RemoteRun
from operator_lib.client.schedules import Schedule
from operator_lib.client.upload import ref, upload
from operator_lib.core import Operator, reach
from operator_lib.engine import call
from operator_lib.engine.events import log_text
from operator_lib.wire import codec
from operator_lib.wire.listing import listed
from operator_lib.wire.proto import common_pb2, deploy_pb2, runs_pb2
from operator_lib.wire.schema import Schema

if TYPE_CHECKING:
    from operator_lib.estimate import Estimate

# Arguments up to this many bytes travel with the submission; larger ones are uploaded first.
INLINE = 1 << 20


class JobHandle(Operator):
    """A latched job. Made by `Operator.from_job` and by `deploy`."""

    def __init__(self, connection: Connection, deployment: deploy_pb2.Deployment) -> None:
        self._connection = connection
        self._name = self.__name__ = deployment.name  # what events and messages call it, as a function
        self._id = deployment.id
        self._take(deployment)

    def _take(self, deployment: deploy_pb2.Deployment) -> None:
        self._schema = Schema.from_json(json.loads(deployment.schema_json or "{}"))
        self._encoders: dict[str, Any] = json.loads(deployment.options_json or "{}")

    @property
    def job(self) -> JobManager:
        """``trigger``, ``logs``, ``schedule``, ``pause``, ``resume``, ``versions``, ``rollback``, ``delete``."""
        return JobManager(self)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._call(args, kwargs) if core.intercept is None else call.afar(self, self._call, args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        method = self._schema.methods.get("")
        kind = method.kind if method is not None else "function"
        run = self._submit(args, kwargs)
        if kind == "coroutine":
            return _await(run)
        if kind == "generator":
            return _items(run)
        if kind == "async_generator":
            return _async_items(run)
        with _ends_with_its_caller(run):
            return run.result()

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        return self(*args, **kwargs)

    def submit(self, /, *args: Any, **kwargs: Any) -> RemoteRun:
        """Start a run; once this returns it survives this process and the worker's death.

        Raises:
            TypeError: the arguments do not fit; nothing has been sent.
        """
        return self._submit(args, kwargs) if core.intercept is None else call.afar(self, self._submit, args, kwargs)

    def _encode(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        method = self._schema.methods.get("")
        names: tuple[str, ...] = ()
        if method is not None:
            method.bind(args, kwargs, spoken_name(self._schema))
            names = tuple(p.name for p in method.params)
        encoder = self._encoders.get("input_encoder", "json")
        return codec.segments_call(args, kwargs, encoder, what=self._schema.name or self._name, names=names)

    def _submit(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, key: str = "", at_most_once: bool = False
    ) -> RemoteRun:
        request = self._request(args, kwargs, key=key, at_most_once=at_most_once)
        state = self._connection.call(self._connection.runs.Submit, request, about=f"job {self._name}")
        return RemoteRun(self._connection, state, self._load)

    def _request(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, key: str = "", at_most_once: bool = False
    ) -> runs_pb2.SubmitRequest:
        """What to send for a run; large arguments are uploaded."""
        segments = self._encode(args, kwargs)
        blob = ref(segments)
        at_most_once = at_most_once or bool(self._encoders.get("at_most_once"))
        # The key makes it safe to say it again when the answer was lost.
        request = runs_pb2.SubmitRequest(
            job=self._name, idempotency_key=key or uuid.uuid4().hex, at_most_once=at_most_once
        )
        if blob.size <= INLINE:
            request.inline = b"".join(segments)
        else:
            upload(self._connection, {blob.sha256: (blob.size, segments)})
            request.blob.CopyFrom(blob)
        return request

    def _load(self, data: Any) -> Any:
        return codec.loads(data, allow=readable(self._encoders))

    def map(
        self,
        inputs: Iterable[Any],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """One call for each input, on processes that the worker lends for as long as the map runs.

        Several inputs share a process, one after another. With ``workers=-1`` there are as many as are useful.
        """
        from operator_lib.client.pool import map_job

        return call.afar(self, map_job, self, inputs, workers, ordered, return_exceptions)

    def runs(self, limit: int = 100) -> list[RemoteRun]:
        """Its latest runs, newest first."""
        request = runs_pb2.ListRunsRequest(job=self._name, limit=limit, results=True)
        found = self._connection.call(self._connection.runs.List, request)
        return listed("runs", [RemoteRun(self._connection, self._whole(state), self._load) for state in found.runs])

    def _whole(self, state: runs_pb2.RunState) -> runs_pb2.RunState:
        """With the exception, where that did not fit into the list."""
        if state.failure.cause != "user_exception" or state.failure.payload:
            return state
        return self._connection.call(self._connection.runs.Get, runs_pb2.GetRunRequest(run_id=state.id))

    def run(self, run_id: str) -> RemoteRun:
        """One of its runs, by id.

        Raises:
            NotFound: there is none.
        """
        request = runs_pb2.GetRunRequest(run_id=run_id)
        return RemoteRun(self._connection, self._connection.call(self._connection.runs.Get, request), self._load)

    def versions(self) -> list[dict[str, Any]]:
        """All versions, oldest first: see `Manager.versions`."""
        return self.job.versions()

    def rollback(self, version: int) -> None:
        """Make an earlier version live again."""
        self.job.rollback(version)

    def dag(self) -> Any:  # type: ignore[override]  # of an instance only
        """The static graph of what is deployed."""
        return self.job.dag()

    def estimate(self, history: Iterable[Any] | None = None, *, workers: int = 2) -> Estimate:
        """How long a run will take, told from its last completed ones, or those of `history`; nothing is run."""
        return reach("client.estimates", "estimate")(self, history, workers)

    def deploy(self, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        raise ValueError("Cannot deploy an operator that is already deployed")

    def __repr__(self) -> str:
        return f"<job {self._name} at {self._connection.address}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return reach("notebook.deployments", "job_bundle")(self)

    def __reduce__(self) -> Any:
        return from_job, (self._name,)


class JobManager(Manager):
    """``h.job``."""

    def __init__(self, handle: JobHandle) -> None:
        super().__init__(handle._connection, handle._name)
        self._handle = handle

    def trigger(self, *args: Any, idempotency_key: str = "", **kwargs: Any) -> RemoteRun:
        """`submit`, with a key: the same key gives the same run, whoever asks and how often."""
        return self._handle._submit(args, kwargs, key=idempotency_key)

    def schedule(
        self,
        cron: str,
        *,
        timezone: str = "UTC",
        inputs: Mapping[str, Any] | None = None,
        grace: float | None = None,
    ) -> Schedule:
        """Start runs by themselves, from now on, whether this program goes on or not.

        Args:
            cron: five fields (minute hour day month weekday), or ``@daily`` and the like.
            timezone: whose clock counts: an IANA name.
            inputs: keyword arguments of every run.
            grace: seconds by which a run may be late, when the worker was away: 60 to 604800; 3600 unless given.
                Several that have come due meanwhile are one run.

        Raises:
            OptionError: an argument is out of range.
            TypeError: the inputs do not fit the job.
        """
        data = b"".join(self._handle._encode((), dict(inputs or {})))
        return schedules.create(self._connection, self.name, cron, data, timezone=timezone, grace=grace)

    def schedules(self) -> list[Schedule]:
        """Its schedules, the oldest first."""
        return listed("schedules", schedules.listed(self._connection, self.name))

    def pause(self) -> list[Schedule]:
        """Let none of its schedules start a run, until `resume`. Runs can still be submitted."""
        return schedules.change(self._connection, "Pause", job=self.name)

    def resume(self) -> list[Schedule]:
        """Let all its schedules start runs again."""
        return schedules.change(self._connection, "Resume", job=self.name)

    def logs(self, follow: bool = False) -> Iterator[str]:
        """What its latest run has printed."""
        latest = self._handle.runs(limit=1)
        return log_text(latest[0].events(follow=follow)) if latest else iter(())


async def _await(run: RemoteRun) -> Any:
    import asyncio

    return await asyncio.wrap_future(run)


@contextlib.contextmanager
def _ends_with_its_caller(run: RemoteRun) -> Generator[None]:
    """Nobody else has a handle of the run: it would go on unseen when the one who waits is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):
            run.cancel()
        raise


def _items(run: RemoteRun) -> Generator[Any, Any, Any]:
    with _ends_with_its_caller(run):
        error = run.exception()
    items = run.result() if error is None else run._items_before_failure()
    if items is None:
        run.result()
        return None
    return (yield from items)


async def _async_items(run: RemoteRun) -> AsyncIterator[Any]:
    import asyncio

    await asyncio.wait([asyncio.wrap_future(run)])
    error = run.exception()
    items: Any = run.result() if error is None else run._items_before_failure()
    if items is None:
        run.result()
        return
    async for item in items:
        yield item


def from_job(
    job_name: str = "", job_id: str = "", *, address: str | None = None, token: str | None = None
) -> JobHandle:
    """`Operator.from_job`."""
    if bool(job_name) == bool(job_id):
        raise ValueError("Either job_name or job_id must be specified")
    connection = connect(address, token)
    request = deploy_pb2.GetRequest(name=job_name, id=job_id, kind=common_pb2.DEPLOYMENT_KIND_JOB)
    return JobHandle(connection, connection.call(connection.deployments.Get, request))
