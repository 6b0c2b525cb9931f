"""What a statement is carried out on, whichever engine is behind it: what of it our statements use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
# Locks the rows that a transaction has looked at before it changes them. SQLite has one writer, and reads a comment.
LOCKED = "/* FOR UPDATE */"
# The same, for those that nobody else is looking at.
FREE = "/* FOR UPDATE SKIP LOCKED */"


class Cursor(Protocol):
    """Rows that were found, or the number of those that were changed."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Takes the SQL that SQLite and PostgreSQL have in common, with ``?`` for values."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Cursor: ...


class Engine(Protocol):
    """A database that operations are carried out in: each as one transaction."""

    @property
    def name(self) -> str:
        """For people; never with a password."""
        ...

    @property
    def shared(self) -> bool:
        """Whether several workers may use it at the same time."""
        ...

    @property
    def commits(self) -> int:
        """Durable commits so far."""
        ...

    async def write(self, operation: Callable[[Connection], T], about: str = "") -> T:
        """Durable when it returns. Cancelling the caller does not stop it. Raises StoreError: nothing was kept.

        `about`: the run that other workers are told of.
        """
        ...

    async def read(self, operation: Callable[[Connection], T]) -> T:
        """Raises StoreError: it cannot be read."""
        ...

    def close(self) -> None:
        """Write what is waiting, and let go."""
        ...
