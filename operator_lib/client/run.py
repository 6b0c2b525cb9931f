"""A run on a worker, as a future: one stream per worker tells all of them how they fare."""

from __future__ import annotations

import functools
import queue
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import InvalidStateError
from typing import Any

import grpc

from operator_lib import core
from operator_lib.client.connect import AWAY, Connection, code_of, gone, pause
from operator_lib.engine import kept, outcome
from operator_lib.engine.events import TERMINAL, Event, from_lines
from operator_lib.engine.run import Run
from operator_lib.errors import NotFound, WorkerDied
from operator_lib.wire import failure
from operator_lib.wire.proto import common_pb2, deploy_pb2, runs_pb2

# Seconds without a worker after which its runs are reported as unreachable here. They go on over there.
PATIENCE = 300.0


class RemoteRun(Run):
    """A run on a worker. It goes on when this process ends; latch on to it again by its id."""

    def __init__(self, connection: Connection, state: runs_pb2.RunState, load: Callable[[Any], Any]) -> None:
        super().__init__()
        self.id = state.id
        self.job = state.job
        self._connection = connection
        self._load = load
        self._seen = state
        if not self._update(state):
            watcher(connection).add(self)

    @property
    def status(self) -> str:
        return runs_pb2.RunStatus.Name(self._seen.status)

    @property
    def attempts(self) -> int:
        return self._seen.attempts

    @property
    def version(self) -> int:
        """The version of the job that it runs."""
        return self._seen.version

    def cancel(self) -> bool:
        """Ask the worker to end it; False when it has ended already."""
        if self.done():
            return self.cancelled()
        request = runs_pb2.CancelRequest(run_id=self.id)
        state = self._connection.call(self._connection.runs.Cancel, request, about=f"cancel {self.id}")
        return state.status in (runs_pb2.PENDING, runs_pb2.RUNNING, runs_pb2.CANCELLED)

    def resume(self) -> Run:
        """Start it again as the same run, of the same version: what it had finished is not done again.

        Attempts and events are counted on. Returns itself, which waits for the new end.

        Raises:
            ValueError: it has COMPLETED, or has not ended.
        """
        request = runs_pb2.ResumeRequest(run_id=self.id, key=uuid.uuid4().hex)
        state = self._connection.call(self._connection.runs.Resume, request, about=f"resume {self.id}")
        with self._condition:
            if self.done():
                self._state, self._result, self._exception = "PENDING", None, None
        if not self._update(state):
            watcher(self._connection).add(self)
        return self

    def replay(self, from_node: str | None = None, code: Any = None, inputs: Any = None) -> RemoteRun:
        """A new run that takes over what this one has finished, but for what depends on a change. This one stays.

        Args:
            from_node: path of an operator (or id of a node of the graph): it, and what began after it, runs again.
            code: a version number of the job, or a deployed job; by default the live version.
            inputs: other arguments: a dict of keyword arguments, a tuple of positional ones, or the only one.

        Raises:
            NotFound: no such version or node.
            TypeError: the arguments do not fit.
        """
        return core.reach("client.replay", "replay")(self._connection, self, from_node, code, inputs)

    def events(self, follow: bool = True, after: int = 0) -> Iterator[Event]:
        return follow_events(self._connection, self.id, follow, after)

    def logs(self, follow: bool = False) -> Iterator[str]:
        events = follow_events(self._connection, self.id, follow, 0, kinds=("log",))
        return (event["text"] for event in events)

    def _static_dag(self) -> Any:
        from operator_lib.trace.dag import DAG

        request = deploy_pb2.GetRequest(name=self.job, version=self.version, kind=common_pb2.DEPLOYMENT_KIND_JOB)
        found = self._connection.call(self._connection.deployments.Get, request)
        return DAG.from_json(found.dag_json)

    # --- what the watcher tells ------------------------------------------------------------------------------------

    def _update(self, state: runs_pb2.RunState) -> bool:
        """Take in a new state; True when it is the last."""
        self._seen = state
        if self.status not in TERMINAL:
            return False
        try:
            if state.status == runs_pb2.COMPLETED:
                self.set_result(self._value(state))
            elif state.status == runs_pb2.CANCELLED:
                super().cancel()
                self.set_running_or_notify_cancel()
            else:
                self.set_exception(failed(state))
        except InvalidStateError:
            pass
        except BaseException as error:  # the value cannot be fetched or decoded here
            self.set_exception(error)
        return True

    def _value(self, state: runs_pb2.RunState) -> Any:
        return outcome.read(state.result or self._download(), self._load)

    def _of_functions(self) -> dict[str, Callable[[], list[Any]]]:
        found = kept.read(self._download(outputs=True))
        return {name: functools.partial(function.values, self._load) for name, function in found.items()}

    def _download(self, *, outputs: bool = False) -> bytearray:
        """The stored value, or outputs, piece by piece; a broken connection is taken up again."""
        data = bytearray()
        for attempt in range(8):
            request = runs_pb2.ResultRequest(run_id=self.id, offset=len(data), outputs=outputs)
            try:
                for chunk in self._connection.stream(self._connection.runs.Result, request, about=f"run {self.id}"):
                    data += chunk.data
            except ConnectionError:
                if attempt == 7:
                    raise
                time.sleep(pause(attempt))
            else:
                break
        return data

    def _items_before_failure(self) -> Iterator[Any] | None:
        """The items of a generator that failed half-way, and then its exception; None for other runs."""
        if self._seen.status != runs_pb2.FAILED or self._seen.result_size < 0:
            return None
        return outcome.read(self._download(), self._load)


def failed(state: runs_pb2.RunState) -> BaseException:
    """The exception of a run that failed."""
    if state.failure.payload:
        error = failure.decode_failure(state.failure.payload)
        if getattr(error, "run_id", None) is None:
            error.run_id = state.id  # type: ignore[attr-defined]
        error.add_note(_next_step(state.id, getattr(error, "operator_path", "")))
        return error
    if state.failure.cause == "not_found":
        return NotFound(state.failure.message)
    return WorkerDied(f"run {state.id} of {state.job}: {state.failure.message or state.cause}")


def _next_step(run_id: str, path: str) -> str:
    """What stands below the traceback."""
    stopped = f"Run {run_id} stopped{f' at {path}' if path else ''}. What it had finished is stored"
    again = f"job.run({run_id!r}).replay()        # or: operator-lib replay {run_id}"
    return f"\n{stopped}: mend the code, deploy it, and go on with\n    {again}"


def follow_events(
    connection: Connection, name: str, follow: bool, after: int, *, kinds: Collection[str] = ()
) -> Iterator[Event]:
    """Events of a run or a serving from number `after` on, without gap or repeat over broken connections."""
    attempt = 0
    while True:
        request = runs_pb2.EventsRequest(run_id=name, after_seq=after, follow=follow, kinds=kinds)
        try:
            for batch in connection.stream(connection.runs.Events, request, about=name):
                for event in from_lines(batch.lines):
                    after = max(after, event["seq"])
                    attempt = 0
                    yield event
            return
        except ConnectionError:
            attempt += 1
            if attempt > 8:
                raise
            time.sleep(pause(attempt))


class Watcher:
    """One stream to a worker on which all runs of this process that have not ended are watched."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runs: dict[str, list[RemoteRun]] = {}  # somebody may have several handles of one run
        self._lock = threading.Lock()
        self._asked: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, run: RemoteRun) -> None:
        with self._lock:
            handles = self._runs.setdefault(run.id, [])
            handles.append(run)
            if self._thread is None:
                self._asked = queue.SimpleQueue()
                self._thread = threading.Thread(target=self._work, name="operator-runs", daemon=True)
                self._thread.start()
            elif len(handles) == 1:
                self._asked.put(run.id)

    def _work(self) -> None:
        lost: float | None = None
        attempt = 0
        while True:
            with self._lock:
                if not self._runs:
                    self._thread = None
                    return
                known = list(self._runs)
                asked = self._asked = queue.SimpleQueue()
            try:
                stream = self._connection.runs.Watch(_requests(known, asked), metadata=self._connection.metadata)
                for state in stream:
                    lost, attempt = None, 0
                    self._take(state)
            except grpc.RpcError as error:
                if gone(error) and self._connection.follow():
                    continue
                if code_of(error) not in AWAY:
                    self._fail(self._connection.translate(error))
                    continue
            finally:
                asked.put(None)
            lost = lost or time.monotonic()
            if time.monotonic() - lost > PATIENCE:
                self._fail(ConnectionError(f"no worker at {self._connection.address} for {PATIENCE:.0f} s"))
            attempt += 1
            time.sleep(min(pause(attempt), 1.0))

    def _take(self, state: runs_pb2.RunState) -> None:
        over = runs_pb2.RunStatus.Name(state.status) in TERMINAL
        with self._lock:
            handles = self._runs.pop(state.id, []) if over else list(self._runs.get(state.id, ()))
        for run in handles:
            run._update(state)

    def _fail(self, error: Exception) -> None:
        with self._lock:
            runs, self._runs = self._runs, {}
        for run in (run for handles in runs.values() for run in handles):
            if not run.done():
                run.set_exception(error)


def _requests(known: list[str], asked: queue.SimpleQueue[str | None]) -> Iterator[runs_pb2.WatchRequest]:
    if known:
        yield runs_pb2.WatchRequest(run_ids=known)
    while (run_id := asked.get()) is not None:
        yield runs_pb2.WatchRequest(run_ids=[run_id])


_watchers: dict[int, Watcher] = {}
_watchers_lock = threading.Lock()


def watcher(connection: Connection) -> Watcher:
    """The watcher of a connection."""
    with _watchers_lock:
        found = _watchers.get(id(connection))
        if found is None:
            found = _watchers[id(connection)] = Watcher(connection)
        return found
