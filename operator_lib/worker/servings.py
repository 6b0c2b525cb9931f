"""Servings: live objects in processes of their own, replaced when they die, exchanged without a failed call."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from pathlib import Path
from typing import Any

from operator_lib.engine.process import FAILURE, Exit, ProcessSpec
from operator_lib.errors import DeployError, NotFound, NotReady, OptionError
from operator_lib.executors.base import Executor, Process
from operator_lib.executors.local import base_environment
from operator_lib.options import Options
from operator_lib.worker import places
from operator_lib.worker.ids import new_id
from operator_lib.worker.places import Places
from operator_lib.worker.runs import codecs, environment
from operator_lib.worker.store.base import DeploymentRow, VersionRow

log = logging.getLogger("operator_lib.worker")

# A replica that dies is replaced at once, then after these pauses (seconds, doubling).
BACKOFF = 0.5
BACKOFF_LIMIT = 30.0
# One that lived this long starts the count anew.
STEADY = 30.0
# Seconds that a replica may take to finish calls and see its clients off.
DRAIN = 30.0
# Folders of dead replicas that are kept for their logs, per serving.
KEEP_DEAD = 3


class Replica:
    """One process with one live object."""

    def __init__(self, version: VersionRow) -> None:
        self.id = new_id()
        self.version = version
        self.token = secrets.token_urlsafe(24)
        self.status = "starting"  # ready, draining, dead
        self.address = ""
        self.process: Process | None = None
        self.started = time.time()
        self.cause = ""
        self.failure = b""
        self.settled = asyncio.Event()
        self.gone = asyncio.Event()

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0


class Launcher:
    """Starts replicas of any version; servings and maps use it alike."""

    def __init__(self, where: Places, executor: Executor, python_of: Any, host: str) -> None:
        self.places = where
        self.executor = executor
        self.python_of = python_of
        self.host = host

    async def start(
        self,
        name: str,
        version: VersionRow,
        folder: Path | None = None,
        *,
        on_exit: Any = None,
        kind: str = "replica",
    ) -> Replica:
        """Ask for a process. `Replica.settled` is set when it answers calls, or never will."""
        replica = Replica(version)
        options = Options.from_json(json.loads(version.options_json or "{}"))
        home = folder / replica.id if folder else self.places.replica(replica.id)
        source = self.places.source(version.fingerprint)
        places.furnish(home, source)
        spec = ProcessSpec(
            kind=kind,
            id=replica.id,
            name=name,
            folder=str(home),
            source=str(source),
            entry=str(self.places.blobs / version.entry_sha256[:2] / version.entry_sha256),
            events=str(home / "events"),
            input_codecs=codecs(options),
            output_codec=options.output_encoder,
            env=base_environment() | environment(options),
            host=self.host,
            token=replica.token,
            concurrency=options.concurrency,
        )
        spec.write()

        def hear(message: dict[str, Any]) -> None:
            if "ready" in message:
                replica.address = message["ready"].get("address", "")
                replica.status = "ready"
                replica.settled.set()
            elif "exit" in message:
                self._ended(replica, home, message["exit"])
                if on_exit is not None:
                    on_exit(replica)

        python = await self.python_of(version)
        replica.process = await self.executor.spawn(python, spec, hear)
        return replica

    def _ended(self, replica: Replica, home: Path, ended: Exit) -> None:
        stored = home / FAILURE
        replica.failure = stored.read_bytes() if stored.exists() else b""
        replica.cause = "it failed while it started" if replica.failure else ended.words()
        replica.status = "dead"
        replica.settled.set()
        replica.gone.set()

    async def drain(self, replica: Replica, grace: float = DRAIN) -> None:
        """Let it finish its calls and end."""
        if replica.status != "dead" and replica.process is not None:
            replica.status = "draining"
            replica.process.stop("drain", grace)
            await replica.gone.wait()


class Serving:
    """The replicas of one deployment."""

    def __init__(self, deployment: DeploymentRow, launcher: Launcher) -> None:
        self.deployment = deployment
        self.launcher = launcher
        self.version: VersionRow | None = None
        self.replicas: list[Replica] = []
        self.dead: list[Replica] = []
        self.wanted = 1
        self.changed = asyncio.Event()
        self.failures = 0
        self.last_cause = ""
        self.last_failure = b""
        self.closed = False
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def options(self) -> Options:
        return Options.from_json(json.loads(self.version.options_json or "{}")) if self.version else Options()

    def ready(self) -> list[Replica]:
        return [r for r in self.replicas if r.status == "ready"]

    def _announce(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def switch(self, version: VersionRow, timeout: float) -> None:
        """Bring up replicas of `version`; only when they answer, let the old ones finish and go.

        Raises:
            DeployError: the new ones did not come up; the old ones go on.
        """
        first = self.version is None
        before, self.version = self.version, version
        if first:
            self.wanted = self.options.min_replicas
        old = self.replicas
        fresh = [await self._launch(version) for _ in range(max(1, self.wanted))]
        try:
            async with asyncio.timeout(timeout):
                for replica in fresh:
                    await replica.settled.wait()
        except TimeoutError:
            await self._abandon(fresh, before)
            raise DeployError(f"{self.deployment.name} was not ready after {timeout:g} s") from None
        failed = [r for r in fresh if r.status != "ready"]
        if failed:
            await self._abandon(fresh, before)
            raise StartFailed(self.deployment.name, failed[0])
        self.replicas = fresh
        self.failures = 0
        self._announce()
        for replica in old:
            self.spawn(self.launcher.drain(replica))

    async def _abandon(self, fresh: list[Replica], before: VersionRow | None) -> None:
        self.version = before
        for replica in fresh:
            if replica.process is not None and replica.status != "dead":
                replica.status = "draining"
                replica.process.stop("drain", 0)

    async def _launch(self, version: VersionRow) -> Replica:
        return await self.launcher.start(self.deployment.name, version, on_exit=self._exited)

    def _exited(self, replica: Replica) -> None:
        self.dead.append(replica)
        while len(self.dead) > KEEP_DEAD:
            self.spawn(places.clear(self.launcher.places.replica(self.dead.pop(0).id), keep=False))
        self.spawn(places.clear(self.launcher.places.replica(replica.id), keep=True))
        if replica not in self.replicas:
            return
        self.replicas.remove(replica)
        self.last_cause, self.last_failure = replica.cause, replica.failure
        self._announce()
        if not self.closed and len(self.replicas) < self.wanted:
            self.failures = 0 if time.time() - replica.started > STEADY else self.failures + 1
            log.warning("%s: replica %s died (%s), replacing it", self.deployment.name, replica.id, replica.cause)
            self.spawn(self._replace())

    async def _replace(self) -> None:
        # The first time at once: most deaths are accidents. Then more and more slowly.
        if self.failures > 1:
            await asyncio.sleep(min(BACKOFF * 2 ** (self.failures - 2), BACKOFF_LIMIT))
        await self.fill()

    async def fill(self) -> None:
        """Start what is missing."""
        while not self.closed and self.version is not None and len(self.replicas) < self.wanted:
            replica = await self._launch(self.version)
            if replica.status == "dead":
                return
            self.replicas.append(replica)
            self.spawn(self._watch(replica))

    async def _watch(self, replica: Replica) -> None:
        await replica.settled.wait()
        self._announce()

    async def scale(self, count: int) -> None:
        """So many replicas from now on.

        Raises:
            OptionError: several replicas of one stateful object.
        """
        check_replicas(self.deployment.name, self.options, count, stateful(self.version))
        self.wanted = count
        await self.fill()
        for replica in self.replicas[count:]:
            self.spawn(self.launcher.drain(replica))
        del self.replicas[count:]
        self._announce()

    async def connect(self, wait: float, dead: set[str]) -> list[Replica]:
        """Replicas to send calls to.

        Raises:
            StartFailed: the object cannot be made.
            NotReady: none came up within `wait` seconds.
        """
        end = time.monotonic() + wait
        if self.wanted == 0:
            await self.scale(1)
        while True:
            found = [r for r in self.ready() if r.id not in dead]
            if found:
                return found
            if self.last_failure and self.failures > 1:
                raise StartFailed(self.deployment.name, cause=self.last_cause, failure=self.last_failure)
            left = end - time.monotonic()
            if left <= 0 or self.closed:
                cause = f"; the last one ended: {self.last_cause}" if self.last_cause else ""
                raise NotReady(f"{self.deployment.name} has no replica that answers{cause}")
            try:
                await asyncio.wait_for(self.changed.wait(), left)
            except TimeoutError:
                continue

    async def close(self, grace: float = DRAIN) -> None:
        """End all replicas."""
        self.closed = True
        going, self.replicas = self.replicas, []
        self._announce()
        await asyncio.gather(*(self.launcher.drain(r, grace) for r in going))


class StartFailed(DeployError):
    """The user's object could not be made; `failure` is the encoded exception."""

    def __init__(self, name: str, replica: Replica | None = None, *, cause: str = "", failure: bytes = b"") -> None:
        super().__init__(f"{name} could not be started: {replica.cause if replica else cause}")
        self.failure = replica.failure if replica else failure


class Servings:
    """All servings of a worker."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.by_name: dict[str, Serving] = {}

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

    async def restore(self, deployment: DeploymentRow, version: VersionRow) -> None:
        """After a start of the worker: bring a serving back up in the background."""
        serving = self.ensure(deployment)
        serving.version = version
        serving.wanted = max(1, serving.options.min_replicas)
        serving.spawn(serving.fill())

    async def delete(self, name: str) -> None:
        serving = self.by_name.pop(name, None)
        if serving is not None:
            await serving.close()

    async def close(self, grace: float) -> None:
        await asyncio.gather(*(serving.close(grace) for serving in self.by_name.values()))


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
