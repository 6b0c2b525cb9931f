"""Object storage as a worker uses it: waited for while it is away, and never on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from operator_lib.worker.objects.base import Away, Objects, ObjectsError, Refusing

# The object that says whose it is.
OWNER = "owner"

T = TypeVar("T")
A = TypeVar("A")

log = logging.getLogger("operator_lib.worker")

# Seconds for which whoever waits for an answer is made to wait: less than clients do (client/connect.py).
PATIENCE = 25.0
# Seconds between two tries: the first pause, and the longest.
FIRST, LONGEST = 0.1, 2.0
# Objects that are on their way at the same time.
ABREAST = 12
# Requests that wait for storage at the same time; more of them wait for one another.
WAITING = 32


class Storage:
    """Objects, with patience. Two sets of threads: those of requests that wait, and those that carry single objects."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.trouble = ""
        """Why the last try failed; empty when it went well."""
        self._store = ""
        self._closing = threading.Event()
        self._waiting = ThreadPoolExecutor(WAITING, "storage")
        self._carrying = ThreadPoolExecutor(ABREAST, "object")

    @property
    def where(self) -> str:
        return self.objects.where

    def insist(self, action: Callable[[Objects], T], patience: float = PATIENCE) -> T:
        """Do it, again and again while the storage is away.

        Raises:
            Away: for `patience` seconds.
            Refusing: at once.
        """
        end, pause = time.monotonic() + patience, FIRST
        while True:
            try:
                done = action(self.objects)
                if self._closing.is_set():
                    raise Away(f"{self.where}: the worker ends")
            except Away as away:
                self._note(str(away))
                if time.monotonic() + pause > end or self._closing.wait(pause):
                    raise
                pause = min(2 * pause, LONGEST)
            except Refusing as refusing:
                self._note(str(refusing))
                raise
            else:
                self._note("")
                return done

    def each(self, action: Callable[[A], T], items: Iterable[A], within: float | None = None) -> list[T]:
        """Many at the same time; the first failure is raised. Not from within an action.

        Raises:
            Away: it took longer than `within` seconds. What has begun goes on.
        """
        futures = [self._carrying.submit(action, item) for item in items]
        end = None if within is None else time.monotonic() + within
        try:
            return [future.result(None if end is None else end - time.monotonic()) for future in futures]
        except TimeoutError:
            raise Away(f"{self.where} did not answer within {within:g} s; try again later") from None
        finally:
            for future in futures:
                future.cancel()

    async def aside(self, action: Callable[..., T], *arguments: Any) -> T:
        """Do what may wait for the storage in a thread of its own kind: others must not wait for it, too."""
        return await asyncio.get_running_loop().run_in_executor(self._waiting, action, *arguments)

    def claim(self, store: str) -> None:
        """Use it for this store alone: another one would remove as garbage what it does not name.

        Raises:
            Refusing: it is another store's.
            Away: it does not answer.
        """
        found = self.insist(lambda objects: objects.read(OWNER))
        if found is None:
            self.insist(lambda objects: objects.put(OWNER, store.encode()))
        self._store = store
        self._require_own()

    def _require_own(self) -> None:
        found = self.insist(lambda objects: objects.read(OWNER))
        if self._store and found != self._store.encode():
            raise Refusing(
                f"{self.where} is used by workers with another store; give them the same --store, or this one another "
                f"folder or prefix. If that store is gone for good, remove the object {OWNER!r} there"
            )

    def clock(self) -> float:
        """What time it is there, in seconds since the epoch, for those that remove what is old.

        Raises:
            Refusing: it is not for this store to remove something.
        """
        self._require_own()
        name = f"clock/{secrets.token_hex(8)}"
        self.objects.put(name, b"")
        try:
            found = self.objects.look(name)
        finally:
            with contextlib.suppress(ObjectsError):
                self.objects.remove(name)
        if found is None:
            raise Away(f"{self.where}: what was written just now is not there")
        return found.written

    def slow(self, about: str) -> None:
        """It takes longer than it should: nobody waits for it, until it has done something."""
        self._note(f"{self.where} {about}")

    def check(self) -> None:
        """Write, look, read, list and remove: what will be needed.

        Raises:
            ObjectsError: one of them does not work, in words.
        """
        self.insist(_try_everything, START)

    def close(self) -> None:
        """Nobody waits any longer."""
        self._closing.set()
        self.objects.close()
        for pool in (self._waiting, self._carrying):
            pool.shutdown(wait=False, cancel_futures=True)

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            log.warning("worker: object storage: %s", trouble)
        elif self.trouble and not trouble:
            log.info("worker: object storage answers again: %s", self.where)
        self.trouble = trouble


# Seconds for which a worker that starts waits for its storage.
START = 25.0


def _try_everything(objects: Objects) -> None:
    name, content = f"check/{secrets.token_hex(8)}", secrets.token_bytes(16)
    objects.put(name, content)
    try:
        found = objects.look(name)
        listed = [each.name for each in objects.under("check")]
        if found is None or objects.read(name) != content or name not in listed:
            raise Refusing(f"{objects.where}: what is written there cannot be read and listed at once; use another")
    finally:
        objects.remove(name)
