"""A worker that is a process of its own: what it does, or that it dies, is nobody else's trouble."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import cloudpickle

from operator_lib.engine import record
from operator_lib.frontends.torchserve import failures
from operator_lib.frontends.torchserve.bundle import Lent
from operator_lib.frontends.torchserve.channel import Channel
from operator_lib.frontends.torchserve.context import tell
from operator_lib.frontends.torchserve.handler import Answered, Asked, Order
from operator_lib.frontends.torchserve.nursery import Nursery
from operator_lib.frontends.torchserve.worker import Gone, Late, not_loaded


class ProcessWorker:
    """Forked by a nursery; see `child.serve` for the other end."""

    def __init__(self, order: Order, nursery: Nursery) -> None:
        self.order = order
        self.nursery = nursery
        self._number = 0
        self._how = ""
        self._channel: Channel | None = None

    def load(self, seconds: float) -> None:
        self._number, connected = self.nursery.fork()
        channel = self._channel = Channel(connected)
        code = self.order.code
        lent = replace(self.order, code=replace(code, bundle=Lent(code.bundle.folder)))
        try:
            channel.send(pickle.dumps(lent), seconds)
            answer = channel.receive(seconds)
        except Late:
            raise not_loaded(seconds) from None
        except (EOFError, OSError):
            raise RuntimeError(f"its process ended: {self._ended()}") from None
        if answer:
            self.end()
            raise failures.raised(*pickle.loads(answer)[1])

    def ask(self, asked: Asked, seconds: float) -> list[Answered] | Exception:
        channel = self._channel
        assert channel is not None, "it has been loaded"
        frame = record.here()
        try:
            place = (frame.path, frame.call) if frame else ("", 0)
            message = _packed((asked.rows, asked.headers, asked.wanted, *place))
        except Exception as problem:  # a value of the caller's that does not travel
            return problem
        try:
            channel.send(message, seconds)
        except OSError:
            raise Gone(self._ended(), begun=False) from None
        except Late:
            self.end()
            raise Gone("it did not read what it was asked", begun=False) from None
        return self.wait(seconds)

    def wait(self, seconds: float) -> list[Answered] | Exception:
        channel = self._channel
        assert channel is not None, "it has been loaded"
        try:
            answer = channel.receive(seconds)
        except EOFError:
            raise Gone(self._ended(), begun=True) from None
        except OSError:  # it has not read all of what it was asked
            raise Gone(self._ended(), begun=False) from None
        try:
            fine, found, told = pickle.loads(answer)
        except Exception as problem:
            problem.add_note(f"the answer of {self.order.node} cannot be read here")
            return problem
        for metric in told:
            tell(*metric)
        return found if fine else failures.raised(*found)

    def _ended(self) -> str:
        """How; asked once, as it is told once."""
        if not self._how:
            try:
                self._how = self.nursery.end(self._number)
            except OSError as problem:
                self._how = str(problem)
        return self._how

    def end(self) -> None:
        """Whatever it does."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            self._ended()


def _packed(value: Any) -> bytes:
    """As a pickle; what is of no module that the other process has is described in it."""
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:  # whatever it is that pickle cannot do
        return cloudpickle.dumps(value)
