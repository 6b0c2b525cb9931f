"""Which replica gets a call: the one with the least to do; and what happens when one goes away."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from operator_lib.client.connect import Connection
from operator_lib.client.session import LOST, Closed, Session
from operator_lib.engine import traced, turn
from operator_lib.errors import ENDS, OperatorTimeout, WorkerDied
from operator_lib.wire import failure, stream
from operator_lib.wire.frames import Buffer
from operator_lib.wire.proto import serving_pb2 as pb

# Seconds to wait for a replica that answers.
WAIT = 60.0
# With every replica busy, ask at most this often (seconds) whether there are more by now.
REFRESH = 0.5
# How often a call that may not have been at fault is sent again after the death of a replica.
DEATHS = 5
# The same, when a replica has given back a call.
AGAIN = 0.05


class Router:
    """The sessions of one serving in this process."""

    def __init__(self, connection: Connection, name: str, pinned: int = 0) -> None:
        self.connection = connection
        self.name = name
        self.pinned = pinned  # to this version; 0: to whichever is live
        self.version = 0
        self._turns = itertools.count(1)
        self.schema: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self._sessions: list[Session] = []
        self._spare: list[pb.ConnectReply.Endpoint] = []  # replicas that are not needed yet, or not any more
        self._dead: list[str] = []
        self._offered: list[pb.ConnectReply.Endpoint] = []  # replicas, as the worker said last
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        self._asked = 0.0

    @property
    def width(self) -> int:
        """Replicas that are known."""
        return len(self._sessions)

    def session(self) -> Session:
        """A session to send the next call on.

        Raises:
            NotFound: the serving is gone. ConnectionError: so is the worker.
            Exception: what keeps the user's object from being made.
        """
        sessions = self._sessions
        if len(sessions) == 1 and not sessions[0].closing:
            best = sessions[0]
        else:
            open_ones = [s for s in sessions if not s.closing]
            if not open_ones:
                return self._connect()
            best = min(open_ones, key=lambda s: (len(s.pending), s.turn))
            best.turn = next(self._turns)
        if best.pending:
            if time.monotonic() - self._asked > REFRESH:
                self._asked = time.monotonic()
                threading.Thread(target=self._refresh, daemon=True).start()
            elif self._spare:
                with self._lock:
                    return self._open() or best
        return best

    def _refresh(self) -> None:
        with contextlib.suppress(Exception):  # the next call will say it
            self.ask(0.0)

    def renew(self) -> None:
        """Another version is live: new calls go to its replicas, whether the ones before have said farewell or not."""
        with self._connecting:
            self._refresh()
            ready = {endpoint.replica_id for endpoint in self._offered}
        for session in self._sessions:
            if session.replica_id not in ready:
                session.close()

    def moved(self) -> None:
        """A replica has given a call back because there is room elsewhere. Find out where."""
        with self._connecting:
            if time.monotonic() - self._asked > AGAIN:
                self._refresh()

    def _connect(self) -> Session:
        with self._connecting:
            open_ones = [s for s in self._sessions if not s.closing]
            if open_ones:
                return open_ones[0]
            return self.ask(WAIT)

    def ask(self, wait: float) -> Session:
        """Ask the worker for replicas; open sessions to those that are new."""
        request = pb.ConnectRequest(name=self.name, wait=wait, dead=self._dead, version=self.pinned)
        connection = self.connection
        reply = connection.call(connection.servings.Connect, request, timeout=wait + 10, about=f"serving {self.name}")
        if not reply.endpoints:
            if reply.failure:
                raise failure.decode_failure(reply.failure)
            raise WorkerDied(reply.cause or f"{self.name} has no replica")
        self._asked = time.monotonic()
        self._offered = list(reply.endpoints)
        self._certificate = reply.certificate
        self.version = reply.version
        self.schema = json.loads(reply.schema_json or "{}")
        self.options = json.loads(reply.options_json or "{}")
        with self._lock:
            known = {s.replica_id: s for s in self._sessions}
            self._spare = [endpoint for endpoint in reply.endpoints if endpoint.replica_id not in known]
            offered = [known[e.replica_id] for e in reply.endpoints if e.replica_id in known]
            return next((s for s in offered if not s.closing), None) or self._open() or offered[0]

    def _open(self) -> Session | None:
        """A session with a replica that there is none with yet. Who makes one call at a time needs one replica."""
        if not self._spare:
            return None
        endpoint = self._spare.pop(0)
        address = self.connection.place(endpoint.address)
        place = stream.Place(address, endpoint.line, endpoint.token, self._certificate)
        session = Session(endpoint.replica_id, place, self._ended)
        self._sessions = [*self._sessions, session]
        return session

    def _ended(self, session: Session) -> None:
        with self._lock:
            self._sessions = [s for s in self._sessions if s is not session]
            self._dead = [*self._dead[-9:], session.replica_id]

    # --- calls -----------------------------------------------------------------------------------------------------

    def call(
        self, verb: int, name: str, segments: Sequence[Any], environment: Mapping[str, str] | None = None
    ) -> tuple[int, Buffer, Session]:
        """Send a call and wait for what is answered: kind, payload, and where it ran.

        `environment` are values of variables for this call.

        Raises:
            WorkerDied: the replica ended after it had been sent the call.
        """
        traceparent, deaths = traced.outgoing(), 0
        while True:
            session = self.session()
            box: list[Any] = []
            done = threading.Lock()
            done.acquire()

            def reply(kind: int, payload: Buffer, box: list[Any] = box, done: threading.Lock = done) -> None:
                box.append((kind, payload))
                done.release()

            try:
                session.send(verb, name, segments, reply, environment, turn.chain(), traceparent, deaths > 0)
            except Closed:
                continue
            done.acquire()
            kind, payload = box[0]
            if kind == pb.REFUSED:
                session.close()
                continue
            if kind == pb.MOVED:
                self.moved()
                continue
            if kind == LOST:
                deaths += self.lost(session, int(payload), deaths < DEATHS and is_own(verb, name))
                continue
            return kind, payload, session

    def start(
        self, verb: int, name: str, segments: Sequence[Any], environment: Mapping[str, str] | None = None
    ) -> Future[tuple[int, Buffer, Session]]:
        """`call` as a future."""
        future: Future[tuple[int, Buffer, Session]] = Future()
        future.set_running_or_notify_cancel()
        chain, traceparent, deaths = turn.chain(), traced.outgoing(), 0

        def send() -> None:
            try:
                while True:
                    session = self.session()
                    try:
                        hear = lambda kind, payload, s=session: reply(s, kind, payload)  # noqa: E731
                        session.send(verb, name, segments, hear, environment, chain, traceparent, deaths > 0)
                        return
                    except Closed:
                        continue
            except BaseException as error:
                future.set_exception(error)

        def lost(session: Session, call_id: int) -> None:
            nonlocal deaths
            try:
                deaths += self.lost(session, call_id, deaths < DEATHS and is_own(verb, name))
            except BaseException as error:
                future.set_exception(error)
            else:
                send()

        def again() -> None:
            self.moved()
            send()

        def reply(session: Session, kind: int, payload: Buffer) -> None:
            # What may have to wait is not for the reader's thread.
            if kind == pb.REFUSED:
                session.close()
                threading.Thread(target=send, daemon=True).start()
            elif kind == pb.MOVED:
                threading.Thread(target=again, daemon=True).start()
            elif kind == LOST:
                threading.Thread(target=lost, args=(session, int(payload)), daemon=True).start()
            else:
                future.set_result((kind, payload, session))

        send()
        return future

    def lost(self, session: Session, call_id: int, own: bool = False) -> bool:
        """After a replica went away: return if the call can be sent again, because it was never started, or because it
        was in a batch, and may not be at fault. In that case it is to be carried out alone.

        Args:
            own: it is one of the object itself, and has not been sent again too often.

        Returns:
            Whether it is to be carried out alone.

        Raises:
            OperatorTimeout: it was ended because the call went over a time limit.
            OutOfMemory: the call had started, and the replica went over its memory limit.
            WorkerDied: the call had started, or nothing is known of it.
        """
        connection, name = self.connection, self.name
        request = pb.FateRequest(name=name, replica_id=session.replica_id, session=session.id, call=call_id)
        try:
            fate = connection.call(connection.servings.Fate, request, timeout=10.0)
        except Exception:  # the worker is gone as well
            raise ended(name, "", "its worker cannot be reached") from None
        if fate.known and fate.shared and own:
            return True
        if not fate.known or call_id <= fate.last_started:
            raise ended(name, fate.kind, fate.cause or "the connection to it broke")
        return False


def is_own(verb: int, name: str) -> bool:
    """Whether it is a call of the object itself, as they are in batches."""
    return verb == pb.CALL and name in ("", "forward")


def ended(name: str, kind: str, cause: str) -> Exception:
    """What a call of a serving raises whose replica has ended."""
    if kind == "timeout":
        return OperatorTimeout(f"call of {name}: {cause}")
    return ENDS.get(kind, WorkerDied)(f"the replica of {name} ended before it answered: {cause}")
