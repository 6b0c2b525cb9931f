"""All servings of a worker, and their earlier versions that somebody still calls."""

from __future__ import annotations

import asyncio

from operator_lib.errors import NotFound
from operator_lib.worker import health
from operator_lib.worker.replicas import Launcher, Replica
from operator_lib.worker.serving import Serving
from operator_lib.worker.store.base import DeploymentRow, Store, VersionRow


class Servings:
    """All servings of a worker."""

    def __init__(self, launcher: Launcher, store: Store) -> None:
        self.launcher = launcher
        self.store = store
        self.by_name: dict[str, Serving] = {}
        self._pinned: dict[tuple[str, int], Serving] = {}

    def get(self, name: str) -> Serving:
        """The serving. Raises NotFound."""
        found = self.by_name.get(name)
        if found is None:
            raise NotFound(f"no serving {name!r} on this worker")
        return found

    async def version(self, name: str, version: int = 0) -> Serving:
        """The serving; of an earlier `version` one with processes of its own, which are there while it is called.

        Raises:
            NotFound: there is none of that name, or no such version, or that never worked.
        """
        found = self.get(name)
        if version and (found.version is None or found.version.number != version):
            return await self._pin(found, version)
        return found

    async def _pin(self, live: Serving, number: int) -> Serving:
        deployment = live.deployment
        if self._called(deployment, number) is None:
            version = await self.store.version(deployment.id, number)
            if version is None:
                raise NotFound(f"{deployment.name} has no version {number}")
            if version.status != "ready":
                raise NotFound(f"version {number} of {deployment.name} is {version.status}: {version.message}")
            found = self._called(deployment, number)
            if found is None:  # nobody else has asked for it meanwhile
                found = self._pinned[deployment.id, number] = Serving(deployment, self.launcher, on_call=True)
                found.restore(version)
        return self._pinned[deployment.id, number]

    def _called(self, deployment: DeploymentRow, number: int) -> Serving | None:
        """An earlier version that is called."""
        found = self._pinned.get((deployment.id, number))
        return None if found is None or found.closed else found

    def of(self, name: str) -> list[Serving]:
        """It, and its earlier versions that are called."""
        live = self.by_name.get(name)
        if live is None:
            return []
        return [live, *(pinned for (of, _), pinned in self._pinned.items() if of == live.deployment.id)]

    def replicas(self, name: str) -> list[Replica]:
        """Those of all its versions that are there."""
        return [replica for serving in self.of(name) for replica in [*serving.replicas, *serving.leaving]]

    def find(self, name: str, replica_id: str) -> Replica | None:
        """One that is there, or has ended lately."""
        known = (replica for serving in self.of(name) for replica in serving.known)
        return next((replica for replica in known if replica.id == replica_id), None)

    async def refresh(self, name: str = "", patience: float = 1.0) -> None:
        """Ask the replicas of one serving, or of all, what they have to do; of a silent one the last word counts."""
        names = [name] if name else list(self.by_name)
        replicas = [replica for each in names for replica in self.replicas(each) if replica.status == "ready"]
        await asyncio.gather(*(health.ask(replica, patience) for replica in replicas))

    def ensure(self, deployment: DeploymentRow) -> Serving:
        found = self.by_name.get(deployment.name)
        if found is None or found.closed or found.deployment.id != deployment.id:
            found = self.by_name[deployment.name] = Serving(deployment, self.launcher)
        return found

    def restore(self, deployment: DeploymentRow, version: VersionRow) -> None:
        """After a start of the worker: bring a serving back up in the background."""
        self.ensure(deployment).restore(version)

    async def scale(self, name: str, count: int | None) -> Serving:
        """So many replicas of a serving from now on, whoever starts the worker again; None: as many as its options say.

        Raises:
            NotFound: there is none. OptionError: several replicas of one stateful object.
        """
        serving = self.get(name)
        if count is not None:
            serving.check_scale(count)
        await self.store.set_replicas(serving.deployment.id, count)
        await serving.scale(count)
        return serving

    async def delete(self, name: str) -> None:
        going = self.of(name)
        self.by_name.pop(name, None)
        for serving in going:
            self._pinned = {key: pinned for key, pinned in self._pinned.items() if pinned is not serving}
        await asyncio.gather(*(serving.close() for serving in going))
        for serving in going:
            self.launcher.states.forget(serving.deployment.id)

    async def close(self, grace: float) -> None:
        servings = [*self.by_name.values(), *self._pinned.values()]
        await asyncio.gather(*(serving.close(grace) for serving in servings))
