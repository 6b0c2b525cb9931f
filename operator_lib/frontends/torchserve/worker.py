"""What a pool has of its workers: each is one handler, loaded, wherever it lives."""

from __future__ import annotations

from typing import Protocol

from operator_lib.errors import OperatorTimeout
from operator_lib.frontends.torchserve.handler import Answered, Asked


class Late(Exception):
    """There was no answer in time."""


class Gone(Exception):
    """The worker ended before it answered; says how.

    Attributes:
        begun: whether the handler may have been called.
    """

    def __init__(self, how: str, *, begun: bool) -> None:
        super().__init__(how)
        self.begun = begun


def not_loaded(seconds: float) -> OperatorTimeout:
    """In words."""
    return OperatorTimeout(f"it was not loaded in {seconds:g} s (startupTimeout)")


class Worker(Protocol):
    """One handler, wherever it lives. Used by one call at a time."""

    def load(self, seconds: float) -> None:
        """Make it ready. Raises what the handler's code raises; OperatorTimeout when it takes longer than that."""
        ...

    def ask(self, asked: Asked, seconds: float) -> list[Answered] | Exception:
        """What it answers, or what its code raised.

        Raises:
            Late: not within these `seconds`; `wait` for it, or `end` it. Gone.
        """
        ...

    def wait(self, seconds: float) -> list[Answered] | Exception:
        """After Late: go on waiting for that answer. Raises Late, Gone."""
        ...

    def end(self) -> None:
        """It is not needed any more, whatever it does."""
        ...


class Making(Protocol):
    """Makes workers."""

    def worker(self, number: int) -> Worker:
        """One that is not loaded yet."""
        ...
