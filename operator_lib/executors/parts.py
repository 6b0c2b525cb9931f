"""Parts: processes of operators inside another one's, because they ask for other resources.

The process around asks for one with ``{"part": {...}}`` and hears of it over a named pipe in the part's folder: a line
``{"address": ...}`` when it answers calls, a line ``{"exit": [why, words]}`` when it has ended. No part outlives the
process that has asked for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from operator_lib.engine.process import HEARD, STATE, Exit, ProcessSpec
from operator_lib.executors.base import Listener, Process, Room
from operator_lib.executors.gpus import Taken
from operator_lib.executors.limits import allowance, threads
from operator_lib.options import Options

Spawn = Callable[[ProcessSpec, Listener], Awaitable[Process]]


class Parts:
    """Those of one process."""

    def __init__(self, owner: ProcessSpec, spawn: Spawn, room: Room) -> None:
        self._owner = owner
        self._spawn = spawn
        self._room = room
        self._going: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()

    @property
    def any(self) -> bool:
        """Whether there are some."""
        return bool(self._going)

    def ask(self, wanted: dict[str, Any]) -> None:
        """Start one, as the process asks for it."""
        task = asyncio.create_task(self._run(wanted))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _run(self, wanted: dict[str, Any]) -> None:
        folder = Path(wanted["folder"])
        options = Options.from_json(wanted["options"])
        waiting = asyncio.ensure_future(self._room.wait(options, "part", self._owner.name))
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait([waiting, ending], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        taken = Taken()
        try:
            taken = waiting.result()
            ended = await self._live(self._spec(wanted, folder, options, taken), folder, ending)
            said = [ended.stopped, ended.words()]
        except Exception as problem:
            said = ["start", f"its process could not be started: {problem}"]
        finally:
            ending.cancel()
            self._room.give_back(taken)
        _say(folder, {"exit": said})

    async def _live(self, spec: ProcessSpec, folder: Path, ending: asyncio.Future[Any]) -> Exit:
        gone: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

        def hear(message: dict[str, Any]) -> None:
            if "ready" in message:
                _say(folder, {"address": message["ready"]["address"]})
            elif "exit" in message:
                gone.set_result(message["exit"])

        process = await self._spawn(spec, hear)
        await asyncio.wait([gone, ending], return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            process.stop("drain", 0)
        return await gone

    def _spec(self, wanted: dict[str, Any], folder: Path, options: Options, taken: Taken) -> ProcessSpec:
        owner = self._owner
        own = {env.name: env.default for env in options.environment_variables if env.default is not None}
        spec = replace(
            owner,
            kind="part",
            id=f"{owner.id}-{folder.name}",
            folder=str(folder),
            events=str(folder / "events"),
            operator=wanted["operator"],
            sampling="",  # its calls are told as those of the process around it, under other numbers
            shared=owner.shared or str(Path(owner.events).parent / STATE),
            token=wanted["token"],
            timeout=None,
            env=owner.env | threads(options) | own | taken.environment,
            groups=(),
            cores=(),
            place=taken.place,
            **allowance(options),
        )
        spec.write()
        return spec

    async def end(self) -> None:
        """The process is gone: so are its parts."""
        self._ending.set()
        if self._going:
            await asyncio.wait(self._going)


def tend(spec: ProcessSpec, spawn: Spawn, room: Room, listener: Listener, over: Callable[[], None]) -> Listener:
    """What hears a process in front of `listener`: it starts the parts that are asked for. When the process is gone it
    ends them, and only then it calls `over` and passes the exit on.
    """
    parts = Parts(spec, spawn, room)

    def end(message: dict[str, Any]) -> None:
        over()
        listener(message)

    def hear(message: dict[str, Any]) -> None:
        if "part" in message:
            parts.ask(message["part"])
        elif "exit" in message and parts.any:
            asyncio.ensure_future(parts.end()).add_done_callback(lambda _: end(message))
        elif "exit" in message:
            end(message)
        else:
            listener(message)

    return hear


def _say(folder: Path, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        fd = os.open(folder / HEARD, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(fd, json.dumps(message).encode() + b"\n")
        finally:
            os.close(fd)
