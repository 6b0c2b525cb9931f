"""One process on a node: brought up as the local executor would, its story told to the worker."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from operator_lib.engine.process import Exit, ProcessSpec
from operator_lib.executors.base import Needs, Process
from operator_lib.executors.folders import furnish
from operator_lib.executors.local.executor import LocalExecutor
from operator_lib.executors.ray import luggage
from operator_lib.executors.ray.link import Link
from operator_lib.executors.ray.returned import Returns
from operator_lib.options import Options

# Seconds between two looks at the files of a process that says nothing.
LOOK = 1.0


class Tenant:
    """It lives as long as its process."""

    def __init__(self, executor: LocalExecutor, link: Link, asked: dict[str, Any], home: Path, host: str) -> None:
        told = luggage.placed(asked["spec"], home)
        host = host if told.kind == "replica" and host else told.host
        self.id: str = asked["id"]
        self.spec: ProcessSpec = replace(told, env=executor.variables() | told.env, host=host)
        self._needs = needs_of(asked["needs"], home)
        self._executor = executor
        self._link = link
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._returns = Returns(link, self.id, self.spec)
        self._process: Process | None = None
        self._told: tuple[str, float] | None = None

    def stop(self, cause: str, grace: float) -> None:
        """See `operator_lib.executors.base.Process`."""
        self._told = cause, grace
        if self._process is not None:
            self._process.stop(cause, grace)

    async def live(self) -> None:
        """From its first moment until all that it has left is on its way to the worker."""
        try:
            python = await self._executor.environment(self._needs, lambda line: None)
            furnish(Path(self.spec.folder), Path(self.spec.source))
            self.spec.write()
            self._returns.begin()
            self._process = await self._executor.spawn(python, self.spec, self._said.put_nowait)
        except Exception as problem:
            self._link.send({"say": "failed", "id": self.id, "why": str(problem)})
        else:
            self._link.send({"say": "begun", "id": self.id})
            if self._told is not None:
                self._process.stop(*self._told)
            while not await self._tell():
                pass
        await asyncio.to_thread(shutil.rmtree, self._own(), ignore_errors=True)

    async def _tell(self) -> bool:
        """Pass on what is new; whether that was the end."""
        said: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(LOOK):
                said.append(await self._said.get())
        except TimeoutError:
            pass
        while not self._said.empty():
            said.append(self._said.get_nowait())
        ended = any("exit" in message for message in said)
        await self._returns.look(ended=ended)
        for message in said:
            if isinstance(exited := message.get("exit"), Exit):
                message = {"exit": asdict(exited)}
            if "events" not in message:  # which the worker knows by what has just come
                self._link.send({"say": "heard", "id": self.id, "message": message})
        await self._link.room()
        return ended

    def _own(self) -> Path:
        """What is on this node for this process alone: the folder of a run, with its history."""
        return Path(self.spec.events).parent if self.spec.kind == "run" else Path(self.spec.folder)


def needs_of(told: dict[str, Any], home: Path) -> Needs:
    """What the worker has said about an environment."""
    return Needs(
        told["key"], told["requirements"], told["python"], home / told["source"], Options.from_json(told["options"])
    )
