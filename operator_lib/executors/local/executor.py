"""Processes on this machine: one zygote per interpreter, a fork of it per run or replica."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

from operator_lib.engine import marks
from operator_lib.engine.process import SPEC, ProcessSpec
from operator_lib.executors.base import Listener, Log, Needs, Room
from operator_lib.executors.gpus import Cards
from operator_lib.executors.leash import Leashed, hand_over
from operator_lib.executors.limits import Means, machine
from operator_lib.executors.local import recipes
from operator_lib.executors.local.environments import Environments
from operator_lib.executors.local.zygote import Zygote, base_environment
from operator_lib.executors.parts import tend
from operator_lib.options import Options

# Seconds for shims to clear up when the worker goes.
CLEAR_UP = 3.0


class LocalProcess(Leashed):
    """One shim and what is below it."""

    def __init__(self, channel: socket.socket, run_id: str, listener: Listener) -> None:
        super().__init__(channel, listener)
        self._run_id = run_id

    async def _clear_up(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        await asyncio.to_thread(marks.kill_marked, marks.RUN, self._run_id)


class LocalExecutor:
    """See `operator_lib.executors.base.Executor`."""

    def __init__(self, home: Path, environments: Environments | None = None, owner: str = "") -> None:
        """
        Args:
            environments: those that it shares with others; by default it has its own.
            owner: home of the worker that its processes belong to, where that is another one.
        """
        self._home = home
        self._owner = owner or str(home)
        self._zygotes: dict[str, asyncio.Task[Zygote]] = {}
        self._processes: set[LocalProcess] = set()
        self._environments = environments or Environments(home)
        self.means = Means(home)
        self.cards = Cards()
        self.room: Room = self.cards
        self.across = False

    async def lacks(self, options: Options) -> list[str]:
        lack = await self.cards.lack(options.gpu)
        return [
            *machine(self._home).lacks(options),
            *([lack] if lack else []),
            *await recipes.unmet(options.image),
        ]

    async def pythons(self) -> list[str]:
        return await self._environments.pythons()

    def known_pythons(self) -> list[str]:
        return self._environments.known_pythons()

    async def cached(self, needs: Needs) -> bool:
        return self._environments.installed(needs.key)

    async def environment(self, needs: Needs, log: Log) -> str:
        commands = needs.options.image.run_commands if needs.options.image is not None else ()
        made = await self._environments.ensure(needs.key, needs.requirements, needs.python, needs.source, log, commands)
        return str(made)

    def variables(self) -> dict[str, str]:
        return base_environment(self._home)

    async def reclaim(self, alone: bool = True) -> None:
        if alone:
            await asyncio.to_thread(marks.kill_marked, marks.HOME, str(self._home))
        await asyncio.to_thread(self.means.prepare, alone)

    async def prepare(self, environment: str = "") -> None:
        await self._zygote(environment or sys.executable)

    async def _zygote(self, python: str) -> Zygote:
        task = self._zygotes.get(python)
        if task is not None and task.done() and (task.exception() or task.result().popen.poll() is not None):
            task = None
        if task is None:
            task = asyncio.create_task(self._start(python))
            self._zygotes[python] = task
        return await asyncio.shield(task)

    async def _start(self, python: str) -> Zygote:
        zygote = Zygote(python, self._home, self._owner)
        try:
            await zygote.ready()
        except BaseException:
            zygote.close()
            raise
        return zygote

    async def spawn(self, environment: str, spec: ProcessSpec, listener: Listener) -> LocalProcess:
        held = self.means.hold(spec)
        if held is not spec:
            held.write()
        try:
            channel = await self._fork(environment, Path(spec.folder) / SPEC)
        except BaseException:
            self.means.let_go(held)
            raise
        await hand_over(channel, spec)

        def over() -> None:
            self._processes.discard(process)
            self.means.let_go(held)

        hear = tend(spec, lambda part, heard: self.spawn(environment, part, heard), self.room, listener, over)
        process = LocalProcess(channel, spec.id, hear)
        self._processes.add(process)
        return process

    async def _fork(self, python: str, spec_path: Path) -> socket.socket:
        died = False
        while True:
            zygote = await self._zygote(python)
            try:
                return zygote.fork(spec_path)
            except BlockingIOError:
                await asyncio.sleep(0.005)
            except (BrokenPipeError, ConnectionResetError):  # it has just died: once more with a new one
                if died:
                    raise
                died = True
                if self._zygotes.get(python) is not None:
                    del self._zygotes[python]

    def forget(self) -> None:
        """In a fork of this process: hold no leash, so that everything still ends with the one that has started it."""
        for process in self._processes:
            process.forget()
        for task in self._zygotes.values():
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().control.close()

    async def close(self) -> None:
        going = list(self._processes)
        for process in going:
            process.cut()
        if going:
            await asyncio.wait([asyncio.ensure_future(process.gone.wait()) for process in going], timeout=CLEAR_UP)
        for task in self._zygotes.values():
            if not task.done():
                task.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                (await task).close()
