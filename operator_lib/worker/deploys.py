"""Making a version of an uploaded folder: files, environment, a first start, and only then the switch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast

from operator_lib import options as option_rules
from operator_lib.errors import DeployError, NotFound, NotReady, OptionError, PythonVersionMismatch
from operator_lib.executors.base import Needs
from operator_lib.options import Options
from operator_lib.package import environment
from operator_lib.package import manifest as manifests
from operator_lib.package import paths as path_rules
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker import places
from operator_lib.worker.applied import options_of
from operator_lib.worker.blobs import SHA256, Blobs
from operator_lib.worker.places import Places
from operator_lib.worker.replicas import Launcher, Replica
from operator_lib.worker.runs import Runs
from operator_lib.worker.secrets import Secrets
from operator_lib.worker.serving import StartFailed
from operator_lib.worker.servings import Servings
from operator_lib.worker.statefulness import check_replicas, check_snapshot
from operator_lib.worker.store.base import DeploymentRow, Store, VersionRow

OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NAME = re.compile(r"[A-Za-z0-9!_\-.*'()]{1,200}\Z")
KINDS = {common.DEPLOYMENT_KIND_JOB: "job", common.DEPLOYMENT_KIND_SERVING: "serving"}
# Seconds that a deploy waits for object storage that is away.
KEEPING = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Something to tell the caller while a deploy goes on."""

    log: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The end of a deploy."""

    deployment: DeploymentRow
    version: VersionRow
    unchanged: bool


class Deploys:
    """Deploys, one at a time for each name."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        where: Places,
        launcher: Launcher,
        servings: Servings,
        runs: Runs,
        secrets: Secrets,
    ) -> None:
        self.store = store
        self.blobs = blobs
        self.places = where
        self.launcher = launcher
        self.servings = servings
        self.runs = runs
        self.secrets = secrets
        self._locks: dict[str, asyncio.Lock] = {}

    async def problems(self, request: pb.DeployRequest) -> list[str]:
        """Why this request cannot be carried out, in words."""
        found = await self._mistakes(request) or await self._lacking(request)
        if request.python != OWN_PYTHON and request.python not in (pythons := await self.launcher.executor.pythons()):
            found.append(f"python: this worker has {', '.join(pythons)}, the operator needs {request.python}")
        return found

    async def _mistakes(self, request: pb.DeployRequest) -> list[str]:
        found: list[str] = []
        if not NAME.match(request.name):
            found.append(f"name: must match {NAME.pattern[:-2]}, got {request.name!r}")
        if request.kind not in KINDS:
            found.append("kind: must be job or serving")
        if not SHA256.fullmatch(request.fingerprint):
            found.append("fingerprint: must be 64 hex digits")
        try:
            path_rules.check_manifest([file.path for file in request.manifest.files])
        except DeployError as error:
            found.append(str(error))
        try:
            chosen = Options.from_json(an_object("options_json", request.options_json))
            schema = an_object("schema_json", request.schema_json)
            an_object("dag_json", request.dag_json)
            for said in an_object("parts_json", request.parts_json).values():
                Options.from_json(said)
            found += [f"{name}: this worker cannot apply it" for name in option_rules.unsupported(chosen)]
            found += await self.secrets.missing(chosen, schema)
            check_replicas(request.name, chosen, chosen.max_replicas, not schema.get("stateless", False))
            check_snapshot(request.name, chosen)
        except (OptionError, ValueError) as error:
            found.append(str(error))
        return found

    async def _lacking(self, request: pb.DeployRequest) -> list[str]:
        chosen = Options.from_json(an_object("options_json", request.options_json))
        lacks = await self.launcher.executor.lacks(chosen)
        for path, said in an_object("parts_json", request.parts_json).items():
            lacks += [f"{path}.{lack}" for lack in await self.launcher.executor.lacks(Options.from_json(said))]
        return [f"{request.name}.{lack}" for lack in lacks]

    async def deploy(self, request: pb.DeployRequest) -> AsyncIterator[Progress | Deployed]:
        """Carry it out.

        Raises:
            DeployError: refused or failed; what was live before stays live.
            PythonVersionMismatch: there is no such Python here.
            NotReady: the worker is stopping.
        """
        found = await self._mistakes(request) or await self._lacking(request)
        if found:
            raise DeployError("\n".join(found))
        if not self.runs.queue.accepting:
            raise NotReady("the worker is stopping; try again in a moment")
        if request.python != OWN_PYTHON and request.python not in await self.launcher.executor.pythons():
            raise PythonVersionMismatch(
                f"{request.name} needs Python {request.python}; this worker has Python "
                f"{', '.join(await self.launcher.executor.pythons())}: deploy from one of these, or install it there"
            )
        async with self._lock(request.name, KINDS[request.kind]):
            async for step in self._locked(request):
                yield step

    async def _locked(self, request: pb.DeployRequest) -> AsyncIterator[Progress | Deployed]:
        kind = KINDS[request.kind]
        live = await self.store.deployment(name=request.name, kind=kind)
        if live is not None and live.live_version:
            current = await self.store.version(live.id, live.live_version)
            if current is not None and current.fingerprint == request.fingerprint:
                yield Deployed(live, current, True)
                return
        await self._require_uploads(request)
        deployment, version, _ = await self.store.put_version(
            request.name,
            kind,
            fingerprint=request.fingerprint,
            python=request.python,
            requirements=request.requirements,
            manifest=request.manifest.SerializeToString(),
            entry_sha256=request.entry.sha256,
            entry_size=request.entry.size,
            options_json=request.options_json,
            schema_json=request.schema_json,
            dag_json=request.dag_json,
            env_key=environment.key(request.requirements, request.python, request.options_json),
        )
        me = self.runs.queue.me
        if kind == "serving" and me and not await self.store.hold(me, deployment.id):
            raise NotReady(f"another worker has just begun to deploy {request.name}; try again in a moment")
        try:
            async for step in self._prepare(version):
                yield step
            yield Progress(phase="starting")
            if kind == "serving":
                await self.servings.ensure(deployment).switch(version, request.timeout or 600.0)
            else:
                await self._try(deployment, version, request.timeout or 600.0)
        except BaseException as error:
            if version.status != "ready":  # one that has worked before can still be gone back to
                about = str(error)[:2000] or type(error).__name__
                await self.store.set_version_status(deployment.id, version.number, "failed", about)
            raise
        await self.store.set_version_status(deployment.id, version.number, "ready", "")
        await self.store.make_live(deployment.id, version.number)
        now_live = await self.store.deployment(id=deployment.id)
        ready = await self.store.version(deployment.id, version.number)
        if now_live is None or ready is None:
            raise NotFound(f"{request.name} was deleted meanwhile")
        yield Deployed(now_live, ready, False)

    async def _require_uploads(self, request: pb.DeployRequest) -> None:
        named = [(f.sha256, f.size, f.path) for f in request.manifest.files]
        named.append((request.entry.sha256, request.entry.size, "(the operator itself)"))
        lost = await self.blobs.aside(self.blobs.keep, [(sha, size) for sha, size, _ in named], KEEPING)
        if lost:
            raise DeployError(f"not uploaded: {', '.join([path for sha, _, path in named if sha in lost][:5])}")

    def _unpack(self, version: VersionRow) -> None:
        """Have the files of a version and its entry ready for processes, fetched from where they are kept if need be.

        Raises:
            ObjectsError: that is away for long, or refuses.
        """
        self.blobs.bring([version.entry_sha256])
        target = self.places.source(version.fingerprint)
        if target.exists():
            return
        files = pb.Manifest.FromString(version.manifest).files
        self.blobs.bring([file.sha256 for file in files])
        with contextlib.suppress(FileExistsError):  # the same content under another name, just now
            manifests.materialise(((f.path, f.sha256, f.executable) for f in files), self.blobs.path, target)

    async def _prepare(self, version: VersionRow) -> AsyncIterator[Progress]:
        """Build the environment, handing on its log as it comes."""
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        task = asyncio.create_task(self.environment_of(version, lines.put_nowait))
        task.add_done_callback(lambda _: lines.put_nowait(None))
        try:
            begun = False
            while (line := await lines.get()) is not None:
                if not begun:
                    yield Progress(phase="environment")
                begun = True
                yield Progress(log=line)
            await self.launcher.executor.prepare(await task)
        finally:
            if not task.done():
                task.cancel()

    async def environment_of(self, version: VersionRow, tell: Callable[[str], Any] = lambda line: None) -> str:
        """The executor's word for the environment of a version, which is built if need be; its files are there then."""
        source = self.places.source(version.fingerprint)
        if not (self.blobs.here(version.entry_sha256) and source.exists()):
            await self.blobs.aside(self._unpack, version)
        needs = Needs(version.env_key, version.requirements, version.python, source, options_of(version))
        return await self.launcher.executor.environment(needs, tell)

    async def cached(self, request: pb.DeployRequest) -> bool:
        """Whether the environment that this request needs is there."""
        try:
            options = Options.from_json(an_object("options_json", request.options_json))
        except ValueError:  # which `problems` says
            return False
        key = environment.key(request.requirements, request.python, request.options_json)
        source = (
            self.places.source(request.fingerprint) if SHA256.fullmatch(request.fingerprint) else self.places.sources
        )
        needs = Needs(key, request.requirements, request.python, source, options)
        return await self.launcher.executor.cached(needs)

    async def _try(self, deployment: DeploymentRow, version: VersionRow, timeout: float) -> None:
        """Make the operator of a job once, so that what cannot be imported or constructed fails the deploy."""
        probe = Replica(version)
        try:
            async with asyncio.timeout(timeout):
                await self.launcher.start(probe, deployment.name, kind="check")
                await probe.gone.wait()
        except TimeoutError:
            raise DeployError(f"{deployment.name} could not be made within {timeout:g} s") from None
        finally:
            probe.stop(0)
            self.runs.tasks.spawn(self._discard(probe))
        if probe.failure or probe.cause != "exit 0":
            raise StartFailed(deployment.name, probe.cause, probe.failure)

    async def _discard(self, probe: Replica) -> None:
        if probe.process is not None:
            await probe.gone.wait()
        await places.clear(self.places.replica(probe.id), keep=False)

    def _lock(self, name: str, kind: str) -> asyncio.Lock:
        return self._locks.setdefault(f"{kind}:{name}", asyncio.Lock())

    async def _find(self, name: str, kind: str | None) -> DeploymentRow:
        deployment = await self.store.deployment(name=name, kind=kind)
        if deployment is None:
            raise NotFound(f"no deployment {name!r} on this worker")
        return deployment

    async def rollback(self, name: str, number: int, kind: str | None = None) -> DeploymentRow:
        """Make an earlier version live again.

        Raises:
            NotFound: no such deployment or version.
            DeployError: that version never worked.
        """
        deployment = await self._find(name, kind)
        async with self._lock(name, deployment.kind):
            version = await self.store.version(deployment.id, number)
            if version is None:
                raise NotFound(f"{name} has no version {number}")
            if version.status != "ready":
                raise DeployError(f"version {number} of {name} is {version.status}: {version.message}")
            if deployment.kind == "serving":
                await self.servings.ensure(deployment).switch(version, 600.0)
            await self.store.make_live(deployment.id, number)
            return await self._find(name, deployment.kind)

    async def delete(self, name: str, kind: str | None = None) -> None:
        """Remove a deployment: its replicas end, its runs in flight finish, its name is free.

        Raises:
            NotFound: no such deployment.
        """
        deployment = await self._find(name, kind)
        async with self._lock(name, deployment.kind):
            await self.store.delete_deployment(name, deployment.kind)
            if deployment.kind == "serving":
                await self.servings.delete(name)


def an_object(field: str, text: str) -> dict[str, Any]:
    """What a JSON text says; empty for an empty one.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"{field}: {problem}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{field}: must be a JSON object")
    return cast("dict[str, Any]", value)
