"""Processes in containers of real images: one container per run, replica or part."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from operator_lib.engine import marks
from operator_lib.engine.process import ProcessSpec
from operator_lib.executors.base import Listener, Log, Needs, Room
from operator_lib.executors.docker import leash
from operator_lib.executors.docker.command import HOME_LABEL, VISIBLE, command
from operator_lib.executors.docker.container import Container, Started
from operator_lib.executors.docker.engine import Engine, reach
from operator_lib.executors.docker.images import Images
from operator_lib.executors.gpus import Cards
from operator_lib.executors.leash import hand_over
from operator_lib.executors.limits import machine
from operator_lib.executors.parts import tend
from operator_lib.options import Options

# Of the worker's environment, only this reaches a container: the rest is the image's own.
PASSED_ON = frozenset(
    {
        *("USER", "LOGNAME", "TZ", "PYTHONHASHSEED", "HF_ENDPOINT", "HF_HUB_OFFLINE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    }
)
# Versions of Python that there are images of. Whether a chosen base has the right one shows when it is built upon.
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# Seconds for containers to go when the worker goes.
CLEAR_UP = 5.0


class DockerExecutor:
    """See `operator_lib.executors.base.Executor`."""

    def __init__(self, home: Path, base: str) -> None:
        self._home = home
        self._label = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        self._images = Images(home, base)
        self._engine: Engine | None = None
        self._containers: set[Container] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self.cards = Cards()
        self.room: Room = self.cards
        self.across = False

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "reclaim comes first"
        return self._engine

    async def lacks(self, options: Options) -> list[str]:
        lack = await self.cards.lack(options.gpu)
        return [*machine(self._home).lacks(options), *([lack] if lack else [])]

    async def pythons(self) -> list[str]:
        return PYTHONS

    def known_pythons(self) -> list[str]:
        return PYTHONS

    async def cached(self, needs: Needs) -> bool:
        return await self._images.there(self.engine, needs)

    async def environment(self, needs: Needs, log: Log) -> str:
        return await self._images.ensure(self.engine, needs, log)

    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        return {**kept, marks.HOME: str(self._home)}

    async def reclaim(self, alone: bool = True) -> None:
        self._engine = await reach()
        if alone:
            await asyncio.to_thread(marks.kill_marked, marks.HOME, str(self._home))
            await self._remove_all()
            await asyncio.to_thread(self._images.tidy)

    async def _remove_all(self) -> None:
        left = await self.engine.ask("ps", "--all", "--quiet", "--filter", f"label={HOME_LABEL}={self._label}")
        if left.split():
            await self.engine.ask("rm", "--force", *left.split())

    async def prepare(self, environment: str = "") -> None:
        """There is nothing to warm up."""

    async def spawn(self, environment: str, spec: ProcessSpec, listener: Listener) -> Container:
        name = f"operator-lib-{self._label}-{spec.id}-{token_hex(3)}"
        words = command(self.engine, environment, name, self._label, self._home, spec)
        if VISIBLE in spec.env and spec.resources.get("gpu"):
            spec = replace(spec, env={n: value for n, value in spec.env.items() if n != VISIBLE})
            spec.write()
        with leash.listening(Path(spec.folder)) as door:
            started = await Started.start(self.engine, name, words)
            channel = await started.accept(door)
        await hand_over(channel, spec)

        def over() -> None:
            self._containers.discard(container)
            self._leaving.add(container.over)
            container.over.add_done_callback(self._leaving.discard)

        hear = tend(spec, lambda part, heard: self.spawn(environment, part, heard), self.room, listener, over)
        container = Container(channel, started, hear)
        self._containers.add(container)
        return container

    async def close(self) -> None:
        if self._engine is None:
            return
        going = list(self._containers)
        for container in going:
            container.cut()
        ends = [container.over for container in going] + list(self._leaving)
        if ends:
            await asyncio.wait(ends, timeout=CLEAR_UP)
        await self._remove_all()
