"""A map over a job: processes on loan from the worker, each fed with packs of inputs as large as they are fast."""

from __future__ import annotations

import functools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import grpc

from operator_lib.client.packs import UNKNOWN, Fate, Outcome, Pack, fate_of
from operator_lib.client.session import LOST, Closed, Session
from operator_lib.engine.map import bounded, check_workers, length
from operator_lib.errors import SerializationError
from operator_lib.options import Options
from operator_lib.wire import codec, failure, stream
from operator_lib.wire.frames import Buffer
from operator_lib.wire.proto import runs_pb2
from operator_lib.wire.proto import serving_pb2 as pb

if TYPE_CHECKING:
    from operator_lib.client.job import JobHandle

# Processes when the caller leaves the number to us: more are asked for while items take longer than SLOW seconds.
FIRST = 2
MOST = 64
SLOW = 0.02
# A pack keeps a process busy for about this many seconds, and has at most so many inputs.
PACK_TIME = 0.004
MOST_IN_PACK = 512
# Seconds in which the worker knows why a process has ended.
FATE_WAIT = 5.0


def map_job(
    handle: JobHandle, inputs: Iterable[Any], workers: int, ordered: bool, return_exceptions: bool
) -> list[Any]:
    """`JobHandle.map`."""
    adaptive = workers == -1
    most = MOST if adaptive else check_workers(workers)
    total = length(inputs)
    source = iter(inputs)
    try:
        first = next(source)  # nothing to do starts nothing
    except StopIteration:
        return []
    pool = Pool(handle, min(FIRST if adaptive else most, total or most), most, adaptive, total)
    results: list[Any] = []
    try:
        packs = bounded(pool.submit, pool.packs(first, source), pool.window, ordered, False, total, count=len)
        for outcomes in packs:
            for value, error in outcomes:
                if error is not None and not (return_exceptions and isinstance(error, Exception)):
                    raise error
                results.append(value if error is None else error)
    except BaseException:
        pool.close(completed=False)
        raise
    pool.close(completed=True)
    return results


class _Seat:
    """A process and what it has been given."""

    __slots__ = ("flight", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.flight = 0


class Pool:
    """Processes on loan, and the packs that wait for them."""

    def __init__(self, handle: JobHandle, first: int, most: int, adaptive: bool, total: int | None) -> None:
        self.handle = handle
        self.most = most
        self.adaptive = adaptive
        self.wanted = first
        self.total = total
        self.pace = 1.0  # inputs in a pack
        self.fast = False  # packs may queue at a process
        self.waiting: deque[Pack] = deque()
        self.seats: dict[str, _Seat] = {}
        # Packs that a process has taken with it, and why it ended, by replica.
        self.orphans: dict[str, list[Pack]] = {}
        self.fates: dict[str, Fate] = {}
        options = Options.from_json(handle._encoders)
        self.retries = options.retries
        # Inputs that go together at least: a batch, where the operator takes them.
        self.least = options.batch.max_size if options.batch is not None else 1
        self.lock = threading.Lock()
        self.error: BaseException | None = None
        self.closed = False
        self.moved = time.monotonic()  # when an answer came last, or processes were asked for
        self._over = threading.Event()
        self._orders: queue.SimpleQueue[runs_pb2.LeaseRequest | None] = queue.SimpleQueue()
        self._orders.put(runs_pb2.LeaseRequest(job=handle._name, want=first))
        connection = handle._connection
        self._stream = connection.runs.Lease(self._requests(), metadata=connection.metadata)
        self._thread = threading.Thread(target=self._listen, name="operator-pool", daemon=True)
        self._thread.start()
        if adaptive:
            threading.Thread(target=self._watch, name="operator-pool-size", daemon=True).start()

    def _requests(self) -> Iterator[runs_pb2.LeaseRequest]:
        while (order := self._orders.get()) is not None:
            yield order

    def window(self) -> int:
        """Packs under way at a time: enough to keep every process fed; a generator is read no further ahead."""
        return 3 * self.wanted if self.fast else max(self.wanted, 32)

    def packs(self, first: Any, source: Iterator[Any]) -> Iterator[list[Any]]:
        """Inputs in packs of the size that is right at that moment."""
        pack = [first]
        given = 0
        for value in source:
            size = max(self.pace, self.least)
            if self.total is not None:  # towards the end smaller, so that all processes end together
                size = max(self.least, min(size, (self.total - given) / (2 * self.wanted)))
            if len(pack) >= size:
                given += len(pack)
                yield pack
                pack = []
            pack.append(value)
        yield pack

    def submit(self, inputs: list[Any]) -> Future[list[Outcome]]:
        """Give one pack away."""
        pack = Pack(inputs)
        with self.lock:
            if self.error is not None:
                pack.future.set_exception(self.error)
            else:
                self.waiting.append(pack)
                self._feed()
        return pack.future

    def _feed(self) -> None:
        """Hand out what waits. With the lock held."""
        while self.waiting:
            seat = min(self.seats.values(), key=lambda s: s.flight, default=None)
            if seat is None or seat.flight >= (2 if self.fast else 1):
                return
            pack = self.waiting.popleft()
            if pack.future.cancelled():
                continue
            try:
                self._send(seat, pack)
            except Closed:
                self.seats.pop(seat.session.replica_id, None)
                self.waiting.appendleft(pack)
            except Exception as error:
                pack.future.set_exception(error)

    def _send(self, seat: _Seat, pack: Pack) -> None:
        segments = self._encode(pack, pack.left)
        if segments is None:
            return
        pack.sent = time.monotonic()
        reply = functools.partial(self._answered, seat, pack)
        pack.call = seat.session.send(pb.MAP, "", segments, reply, alone=pack.alone)
        seat.flight += 1

    def _encode(self, pack: Pack, inputs: list[Any]) -> list[Any] | None:
        """The inputs as bytes. One that does not fit or cannot be encoded is an outcome of its own."""
        handle = self.handle
        method = handle._schema.methods.get("")
        encoder = handle._encoders.get("input_encoder", "json")
        if method is not None:
            method.bind((inputs[0],), {}, handle._schema.name)
        try:
            if encoder == "json":
                return [codec.dumps_call((inputs,), {}, what=handle._name)]
            return codec.segments_call((inputs,), {}, encoder, what=handle._name)
        except SerializationError:
            for position, value in enumerate(inputs):
                try:
                    handle._encode((value,), {})
                except SerializationError as error:
                    if position:  # what comes before it goes first
                        return self._encode(pack, inputs[:position])
                    pack.take([(None, error)])
                    self._finish_or_requeue(pack)
                    return None
            raise

    def _answered(self, seat: _Seat, pack: Pack, kind: int, payload: Buffer) -> None:
        if kind == LOST:
            self._orphaned(seat, pack)
            return
        if kind == pb.REFUSED:
            self._refused(seat, pack)
            return
        try:
            outcomes = self._decode(kind, payload)
        except BaseException as error:
            outcomes = [(None, error)] * len(pack.left)
        with self.lock:
            seat.flight -= 1
            pack.take(outcomes)
            self._adapt((time.monotonic() - pack.sent) / max(1, len(outcomes)))
            self._finish_or_requeue(pack)
            self._feed()

    def _refused(self, seat: _Seat, pack: Pack) -> None:
        """Its process is about to go, and has begun with nothing of it."""
        with self.lock:
            self.seats.pop(seat.session.replica_id, None)
            self.waiting.appendleft(pack)
            self._feed()

    def _orphaned(self, seat: _Seat, pack: Pack) -> None:
        """Its process is gone. The worker is about to say why; what it does not say in time stays unknown."""
        replica = seat.session.replica_id
        with self.lock:
            seat.flight -= 1
            self.orphans.setdefault(replica, []).append(pack)
            if replica in self.fates:
                self._bury(replica, self.fates[replica])
                return
        self._later(FATE_WAIT, lambda: self._bury(replica, UNKNOWN))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do it then, with the lock held."""

        def do() -> None:
            with self.lock:
                work()
                self._feed()

        timer = threading.Timer(seconds, do)
        timer.daemon = True
        timer.start()

    def _bury(self, replica: str, fate: Fate) -> None:
        """What became of inputs that were at a process when it ended."""
        for pack in self.orphans.pop(replica, []):
            delay = pack.bury(fate, self.retries, self.handle._load)
            if delay > 0:
                self._later(delay, functools.partial(self._finish_or_requeue, pack))
            else:
                self._finish_or_requeue(pack)
        self._feed()

    def _finish_or_requeue(self, pack: Pack) -> None:
        if len(pack.done) < len(pack.inputs):
            self.waiting.appendleft(pack)
        elif not pack.future.cancelled():
            pack.future.set_result(pack.done)

    def _adapt(self, taken: float) -> None:
        """Fast inputs travel in large packs; slow ones alone, and ask for more processes."""
        self.pace = max(1.0, min(4 * self.pace, PACK_TIME / max(taken, 1e-7), MOST_IN_PACK))
        self.fast = taken < PACK_TIME
        self.moved = time.monotonic()

    def _watch(self) -> None:
        """While inputs wait and nothing has been answered for a moment, ask for twice as many processes."""
        while not self._over.wait(SLOW):
            with self.lock:
                if self.waiting and self.seats and time.monotonic() - self.moved > SLOW:
                    self.moved = time.monotonic()
                    self._grow()

    def _decode(self, kind: int, payload: Buffer) -> list[Outcome]:
        if kind == pb.ERROR:
            raise failure.decode_failure(payload)
        found = self.handle._load(payload)
        errors = {int(place): failure.decode_failure(stored) for place, stored in found["errors"].items()}
        return [(value, errors.get(place)) for place, value in enumerate(found["values"])]

    def _grow(self) -> None:
        """Twice as many processes, but no more than there are packs."""
        packs = len(self.waiting) + sum(seat.flight for seat in self.seats.values())
        count = min(self.most, 2 * self.wanted, packs)
        if count > self.wanted:
            self._more(count)

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
                    address = self.handle._connection.place(event.address)
                    place = stream.Place(address, event.line, event.token, event.certificate)
                    session = Session(event.replica_id, place, self._ended)
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
        fate = fate_of(event, self.handle._name)
        with self.lock:
            self.seats.pop(event.replica_id, None)
            self.fates[event.replica_id] = fate
            self._bury(event.replica_id, fate)
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
        for pack in waiting:
            if not pack.future.cancelled():
                pack.future.set_exception(error)

    def close(self, *, completed: bool) -> None:
        """Give the processes back."""
        self.closed = True
        self._over.set()
        for seat in list(self.seats.values()):
            seat.session.close()
        if completed:
            self._orders.put(runs_pb2.LeaseRequest(want=0))
            self._orders.put(None)
            self._thread.join(5.0)
        else:
            self._orders.put(None)
            self._stream.cancel()
