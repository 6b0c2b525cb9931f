"""A replica: one live object, and a gRPC server of its own that answers calls on it."""

from __future__ import annotations

import hmac
import queue
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from operator_lib.engine import outcome
from operator_lib.engine.process import FAILURE, ProcessSpec
from operator_lib.runner import child
from operator_lib.runner.calls import Target
from operator_lib.runner.stdio import Story
from operator_lib.wire import failure
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc

# Clients that hold a stream open, each takes a thread.
MAX_SESSIONS = 1024
# Seconds that a draining replica waits for its clients to leave.
DRAIN = 30.0


def run(spec: ProcessSpec, story: Story) -> int:
    """Serve until told to stop."""
    try:
        op = child.load(spec)
    except BaseException as error:
        outcome.store(Path(spec.folder) / FAILURE, [failure.encode_failure(error)])
        return 1
    service = CallService(Target(op, spec), spec.token)
    server = grpc.server(
        ThreadPoolExecutor(MAX_SESSIONS, "session"),
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", 4 << 20),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
            ("grpc.keepalive_time_ms", 20000),
            ("grpc.keepalive_timeout_ms", 10000),
            ("grpc.http2.ping_timeout_ms", 10000),
        ],
    )
    rpc.add_CallsServicer_to_server(service, server)
    port = server.add_insecure_port(f"{spec.host}:0")
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    server.start()
    story.emit({"kind": "ready", "address": f"{spec.host}:{port}"})
    while not stopping.wait(3600):
        pass
    service.drain()
    server.stop(0.2).wait()
    return 0


class CallService(rpc.CallsServicer):
    """The plane `Calls` of protos/serving.proto."""

    def __init__(self, target: Target, token: str) -> None:
        self.target = target
        self.token = f"Bearer {token}".encode()
        self.sessions: set[queue.SimpleQueue[Any]] = set()
        self.draining = False
        self._lock = threading.Lock()

    def authenticate(self, context: Any) -> None:
        shown = dict(context.invocation_metadata()).get("authorization", "")
        given = shown if isinstance(shown, bytes) else shown.encode()
        if not hmac.compare_digest(given, self.token):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")

    def Session(self, request_iterator: Any, context: Any) -> Iterator[pb.AnswerPack]:
        self.authenticate(context)
        out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            self.sessions.add(out)
            if self.draining:
                out.put([pb.Answer(kind=pb.REFUSED)])
        threading.Thread(target=self.read, args=(request_iterator, out), name="reader", daemon=True).start()
        try:
            while (answers := out.get()) is not None:
                try:
                    while len(answers) < 512 and sum(len(a.payload) for a in answers[-2:]) < 1 << 18:
                        more = out.get_nowait()
                        if more is None:
                            out.put(None)
                            break
                        answers = answers + more
                except queue.Empty:
                    pass
                yield from _packs(answers)
        finally:
            with self._lock:
                self.sessions.discard(out)

    def read(self, requests: Any, out: queue.SimpleQueue[Any]) -> None:
        """Take calls off the stream; with concurrency 1 they run right here, one after another."""
        partial: dict[int, list[bytes]] = {}
        busy = _Outstanding()
        try:
            for pack in requests:
                for call in pack.calls:
                    if call.more:
                        partial.setdefault(call.id, []).append(call.payload)
                        continue
                    if call.id in partial:
                        call.payload = b"".join([*partial.pop(call.id), call.payload])
                    self.take(call, out, busy)
        except Exception:  # the client went away: nobody wants the answers
            pass
        busy.wait()
        out.put(None)

    def take(self, call: pb.Call, out: queue.SimpleQueue[Any], busy: _Outstanding) -> None:
        if self.draining:
            out.put([pb.Answer(id=call.id, kind=pb.REFUSED)])
        elif self.target.pool is None:
            out.put(self.target.answer(call))
        else:
            busy.add()
            pending = self.target.pool.submit(self.target.answer, call)
            pending.add_done_callback(lambda done: (out.put(done.result()), busy.done()))

    def Iterate(self, request_iterator: Any, context: Any) -> Iterator[pb.Answer]:
        self.authenticate(context)
        yield from self.target.iterate(request_iterator)

    def Invoke(self, request: pb.Call, context: Any) -> pb.Answer:
        self.authenticate(context)
        if self.draining:
            return pb.Answer(id=request.id, kind=pb.REFUSED)
        answers = self.target.answer(request)
        if len(answers) == 1:
            return answers[0]
        joined = b"".join(answer.payload for answer in answers)
        return pb.Answer(id=request.id, kind=answers[0].kind, payload=joined)

    def drain(self) -> None:
        """Refuse new calls, tell every client, wait until each has taken its leave."""
        with self._lock:
            self.draining = True
            for out in self.sessions:
                out.put([pb.Answer(kind=pb.REFUSED)])
        end = time.monotonic() + DRAIN
        while self.sessions and time.monotonic() < end:
            time.sleep(0.01)


class _Outstanding:
    """Calls of a session that are still running in the pool."""

    def __init__(self) -> None:
        self._count = 0
        self._zero = threading.Condition()

    def add(self) -> None:
        with self._zero:
            self._count += 1

    def done(self) -> None:
        with self._zero:
            self._count -= 1
            self._zero.notify_all()

    def wait(self) -> None:
        with self._zero:
            self._zero.wait_for(lambda: self._count == 0)


def _packs(answers: list[pb.Answer]) -> Iterator[pb.AnswerPack]:
    """Answers in messages below the size limit."""
    pack: list[pb.Answer] = []
    size = 0
    for answer in answers:
        if pack and size + len(answer.payload) > 2 << 20:
            yield pb.AnswerPack(answers=pack)
            pack, size = [], 0
        pack.append(answer)
        size += len(answer.payload)
    if pack:
        yield pb.AnswerPack(answers=pack)
