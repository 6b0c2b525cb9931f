"""A replica: one live object, and a gRPC server of its own that answers calls on it."""

from __future__ import annotations

import contextlib
import functools
import hmac
import json
import math
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import grpc

from operator_lib.engine import outcome
from operator_lib.engine.ledger import Ledger, Page
from operator_lib.engine.process import FAILURE, LEDGER, ProcessSpec
from operator_lib.runner import child
from operator_lib.runner.answers import PACK, Answer, assembled, packs, parts
from operator_lib.runner.calls import Target, calls_others, moved, refused
from operator_lib.runner.door import Door
from operator_lib.runner.job import recorder_of
from operator_lib.runner.limits import Limits
from operator_lib.runner.line import Line
from operator_lib.runner.sessions import Sessions, items
from operator_lib.runner.snapshots import Snapshots
from operator_lib.runner.spans import Spans
from operator_lib.runner.stdio import Story
from operator_lib.telemetry.trace_context import Sampling
from operator_lib.wire import failure, stream
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc

# Streams that clients hold open: each takes a thread, as does a call over HTTP while it waits.
MAX_STREAMS = 4096
# Answers wait no longer than this (seconds) for others to travel with them.
FLUSH = 0.001
# Seconds that a draining replica waits for its clients to leave.
DRAIN = 30.0
# Seconds that a replica waits at its end for the worker to take the last spans.
TELLING = 2.0
# Who has not asked for the next item for so long is not waited for.
PAUSE = 2.0


def run(spec: ProcessSpec, story: Story) -> int:
    """Serve until told to stop."""
    try:
        op = child.load(spec, story)
    except BaseException as error:
        outcome.store(Path(spec.folder) / FAILURE, [failure.encode_failure(error)])
        return 1
    serial = spec.concurrency == 1 and not calls_others(op)
    limits = Limits(op, spec, lambda: story.emit({"kind": "timed"}), serial=serial)
    target = Target(op, spec, limits)
    if spec.sampling:
        target.load = Spans(op, recorder_of(spec, story), Sampling.parse(spec.sampling), spec.name)
    snapshots = Snapshots(target, spec) if spec.snapshot is not None else None
    if snapshots is not None:
        snapshots.restore()
        snapshots.start()
    service = CallService(target, spec.token, Ledger(Path(spec.folder) / LEDGER))
    server = grpc.server(
        ThreadPoolExecutor(MAX_STREAMS, "session"),
        options=[
            ("grpc.so_reuseport", 0),
            # Our own clients send parts of 1 MiB; a call over HTTP comes in one message.
            ("grpc.max_receive_message_length", 9 << 20),
            ("grpc.max_send_message_length", -1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
            ("grpc.http2.max_ping_strikes", 0),  # clients ping idle sessions
            ("grpc.keepalive_time_ms", 20000),
            ("grpc.keepalive_timeout_ms", 10000),
            ("grpc.http2.ping_timeout_ms", 10000),
        ],
    )
    rpc.add_CallsServicer_to_server(service, server)
    port = _listen(server, spec)
    line = Line(target, spec, service.ledger)
    service.shed_more, service.refuse_more = line.shed, line.refuse
    serve = {stream.CALLS: service.sockets.serve, stream.ITEMS: items(service.iterate), stream.WEB: line.serve}
    door = Door(spec, serve)
    stopping, told = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: (told.set(), stopping.set()))  # type: ignore[arg-type]
    target.restart.go = lambda: (story.emit({"kind": "going"}), stopping.set())  # type: ignore[assignment]
    server.start()
    door.open()
    story.emit({"kind": "ready", "address": f"{spec.host}:{port}", "line": door.port})
    while not stopping.wait(3600):
        pass
    line.refuse()
    keep = snapshots.save if snapshots is not None and not target.restart.due else lambda: True
    service.drain(told, line, keep)
    if isinstance(target.load, Spans):
        target.load.close()
        service.untold.wait(TELLING)
    server.stop(0.2).wait()
    keep()
    return 0


def _listen(server: Any, spec: ProcessSpec) -> int:
    """The port of its gRPC server."""
    if not spec.tls:
        return server.add_insecure_port(f"{spec.host}:0")
    from operator_lib.wire.tls import certificate_of

    certificate = certificate_of(spec.tls)
    key = spec.tls.removesuffix(certificate)
    credentials = grpc.ssl_server_credentials([(key.encode(), certificate.encode())])
    return server.add_secure_port(f"{spec.host}:0", credentials)


class CallService(rpc.CallsServicer):
    """The plane `Calls` of protos/serving.proto."""

    def __init__(self, target: Target, token: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self.target = target
        self.token = f"Bearer {token}".encode()
        self.sockets = Sessions(self.ledger, self.carry_out)
        self.sessions = 0  # over gRPC
        self.streams = 0  # iterators that are being read
        self.draining = False
        self.shed_more: Callable[[int], int] = lambda count: 0  # of calls that come in otherwise
        self.refuse_more: Callable[[], object] = lambda: None  # the same
        self._lock = threading.Lock()
        self._leaving = threading.Condition()
        self.untold = threading.Event()  # nobody takes spans (any more)
        self.untold.set()

    def authenticate(self, context: Any) -> None:
        shown = dict(context.invocation_metadata()).get("authorization", "")
        given = shown if isinstance(shown, bytes) else shown.encode()
        if not hmac.compare_digest(given, self.token):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")

    def page(self, context: Any) -> Page:
        """Where it is noted which calls of this caller have started."""
        return self.ledger.open(int(dict(context.invocation_metadata()).get("session", 0)))

    def Session(self, request_iterator: Any, context: Any) -> Iterator[pb.AnswerPack]:
        self.authenticate(context)
        with self._lock:
            self.sessions += 1
        page = self.page(context)
        try:
            for answers in self.carry_out(assembled(request_iterator), page):
                yield from packs(answers)
        finally:
            page.close()
            with self._lock:
                self.sessions -= 1

    def carry_out(self, requests: Iterator[list[Any]], page: Page) -> Iterator[list[Answer]]:
        """Calls of a session as they come together; answers that may travel together."""
        return (self.one_by_one if self.target.pool is None else self.side_by_side)(requests, page)

    def one_by_one(self, requests: Iterator[list[Any]], page: Page) -> Iterator[list[Answer]]:
        """Calls run right here, one after another: no hand-over to another thread. Slow ones are answered at once."""
        come, answer, monotonic = self.target.load.come, self.target.answer, time.monotonic
        at_once = self.target.limits.any  # the next call may take the process with it, and what waits to be sent
        for calls in requests:
            begun = monotonic()
            for call in calls:
                come(call, begun)
            if len(calls) == 1 and not self.draining:
                yield answer(calls[0], page)
                continue
            answers: list[Answer] = []
            try:
                for call in calls:
                    answers += refused(call) if self.draining else answer(call, page)
                    if at_once or monotonic() - begun > FLUSH or len(answers[-1].payload) > PACK:
                        yield answers
                        answers, begun = [], monotonic()
                if answers:
                    yield answers
            finally:  # those that were refused, or whose caller has gone
                for call in calls:
                    self.target.load.drop(call)

    def side_by_side(self, requests: Iterator[list[Any]], page: Page) -> Iterator[list[Answer]]:
        """Calls run in a pool and are answered as they come."""
        out: queue.SimpleQueue[list[Answer] | None] = queue.SimpleQueue()
        threading.Thread(target=self.read, args=(requests, page, out), name="reader", daemon=True).start()
        while (answers := out.get()) is not None:
            with contextlib.suppress(queue.Empty):
                while len(answers) < 256:
                    more = out.get_nowait()
                    if more is None:
                        out.put(None)
                        break
                    answers = answers + more
            yield answers

    def read(self, requests: Iterator[list[Any]], page: Page, out: queue.SimpleQueue[list[Answer] | None]) -> None:
        going = set[Future[list[Answer]]]()

        def done(call: pb.Call, future: Future[list[Answer]]) -> None:
            out.put(moved(call) if future.cancelled() else future.result())
            going.discard(future)

        try:
            for calls in requests:
                if self.draining:
                    for call in calls:
                        out.put(refused(call))
                    continue
                for call, future in self.target.start(calls, page):
                    going.add(future)
                    future.add_done_callback(functools.partial(done, call))
        except (grpc.RpcError, OSError):  # the client went away: nobody wants the answers
            for future in list(going):
                future.cancel()
        wait(list(going))
        out.put(None)

    def Farewell(self, request: pb.FarewellRequest, context: Any) -> Iterator[pb.FarewellReply]:
        self.authenticate(context)
        context.add_callback(self.wake)
        while context.is_active() and not self.draining:
            with self._leaving:
                self._leaving.wait()
        yield pb.FarewellReply()

    def wake(self) -> None:
        with self._leaving:
            self._leaving.notify_all()

    def Iterate(self, request_iterator: Any, context: Any) -> Iterator[pb.Answer]:
        self.authenticate(context)
        for answer in self.iterate(request_iterator):
            yield from parts(answer)

    def iterate(self, requests: Iterator[pb.IterateRequest]) -> Iterator[Answer]:
        """The items of an iterator, as they are asked for."""
        with self._lock:
            self.streams += 1
        try:
            yield from self.target.iterate(requests)
        finally:
            with self._lock:
                self.streams -= 1

    def Invoke(self, request: pb.Call, context: Any) -> pb.Answer:
        self.authenticate(context)
        if self.draining:
            return pb.Answer(id=request.id, kind=pb.REFUSED)
        page = self.page(context)
        request.traceparent = request.traceparent or dict(context.invocation_metadata()).get("traceparent", "")
        try:
            answers = self.target.alone(request, page, context)
        finally:
            page.close()
        return pb.Answer(id=request.id, kind=answers[0].kind, payload=bytes(answers[0].payload))

    def Load(self, request: pb.LoadRequest, context: Any) -> pb.LoadReply:
        self.authenticate(context)
        self.target.drop_stale()
        found = self.target.load.report()
        found.running += len(self.target.iterators)
        if self.target.batches is not None:
            found.batches_json = json.dumps(self.target.batches.told())
        return found

    def Shed(self, request: pb.ShedRequest, context: Any) -> pb.ShedReply:
        self.authenticate(context)
        if request.leave:
            self.draining = True
            self.refuse_more()
        given = self.target.shed(request.count)
        return pb.ShedReply(count=given + self.shed_more(request.count - given))

    def Spans(self, request: pb.SpansRequest, context: Any) -> Iterator[pb.SpanPack]:
        self.authenticate(context)
        if isinstance(self.target.load, Spans):
            self.untold.clear()
            context.add_callback(self.untold.set)
            yield from self.target.load.packs()
        self.untold.set()

    def drain(self, told: threading.Event, line: Line, keep: Callable[[], object]) -> None:
        """Refuse new calls, tell every client, wait until each has taken its leave, calls over HTTP are done, and every
        iterator is read.

        Who was told to end waits no longer than `DRAIN`, and not for readers that have paused. `keep` is called as soon
        as no call goes on.
        """
        self.draining = True
        self.wake()
        self.sockets.leave()
        end, kept = math.inf, False
        while (self.sessions or len(self.sockets) or self.busy(told) or line.busy) and time.monotonic() < end:
            if told.is_set() and end == math.inf:
                end = time.monotonic() + DRAIN
            if not (kept or self.busy(told) or line.busy):
                kept = True
                keep()
            time.sleep(0.01)

    def busy(self, told: threading.Event) -> bool:
        """Whether calls go on, or iterators are being read."""
        lately = time.monotonic() - PAUSE
        unread = any(since > lately for _, since, _ in self.target.iterators.copy().values())
        return self.target.load.busy(lately) or unread or (self.streams > 0 and not told.is_set())
