"""Sessions of clients on sockets: calls and their answers, and the items of iterators. See protos/line.proto."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from operator_lib.engine.ledger import Ledger, Page
from operator_lib.runner.answers import Answer, Large
from operator_lib.wire import stream
from operator_lib.wire.proto import serving_pb2 as pb

CarryOut = Callable[[Iterator[list[Any]], Page], Iterator[list[Answer]]]


class Sessions:
    """Those that are open."""

    def __init__(self, ledger: Ledger, carry_out: CarryOut) -> None:
        """`carry_out` turns calls that come together into answers that go together."""
        self._ledger = ledger
        self._carry_out = carry_out
        self._open: set[_Voice] = set()
        self._going = False

    def __len__(self) -> int:
        return len(self._open)

    def serve(self, connected: socket.socket, session: int) -> None:
        """Answer the calls of one client, until it has no more or is gone."""
        voice = _Voice(connected)
        page = self._ledger.open(session)
        self._open.add(voice)
        try:
            if self._going:
                voice.leave()
            with contextlib.closing(self._carry_out(heard(connected), page)) as answered:  # type: ignore[type-var]
                for answers in answered:
                    voice.say(answers)
        finally:
            self._open.discard(voice)
            page.close()

    def leave(self) -> None:
        """Tell all clients to take their calls elsewhere."""
        self._going = True
        for voice in self._open.copy():  # a client that does not listen holds up nobody else
            threading.Thread(target=voice.leave, name="farewell", daemon=True).start()


class _Voice:
    """Says one thing at a time to a client; waits for one that listens slowly."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._turn = threading.Lock()

    def say(self, answers: list[Answer]) -> None:
        """Raises OSError when the client is gone."""
        small: list[pb.Answer] = []
        with self._turn:
            for answer in answers:
                if isinstance(answer, Large):
                    stream.send(self._socket, stream.frame(pb.AnswerPack(answers=[answer.message]), [answer.payload]))
                else:
                    small.append(answer)
            if small:
                stream.send(self._socket, stream.frame(pb.AnswerPack(answers=small)))

    def leave(self) -> None:
        """The replica is about to go."""
        with contextlib.suppress(OSError), self._turn:
            stream.send(self._socket, stream.frame(pb.AnswerPack(going=True)))


def heard(connected: socket.socket) -> Iterator[list[Any]]:
    """The calls of a client, until it says that there are no more.

    Raises:
        ConnectionError: it is gone: nobody waits for answers.
    """
    for together in stream.frames(connected):
        calls: list[Any] = []
        for message, beside in together:
            pack = pb.CallPack.FromString(message)
            calls += pack.calls if beside is None else [Large(call, beside) for call in pack.calls]
            if pack.last:
                yield calls
                return
        yield calls
    raise ConnectionError("the client has gone without taking its leave")


def items(iterate: Callable[[Iterator[pb.IterateRequest]], Iterable[Answer]]) -> Callable[[socket.socket, int], None]:
    """Serves connections on which the items of an iterator are asked for one by one."""

    def asked(connected: socket.socket) -> Iterator[pb.IterateRequest]:
        for together in stream.frames(connected):
            for message, _ in together:
                yield pb.IterateRequest.FromString(message)

    def serve(connected: socket.socket, session: int) -> None:
        for answer in iterate(asked(connected)):
            large = isinstance(answer, Large)
            said = stream.frame(answer.message, [answer.payload]) if large else stream.frame(answer)
            stream.send(connected, said)

    return serve
