"""Inputs of a map on their way to a process, and what has become of them when it has died."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from operator_lib.engine import harvest
from operator_lib.errors import ENDS, OperatorTimeout, WorkerDied
from operator_lib.options import Retries
from operator_lib.wire import failure, plain
from operator_lib.wire.proto import runs_pb2

# One input's outcome: value, exception (or None).
Outcome = tuple[Any, BaseException | None]

LOST = "it had been carried out, but what came of it, which is large, went with its process"
ENDED = "the process that ran this input ended before it answered"


class Pack:
    """Inputs that travel together, and what has come of the first of them."""

    __slots__ = ("alone", "call", "done", "future", "inputs", "sent", "tries")

    def __init__(self, inputs: list[Any]) -> None:
        self.inputs = inputs
        self.done: list[Outcome] = []
        self.future: Future[list[Outcome]] = Future()
        self.call = 0  # the message that it was sent with
        self.sent = 0.0
        self.tries = 0  # processes that the first of those left has taken with it
        self.alone = False  # its inputs are to be carried out one by one, also where there are batches

    @property
    def left(self) -> list[Any]:
        """Inputs without an outcome."""
        return self.inputs[len(self.done) :]

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """What has come of the next inputs."""
        self.done += outcomes
        self.tries = 0

    def bury(self, fate: Fate, retries: Retries | None, load: Callable[[Any], Any]) -> float:
        """Take in what became of its inputs: done ones have their outcomes, the one at work fails, the rest is left.

        Returns:
            Seconds until what is left may be sent again.
        """
        if not fate.known:
            self.take([(None, fate.error)] * len(self.left))
            return 0.0
        done = 0
        while (kept := fate.outcomes.get((self.call, done))) is not None:
            self.take([_decode(kept, load)])
            done += 1
        if self.call != fate.last or done == fate.begun:
            return 0.0
        if fate.begun - done > 1 and not self.alone:  # a batch of them: whose fault it was will show
            self.alone = True
            return 0.0
        if retries is not None and self.tries < retries.max_retries:
            self.tries += 1
            return retries.delay(self.tries)
        self.take([(None, fate.error)])
        return 0.0


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a process has ended, and how far it had come."""

    error: Exception
    """Of the input that it was at work on."""
    known: bool
    """Whether the rest is known."""
    last: int
    """The last message that it had begun with."""
    begun: int
    """How many inputs of that one."""
    outcomes: dict[tuple[int, int], harvest.Outcome]
    """By message, and position in it."""


UNKNOWN = Fate(WorkerDied(ENDED), False, 0, 0, {})


def fate_of(event: runs_pb2.LeaseEvent, name: str) -> Fate:
    """What the worker says about a process that has ended."""
    kind, cause = event.failed.cause, event.failed.message
    if kind == "timeout":
        error: Exception = OperatorTimeout(f"call of {name}: {cause}")
    else:
        error = ENDS.get(kind, WorkerDied)(f"{ENDED}: {cause}")
    return Fate(error, True, event.last_started, event.begun, dict(harvest.outcomes(event.outcomes)))


def _decode(kept: harvest.Outcome, load: Callable[[Any], Any]) -> Outcome:
    try:
        if kept.kind == harvest.GONE:
            return None, WorkerDied(LOST)
        if kept.kind == harvest.FAILURE:
            return None, failure.decode_failure(kept.data)
        return (plain.parse(kept.data) if kept.kind == harvest.TEXT else load(kept.data)), None
    except Exception as error:
        return None, error
