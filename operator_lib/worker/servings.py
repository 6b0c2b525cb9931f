"""Servings: live objects in processes of their own, replaced when they die, exchanged without a failed call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import Any

from operator_lib.errors import DeployError, NotFound, NotReady, OptionError
from operator_lib.options import Options
from operator_lib.worker import places
from operator_lib.worker.applied import options_of
from operator_lib.worker.replicas import DRAIN, Launcher, Replica
from operator_lib.worker.store.base import DeploymentRow, VersionRow
from operator_lib.worker.tasks import Tasks

log = logging.getLogger("operator_lib.worker")

# A replica that dies is replaced at once, then after these pauses (seconds, doubling).
BACKOFF = 0.5
BACKOFF_LIMIT = 30.0
# One that lived this long starts the count anew.
STEADY = 30.0
# Folders of dead replicas that are kept for their logs, per serving.
KEEP_DEAD = 3
# Seconds after which a replica that a caller has lost, and whose process is still there, is offered again.
DOUBT = 1.0


class Serving:
    """The replicas of one deployment."""

    def __init__(self, deployment: DeploymentRow, launcher: Launcher) -> None:
        self.deployment = deployment
        self.launcher = launcher
        self.version: VersionRow | None = None
        self.replicas: list[Replica] = []
        self.leaving: set[Replica] = set()
        self.dead: list[Replica] = []
        self.wanted = 1
        self.changed = asyncio.Event()
        self.failures = 0  # deaths in a row, each soon after its start
        self.false_starts = 0  # in a row, that never answered a call
        self.last_cause = ""
        self.last_failure = b""
        self.closed = False
        self.tasks = Tasks()
        self._turn = asyncio.Lock()

    @property
    def options(self) -> Options:
        return options_of(self.version)

    def ready(self) -> list[Replica]:
        return [r for r in self.replicas if r.status == "ready"]

    def _announce(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def switch(self, version: VersionRow, timeout: float) -> None:
        """Bring up replicas of `version`; only when they answer, let the old ones finish and go.

        Raises:
            DeployError: the new ones did not come up; the old ones go on.
        """
        async with self._turn:
            wanted = options_of(version).min_replicas if self.version is None else self.wanted
            fresh = [Replica(version) for _ in range(max(1, wanted))]
            try:
                await self._bring_up(fresh, timeout)
            except BaseException:
                for replica in fresh:
                    self._see_off(replica, 0)
                raise
            old, self.replicas = self.replicas, fresh
            self.version, self.wanted = version, wanted
            self.failures = self.false_starts = 0
            self._announce()
            for replica in old:
                self._see_off(replica, DRAIN)
        await self.fill()  # one may have died since

    async def _bring_up(self, fresh: list[Replica], timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                for replica in fresh:
                    await self._launch(replica)
                for replica in fresh:
                    await replica.settled.wait()
        except TimeoutError:
            raise DeployError(f"{self.deployment.name} was not ready after {timeout:g} s") from None
        failed = next((replica for replica in fresh if replica.status != "ready"), None)
        if failed is not None:
            raise StartFailed(self.deployment.name, failed.cause, failed.failure)

    async def _launch(self, replica: Replica) -> None:
        replica.asked_for = True
        await self.launcher.start(replica, self.deployment.name, on_exit=self._exited, on_going=self._going)

    def _see_off(self, replica: Replica, grace: float) -> None:
        if replica.status != "dead" and not replica.asked_for:
            replica.status = "dead"
        elif replica.status != "dead":
            self.leaving.add(replica)
            replica.stop(grace)

    def _exited(self, replica: Replica) -> None:
        self.leaving.discard(replica)
        self.dead.append(replica)
        while len(self.dead) > KEEP_DEAD:
            self.tasks.spawn(places.clear(self.launcher.places.replica(self.dead.pop(0).id), keep=False))
        self.tasks.spawn(places.clear(self.launcher.places.replica(replica.id), keep=True))
        if replica not in self.replicas:
            return
        self.replicas.remove(replica)
        self.last_cause, self.last_failure = replica.cause, replica.failure
        self.false_starts = 0 if replica.answered else self.false_starts + 1
        self._announce()
        if not self.closed and len(self.replicas) < self.wanted:
            # One that was ended for a call that took too long, or has asked to go, was not at fault.
            excused = replica.excused or replica.cause_kind == "timeout"
            fault = not excused and time.time() - replica.started <= STEADY
            self.failures = self.failures + 1 if fault else 0
            log.warning("%s: replica %s died (%s), replacing it", self.deployment.name, replica.id, replica.cause)
            self.tasks.spawn(self._replace())

    def _going(self, replica: Replica) -> None:
        """It wants to be replaced: that begins at once, while it still answers what it has. Not so where it has a card,
        which the other one needs.
        """
        if replica not in self.replicas or self.closed or self.options.gpu:
            return
        replica.status = "draining"
        self.replicas.remove(replica)
        self.leaving.add(replica)
        self.false_starts = 0
        self._announce()
        self.tasks.spawn(self.fill())

    async def _replace(self) -> None:
        # The first time at once: most deaths are accidents. Then more and more slowly.
        if self.failures > 1:
            await asyncio.sleep(min(BACKOFF * 2 ** (self.failures - 2), BACKOFF_LIMIT))
        await self.fill()

    async def fill(self) -> None:
        """Start what is missing."""
        async with self._turn:
            while not self.closed and self.version is not None and len(self.replicas) < self.wanted:
                replica = Replica(self.version)
                self.replicas.append(replica)
                self.tasks.spawn(self._watch(replica))
                await self._launch(replica)
                if replica.status == "dead":  # it could not even be asked for; its exit has ordered another, later
                    return

    async def _watch(self, replica: Replica) -> None:
        await replica.settled.wait()
        if replica.answered:
            self.false_starts = 0
        self._announce()

    async def scale(self, count: int) -> None:
        """So many replicas from now on.

        Raises:
            OptionError: several replicas of one stateful object.
        """
        check_replicas(self.deployment.name, self.options, count, stateful(self.version))
        self.wanted = count
        await self.fill()
        going = self.replicas[count:]
        del self.replicas[count:]
        for replica in going:
            self._see_off(replica, DRAIN)
        self._announce()

    async def connect(self, wait: float, dead: set[str]) -> list[Replica]:
        """Replicas to send calls to; not those that the caller has found `dead`, unless they turn out to live.

        Raises:
            StartFailed: the object cannot be made.
            NotReady: none came up within `wait` seconds.
        """
        end = time.monotonic() + wait
        if self.wanted == 0:
            await self.scale(1)
        doubted = {r.id for r in self.ready()} & dead
        believed = time.monotonic() + DOUBT
        while True:
            self.check_open()
            now = time.monotonic()
            found = [r for r in self.ready() if r.id not in dead or (r.id in doubted and now >= believed)]
            if found:
                return found
            if self.false_starts > 1:
                raise StartFailed(self.deployment.name, self.last_cause, self.last_failure)
            if now >= end:
                cause = f"; the last one ended: {self.last_cause}" if self.last_cause else ""
                raise NotReady(f"{self.deployment.name} has no replica that answers{cause}")
            until = min(end, believed) if doubted and now < believed else end
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), until - now)

    def check_open(self) -> None:
        """Raises NotReady when it is being deleted, or its worker stopped."""
        if self.closed:
            raise NotReady(f"{self.deployment.name} is being stopped; try again in a moment")

    async def close(self, grace: float = DRAIN) -> None:
        """End all replicas."""
        self.closed = True
        going, self.replicas = [*self.replicas, *self.leaving], []
        for replica in going:
            self._see_off(replica, grace)
        self._announce()
        for replica in going:
            await replica.gone.wait()


class StartFailed(DeployError):
    """The user's object could not be made; `failure` is the encoded exception."""

    def __init__(self, name: str, cause: str, failure: bytes = b"") -> None:
        super().__init__(f"{name} could not be started: {cause}")
        self.failure = failure


class Servings:
    """All servings of a worker."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.by_name: dict[str, Serving] = {}
        self.pinned: dict[tuple[str, int], Serving] = {}  # deployment and version, of those that are not live

    def get(self, name: str) -> Serving:
        """The serving.

        Raises:
            NotFound: there is none of that name.
        """
        found = self.by_name.get(name)
        if found is None:
            raise NotFound(f"no serving {name!r} on this worker")
        return found

    def ensure(self, deployment: DeploymentRow) -> Serving:
        found = self.by_name.get(deployment.name)
        if found is None or found.closed or found.deployment.id != deployment.id:
            found = self.by_name[deployment.name] = Serving(deployment, self.launcher)
        return found

    def at(self, name: str, version: VersionRow) -> Serving:
        """The replicas of a version that callers have named: those that are live, or one of its own, started now.

        It stays until the deployment is deleted or the worker stops; the next call starts it again.

        Raises:
            NotFound: there is no such serving.
        """
        live = self.get(name)
        if live.version is not None and live.version.number == version.number:
            return live
        key = live.deployment.id, version.number
        found = self.pinned.get(key)
        if found is None or found.closed:
            found = self.pinned[key] = Serving(live.deployment, self.launcher)
            found.version = version
            found.tasks.spawn(found.fill())
        return found

    def every(self, name: str) -> list[Serving]:
        """That of the live version, and those of others that have been named."""
        live = self.get(name)
        return [live, *(s for (deployment, _), s in self.pinned.items() if deployment == live.deployment.id)]

    async def restore(self, deployment: DeploymentRow, version: VersionRow) -> None:
        """After a start of the worker: bring a serving back up in the background."""
        serving = self.ensure(deployment)
        serving.version = version
        serving.wanted = max(1, serving.options.min_replicas)
        serving.tasks.spawn(serving.fill())

    async def delete(self, name: str) -> None:
        if name not in self.by_name:
            return
        going = self.every(name)
        del self.by_name[name]
        self.pinned = {key: serving for key, serving in self.pinned.items() if serving not in going}
        await asyncio.gather(*(serving.close() for serving in going))

    async def close(self, grace: float) -> None:
        every = [*self.by_name.values(), *self.pinned.values()]
        await asyncio.gather(*(serving.close(grace) for serving in every))


def stateful(version: VersionRow | None) -> bool:
    """Whether the object may carry state from call to call: everything but a function."""
    schema: dict[str, Any] = json.loads(version.schema_json or "{}") if version else {}
    return not schema.get("stateless", False)


def check_replicas(name: str, options: Options, count: int, has_state: bool) -> None:
    """Refuse several replicas of one object.

    Raises:
        OptionError: `count` is over 1 and the object keeps state that the replicas would not share.
    """
    if count > 1 and has_state and not options.stateless:
        raise OptionError(
            f"{name}: {count} replicas of a stateful object would each have a state of their own; "
            "set stateless=True if its calls do not depend on one another"
        )
