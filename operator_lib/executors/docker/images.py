"""Images of versions: built by the engine, once for each content."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from operator_lib.engine import marks
from operator_lib.errors import DeployError, OptionError
from operator_lib.executors.base import Log, Needs
from operator_lib.executors.commands import listen
from operator_lib.executors.docker import context
from operator_lib.executors.docker.engine import Engine, EngineRefused, environment
from operator_lib.executors.docker.recipe import KEPT, SHOWN, Recipe, recipe
from operator_lib.executors.docker.registry import PROXIES, Registry, registry

# Lines of a build that has failed which its error repeats.
SHOWN_LINES = 20


class Images:
    """Those of one worker."""

    def __init__(self, home: Path, base: str) -> None:
        self._home = home
        self._builds = home / "builds"
        self._base = base
        self._locks: dict[str, asyncio.Lock] = {}

    def tidy(self) -> None:
        """Remove what builds that were cut off have left."""
        shutil.rmtree(self._builds, ignore_errors=True)

    async def there(self, engine: Engine, needs: Needs) -> bool:
        """Whether the image is there."""
        if not needs.source.exists():
            return False
        try:
            made = await asyncio.to_thread(recipe, needs, self._base)
        except (OptionError, DeployError):  # which is said when it is built
            return False
        return await self._find(engine, made.tag) is not None

    async def ensure(self, engine: Engine, needs: Needs, log: Log) -> str:
        """The id of the image; built if need be. Each line of the build goes to `log`.

        Raises:
            DeployError: it could not be built; the message has the end of the build's log.
        """
        try:
            made = await asyncio.to_thread(recipe, needs, self._base)
        except OptionError as problem:
            raise DeployError(str(problem)) from None
        async with self._alone(made.key):
            found = await self._find(engine, made.tag)
            if found is None:
                await self._have_base(engine, made.base, log)
                await self._build(engine, made, needs.source, log)
                found = await self._find(engine, made.tag)
            if found is None:
                raise DeployError(f"the image {made.tag} was built, and is gone; is the engine being cleaned up?")
            return found

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncGenerator[None]:
        async with self._locks.setdefault(key, asyncio.Lock()):
            yield

    async def _find(self, engine: Engine, name: str) -> str | None:
        try:
            return (await engine.ask("image", "inspect", "--format", "{{.Id}}", name)).strip()
        except EngineRefused as problem:
            if "no such image" in str(problem).lower():
                return None
            raise DeployError(f"the engine does not answer: {problem}") from None

    async def _have_base(self, engine: Engine, base: str, log: Log) -> None:
        if await self._find(engine, base) is not None:
            return
        status, lines = await self._listen(engine, ["pull", base], log)
        if status:
            raise DeployError(
                f"the base image {base} is not on the engine and could not be pulled: {' '.join(lines[-1:])}\n"
                "load it there (docker load, docker import), or name another one: Image(base=...), or "
                "operator-lib worker start --executor docker --docker-base NAME",
                log="\n".join(lines),
            )

    async def _build(self, engine: Engine, made: Recipe, source: Path, log: Log) -> None:
        known = await registry()
        for place in known.left_out:
            log(f"pip: {place} is a place on the worker's machine that a build cannot see; left out")
        if known.has_credentials and not engine.buildkit:
            raise DeployError(
                "pip's settings on the worker hold credentials, which the engine's old builder would keep in the "
                "image; install BuildKit's command there (docker-buildx-plugin), or take them out of the settings"
            )
        self._builds.mkdir(exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=self._builds) as folder:
            status, lines = await self._run_build(engine, made, source, known, Path(folder), log)
        if status:
            end = "\n".join([line for line in lines if line.strip()][-SHOWN_LINES:])
            raise DeployError(f"the image could not be built:\n{end}", log="\n".join(lines))

    async def _run_build(
        self, engine: Engine, made: Recipe, source: Path, known: Registry, folder: Path, log: Log
    ) -> tuple[int, list[str]]:
        place = "" if not known.configuration else SHOWN if engine.buildkit else KEPT
        build = {"ca.pem": known.certificates} if place else {}
        command = ["build", "--network", "host", "--tag", made.tag, "--label", "operator-lib=environment"]
        command += ["--file", context.DOCKERFILE]
        for name in PROXIES:  # the value is taken from the environment
            command += ["--build-arg", name]
        if place == SHOWN:
            secret = folder / "pip.conf"
            secret.touch(mode=0o600)
            secret.write_text(known.configuration)
            command += ["--secret", f"id=pip,src={secret}"]
        elif place == KEPT:
            build["pip.conf"] = known.configuration.encode()
        if engine.buildkit:
            command += ["--progress", "plain"]
        packed = folder / "context.tar"
        text = made.dockerfile(pip=place)
        with open(packed, "w+b") as file:
            await asyncio.to_thread(context.write, file, made, source, text, build)
            for line in made.dockerfile().splitlines():
                log(f"  {line}")
            file.seek(0)
            return await self._listen(engine, [*command, "-"], log, file)

    async def _listen(
        self, engine: Engine, command: list[str], log: Log, stdin: IO[bytes] | None = None
    ) -> tuple[int, list[str]]:
        log(f"$ {shlex.join(['docker', *command])}")
        mark = {marks.HOME: str(self._home)}
        return await listen(
            [engine.cli, *command],
            self._home,
            log,
            {**environment(engine.buildkit), **mark},
            stdin,
        )
