"""A serving: live objects in processes of their own, replaced when they die, exchanged without a failed call."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from operator_lib.errors import DeployError, NotReady, OptionError
from operator_lib.options import Options
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.worker import autoscale, health, places
from operator_lib.worker.applied import elastic, options_of
from operator_lib.worker.autoscale import Scale
from operator_lib.worker.replicas import DRAIN, Launcher, Replica
from operator_lib.worker.statefulness import check_replicas, stateful
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
# Calls that wait, whichever number.
ALL = (1 << 32) - 1


class Serving:
    """The replicas of one deployment. `on_call`: there are none while nobody calls, whatever its options say."""

    def __init__(self, deployment: DeploymentRow, launcher: Launcher, on_call: bool = False) -> None:
        self.on_call = on_call
        self.deployment = deployment
        self.launcher = launcher
        self.version: VersionRow | None = None
        self.replicas: list[Replica] = []
        self.leaving: set[Replica] = set()
        self.dead: list[Replica] = []
        self.wanted = 1
        self.fixed = False  # somebody has said how many
        self.restarts = 0
        self.changed = asyncio.Event()
        self.failures = 0  # deaths in a row, each soon after its start
        self.false_starts = 0  # in a row, that never answered a call
        self.last_cause = ""
        self.last_failure = b""
        self.closed = False
        self.tasks = Tasks()
        self._turn = asyncio.Lock()
        self._scale: Scale | None = None
        self._callers = 0  # who wait for a replica
        self._scaling: asyncio.Task[None] | None = None

    @property
    def options(self) -> Options:
        return options_of(self.version)

    def ready(self) -> list[Replica]:
        return [r for r in self.replicas if r.status == "ready"]

    @property
    def status(self) -> str:
        """``"ready"`` (also when the next call would start a replica), ``"starting"`` or ``"degraded"``."""
        if self.ready() or (self.wanted == 0 and self.version is not None):
            return "ready"
        return "degraded" if self.last_cause else "starting"

    def restore(self, version: VersionRow) -> None:
        """Bring it up in the background, as its options say."""
        said = self.deployment.replicas
        self.fixed = said is not None and not self.on_call and self._may_have(version, said)
        self.wanted = (
            0 if self.on_call else said if self.fixed and said is not None else options_of(version).min_replicas
        )
        self._take(version)
        self.tasks.spawn(self.fill())

    def _may_have(self, version: VersionRow, count: int) -> bool:
        """Whether a version may have so many replicas; an earlier one may not have had state."""
        try:
            check_replicas(self.deployment.name, options_of(version), count, stateful(version))
        except OptionError:
            return False
        return True

    def _take(self, version: VersionRow) -> None:
        """This version is the one from now on."""
        self.version = version
        options = options_of(version)
        self._scale = Scale(options, 0 if self.on_call else options.min_replicas) if self.elastic else None
        if self._scale is not None and self._scaling is None:
            self._scaling = self.tasks.spawn(self._adjust())

    @property
    def elastic(self) -> bool:
        return self.on_call or elastic(self.options)

    def _announce(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def switch(self, version: VersionRow, timeout: float) -> None:
        """Bring up replicas of `version`; only when they answer, let the old ones finish and go.

        Raises:
            DeployError: the new ones did not come up; the old ones go on.
        """
        async with self._turn:
            options = options_of(version)
            wanted = options.min_replicas if self.version is None else self.wanted
            if not self.fixed or not self._may_have(version, wanted):
                wanted = max(1, options.min_replicas, min(wanted, options.max_replicas))
            fresh = [Replica(version, keeps=True) for _ in range(max(1, wanted))]
            try:
                await self._bring_up(fresh, timeout)
            except BaseException:
                for replica in fresh:
                    self._see_off(replica, 0)
                raise
            old, self.replicas = self.replicas, fresh
            self.wanted = wanted
            self._take(version)
            self.failures = self.false_starts = 0
            self._announce()
            told = [self._see_off(replica, DRAIN) for replica in old]
        await asyncio.gather(*filter(None, told))  # who calls after this gets the new version, whoever deployed it
        await self._resize(self.wanted)  # one may have died since, or been there only to see whether it starts

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
        self.tasks.spawn(self._watch(replica))
        if replica.snapshot is not None:  # it goes on from what the one before it leaves
            before = [r for r in self.leaving if r.version.number == replica.version.number]
            await asyncio.gather(*(r.gone.wait() for r in before))
        await self.launcher.start(replica, self.deployment.name, on_exit=self._exited, on_going=self._going)

    def _see_off(self, replica: Replica, grace: float) -> asyncio.Task[None] | None:
        """Have it end; what tells it to leave calls to others from now on, where there are others."""
        if replica.status != "dead" and not replica.asked_for:
            replica.status = "dead"
        elif replica.status != "dead":
            self.leaving.add(replica)
            replica.stop(grace)
            if replica.answered and not self.closed:  # what waits there need not wait until it has done the rest
                return self.tasks.spawn(self._shed(replica, ALL, leave=True))
        return None

    @property
    def known(self) -> list[Replica]:
        """Those that have ended lately, those that are about to, and those that answer."""
        return [*self.dead, *sorted(self.leaving, key=lambda replica: replica.started), *self.replicas]

    def _exited(self, replica: Replica) -> None:
        self.leaving.discard(replica)
        self.dead.append(replica)
        self.tasks.spawn(replica.hang_up())
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
            self.restarts += 1
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
        self.restarts += 1
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
                replica = Replica(self.version, keeps=not self.on_call)
                self.replicas.append(replica)
                await self._launch(replica)
                if replica.status == "dead":  # it could not even be asked for; its exit has ordered another, later
                    return

    async def _watch(self, replica: Replica) -> None:
        await replica.settled.wait()
        if replica.answered:
            self.false_starts = 0
        self._announce()
        if replica.status == "ready":
            if self.elastic:
                self.tasks.spawn(self._share())
            await health.watch(replica, health.OFTEN if self.elastic else health.SELDOM)

    def check_scale(self, count: int) -> None:
        """Raises OptionError: that would be several replicas of one stateful object."""
        check_replicas(self.deployment.name, self.options, count, stateful(self.version))

    async def scale(self, count: int | None) -> None:
        """So many replicas from now on; None: as many as its options say. See `check_scale`."""
        self.fixed = count is not None
        least, most = self.options.min_replicas, self.options.max_replicas
        await self._resize(count if count is not None else max(least, min(self.wanted, most)))

    async def _resize(self, count: int) -> None:
        self.wanted = count
        await self.fill()
        # Those go first that do not answer yet, then those with the least to do.
        self.replicas.sort(key=lambda replica: (replica.status != "ready", -replica.busy))
        going = self.replicas[count:]
        del self.replicas[count:]
        for replica in going:
            self._see_off(replica, DRAIN)
        self._announce()

    async def _adjust(self) -> None:
        """Follow the calls with the number of replicas."""
        while not self.closed:
            await asyncio.sleep(health.OFTEN)
            if self._scale is None or self.fixed or self._turn.locked():
                continue
            loads = [(replica.id, replica.load) for replica in self.ready()]
            want = self._scale.want(loads, self._callers)
            if want != self.wanted:
                log.info("%s: %d replicas from now on, there were %d", self.deployment.name, want, self.wanted)
                await self._resize(want)
            idle = any(not replica.busy for replica in self.ready())
            if idle and any(replica.load.waiting for replica in self.ready()):
                await self._share()

    async def _share(self) -> None:
        """Have calls that wait in a crowd move to where there is room."""
        ready = self.ready()
        await asyncio.gather(*(health.ask(replica) for replica in ready))
        for replica, count in zip(ready, autoscale.excess([r.load for r in ready], 0), strict=True):
            if count:
                await self._shed(replica, count)

    async def _shed(self, replica: Replica, count: int, *, leave: bool = False) -> None:
        """Have it give up calls that wait; their callers take them elsewhere. With `leave` it starts none any more when
        this returns: it has answered, or is gone.
        """
        metadata = (("authorization", f"Bearer {replica.token}"),)
        with health.perhaps_gone():
            request = pb.ShedRequest(count=count, leave=leave)
            await replica.calls().Shed(request, metadata=metadata, timeout=DRAIN if leave else health.PATIENCE)

    async def connect(self, wait: float, dead: set[str]) -> list[Replica]:
        """Replicas to send calls to; not those that the caller has found `dead`, unless they turn out to live.

        Raises:
            StartFailed: the object cannot be made.
            NotReady: none came up within `wait` seconds.
        """
        self._callers += 1
        try:
            return await self._connect(time.monotonic() + wait, dead)
        finally:
            self._callers -= 1

    async def _connect(self, end: float, dead: set[str]) -> list[Replica]:
        doubted = {r.id for r in self.ready()} & dead
        believed = time.monotonic() + DOUBT
        while True:
            self.check_open()
            if self.wanted == 0:
                await self._resize(1)
            now = time.monotonic()
            found = [r for r in self.ready() if r.id not in dead or (r.id in doubted and now >= believed)]
            if found:
                found.sort(key=lambda replica: (replica.busy, replica.offered))
                found[0].offered += 1
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
        if self._scaling is not None:
            self._scaling.cancel()
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
