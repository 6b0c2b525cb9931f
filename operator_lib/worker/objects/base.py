"""The seam to object storage: few words, all of them blocking, none of them about what the bytes mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from operator_lib.errors import NotReady


class ObjectsError(NotReady, OSError):
    """The storage did not do what it was asked; nothing of it counts. The message says where, and why."""


class Away(ObjectsError):
    """It does not answer, or is too busy: the same may go well in a moment."""


class Refusing(ObjectsError):
    """It answers, and does not do it: no permission, no such bucket, no room. Somebody has to look after that."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object: its size in bytes, and when it was written (seconds since the epoch, by the storage's clock)."""

    name: str
    size: int
    written: float


class Objects(Protocol):
    """Objects by name (``a/b/c``) below one place. Safe with threads; every method may block.

    An object appears whole or not at all, and stays as it is until it is replaced. All methods raise `Away` or
    `Refusing`.
    """

    where: str
    """The place in words, without anything secret."""

    def put(self, name: str, source: Path | bytes) -> None:
        """Write an object; when this returns it is durable. One that is there is replaced."""
        ...

    def get(self, name: str, target: Path) -> bool:
        """Copy an object into the new file `target`; False when there is none."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of a small object."""
        ...

    def look(self, name: str) -> Found | None: ...

    def under(self, folder: str) -> Iterator[Found]:
        """All objects whose names begin with ``folder/``."""
        ...

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        ...

    def tidy(self, older_than: float) -> int:
        """Remove what uploads that were broken off more than so many seconds ago have left; how many."""
        ...

    def close(self) -> None:
        """The worker ends: nobody waits for what is under way, and what comes of it does not count."""
        ...
