"""A map over a job: processes on loan from the worker, each fed with a little more than it can do at once."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import grpc

from operator_lib.client.session import LOST, Closed, Session
from operator_lib.engine.map import bounded, check_workers
from operator_lib.errors import WorkerDied
from operator_lib.wire import failure
from operator_lib.wire.proto import runs_pb2
from operator_lib.wire.proto import serving_pb2 as pb

if TYPE_CHECKING:
    from operator_lib.client.job import JobHandle

# Processes when the caller leaves the number to us: more are asked for while items take longer than SLOW seconds.
FIRST = 2
MOST = 64
SLOW = 0.05
# A process is given so much that it is busy for about this many seconds, and at most so many items.
AHEAD = 0.005
MOST_AHEAD = 128


def map_job(
    handle: JobHandle, inputs: Iterable[Any], workers: int, ordered: bool, return_exceptions: bool
) -> list[Any]:
    """`JobHandle.map`."""
    adaptive = workers == -1
    most = MOST if adaptive else check_workers(workers)
    total = len(inputs) if hasattr(inputs, "__len__") else None  # type: ignore[arg-type]
    source = iter(inputs)
    try:
        first = next(source)  # nothing to do starts nothing
    except StopIteration:
        return []
    pool = Pool(handle, min(FIRST, total or FIRST) if adaptive else min(most, total or most), most, adaptive)

    def all_inputs() -> Iterator[Any]:
        yield first
        yield from source

    try:
        # Far enough ahead to keep every process fed, and no further: a generator is not drained into memory.
        window = 4 * MOST_AHEAD if adaptive else most * MOST_AHEAD
        results = list(bounded(pool.submit, all_inputs(), window, ordered, return_exceptions, total))
    except BaseException:
        pool.close(completed=False)
        raise
    pool.close(completed=True)
    return results


class _Item:
    """One input on its way."""

    __slots__ = ("future", "segments", "sent")

    def __init__(self, segments: list[Any], future: Future[Any]) -> None:
        self.segments = segments
        self.future = future
        self.sent = 0.0


class _Seat:
    """A process and what it has been given."""

    __slots__ = ("flight", "pace", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.flight: deque[_Item] = deque()
        self.pace = 1.0  # items it may have at a time


class Pool:
    """Processes on loan, and the items that wait for them."""

    def __init__(self, handle: JobHandle, first: int, most: int, adaptive: bool) -> None:
        self.handle = handle
        self.most = most
        self.adaptive = adaptive
        self.wanted = first
        self.waiting: deque[_Item] = deque()
        self.seats: dict[str, _Seat] = {}
        self.lock = threading.Lock()
        self.error: BaseException | None = None
        self.closed = False
        self._orders: queue.SimpleQueue[runs_pb2.LeaseRequest | None] = queue.SimpleQueue()
        self._orders.put(runs_pb2.LeaseRequest(job=handle._name, want=first))
        connection = handle._connection
        self._stream = connection.runs.Lease(self._requests(), metadata=connection.metadata)
        self._thread = threading.Thread(target=self._listen, name="operator-pool", daemon=True)
        self._thread.start()

    def _requests(self) -> Iterator[runs_pb2.LeaseRequest]:
        while (order := self._orders.get()) is not None:
            yield order

    def submit(self, value: Any) -> Future[Any]:
        """Give one input away."""
        item = _Item(self.handle._encode((value,), {}), Future())
        with self.lock:
            if self.error is not None:
                item.future.set_exception(self.error)
                return item.future
            self.waiting.append(item)
            self._feed()
        return item.future

    def _feed(self) -> None:
        """Hand out what waits. With the lock held."""
        while self.waiting:
            seat = min(self.seats.values(), key=lambda s: len(s.flight) - s.pace, default=None)
            if seat is None or len(seat.flight) >= int(seat.pace):
                return
            item = self.waiting.popleft()
            if not item.future.set_running_or_notify_cancel():
                continue
            item.sent = time.monotonic()
            try:
                seat.session.send(pb.CALL, "", item.segments, lambda k, p, s=seat, i=item: self._answered(s, i, k, p))
            except Closed:
                self.seats.pop(seat.session.replica_id, None)
                self.waiting.appendleft(_Item(item.segments, item.future))
                return
            seat.flight.append(item)

    def _answered(self, seat: _Seat, item: _Item, kind: int, payload: bytes) -> None:
        with self.lock:
            begun = max(item.sent, 0.0)
            seat.flight.remove(item) if item in seat.flight else None
            taken = (time.monotonic() - begun) / (len(seat.flight) + 1)
            # The pace follows the speed: fast items travel in packs, slow ones go to whoever is free.
            seat.pace = min(MOST_AHEAD, seat.pace * 2) if taken < AHEAD else 1.0
            if self.adaptive and taken > SLOW and self.waiting and self.wanted < self.most:
                self._more(min(self.most, self.wanted * 2, self.wanted + len(self.waiting)))
            if kind != LOST:
                self._feed()
        try:
            if kind == LOST:
                item.future.set_exception(WorkerDied("the process that ran this input ended before it answered"))
            else:
                item.future.set_result(self._decode(kind, payload))
        except BaseException as error:
            if not item.future.done():
                item.future.set_exception(error)

    def _decode(self, kind: int, payload: bytes) -> Any:
        if kind == pb.VALUE:
            return self.handle._load(payload)
        if kind == pb.ERROR:
            raise failure.decode_failure(payload)
        raise WorkerDied(f"map over {self.handle._name}: its items are iterators; collect them in forward")

    def _more(self, count: int) -> None:
        self.wanted = count
        self._orders.put(runs_pb2.LeaseRequest(want=count))

    def _listen(self) -> None:
        """Take processes as they come up; ask for others when they die."""
        try:
            for event in self._stream:
                if event.HasField("failed"):
                    self._lost(event)
                elif event.address:
                    session = Session(event.replica_id, event.address, event.token, self._ended)
                    with self.lock:
                        self.seats[event.replica_id] = _Seat(session)
                        self._feed()
        except grpc.RpcError as error:
            self._fail(self.handle._connection.translate(error, f"map over {self.handle._name}"))

    def _lost(self, event: runs_pb2.LeaseEvent) -> None:
        if self.closed:
            return
        if event.failed.payload:  # the operator cannot be made: nor will it be the next time
            self._fail(failure.decode_failure(event.failed.payload))
            return
        with self.lock:
            self.seats.pop(event.replica_id, None)
            self._more(self.wanted + 1)

    def _ended(self, session: Session) -> None:
        with self.lock:
            self.seats.pop(session.replica_id, None)

    def _fail(self, error: BaseException) -> None:
        with self.lock:
            if self.closed:
                return
            self.error = error
            waiting, self.waiting = self.waiting, deque()
        for item in waiting:
            if item.future.set_running_or_notify_cancel():
                item.future.set_exception(error)

    def close(self, *, completed: bool) -> None:
        """Give the processes back."""
        self.closed = True
        for seat in list(self.seats.values()):
            seat.session.close()
        if completed:
            self._orders.put(runs_pb2.LeaseRequest(want=0))
            self._orders.put(None)
            self._thread.join(5.0)
        else:
            self._orders.put(None)
            self._stream.cancel()
