"""One container, with one process of the user's code and its shim."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

from operator_lib.executors import children
from operator_lib.executors.base import Listener
from operator_lib.executors.docker import leash
from operator_lib.executors.docker.engine import Engine, EngineRefused, environment
from operator_lib.executors.leash import Leashed

# Seconds for the engine to start a container, and for a shim to do what it was told.
START, OBEY = 120.0, 5.0
# Bytes kept of what the command says.
SAID = 4096


class Started:
    """The command ``docker run``: as long as it runs, the container is there."""

    def __init__(self, engine: Engine, name: str, process: children.Child) -> None:
        self.engine = engine
        self.name = name
        self._process = process
        self._said = b""
        self.over = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, engine: Engine, name: str, arguments: list[str]) -> Started:
        """Ask for a container."""
        process = await children.start(
            engine.cli,
            *arguments,
            cwd="/",
            env=environment(engine.buildkit),
            stdin=children.DEVNULL,
            stdout=children.DEVNULL,
            stderr=children.PIPE,
            start_new_session=True,
        )
        return cls(engine, name, process)

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(SAID):
            self._said = (self._said + data)[-SAID:]
        await self._process.wait()

    @property
    def said(self) -> str:
        """The end of what it has said: why there is no container, or why its shim did not come up."""
        return self._said.decode(errors="replace").strip()

    async def accept(self, door: socket.socket) -> socket.socket:
        """The socket of the shim inside.

        Raises:
            OSError: it did not come up.
        """
        loop = asyncio.get_running_loop()
        coming = asyncio.ensure_future(loop.sock_accept(door))
        try:
            await asyncio.wait([coming, self.over], timeout=START, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()[0]
            if not self.over.done():
                raise OSError(f"the engine did not start a container within {START:g} s")
            raise OSError(_explained(self.said))
        except BaseException:
            await asyncio.shield(self.remove())
            raise
        finally:
            coming.cancel()

    async def remove(self) -> None:
        """End the container whatever state it is in."""
        with contextlib.suppress(EngineRefused):  # it is gone
            await self.engine.ask("rm", "--force", self.name)


def _explained(said: str) -> str:
    if "bind source path does not exist" in said:
        return (
            f"the engine cannot see the worker's folders ({said}); it must run on the worker's machine, "
            "and the worker's home must not be hidden from it"
        )
    return f"its container did not start: {said or 'the engine says nothing'}"


class Container(Leashed):
    """See `operator_lib.executors.base.Process`."""

    def __init__(self, channel: socket.socket, started: Started, listener: Listener) -> None:
        self._shim = leash.caller(channel)
        self._started = started
        self._insisting: asyncio.Task[None] | None = None
        super().__init__(channel, listener)

    @property
    def over(self) -> asyncio.Task[None]:
        """Done when there is nothing left of it."""
        return self._started.over

    def stop(self, cause: str, grace: float) -> None:
        super().stop(cause, grace)
        if self._insisting is None:
            self._insisting = asyncio.create_task(self._insist(grace))

    async def _insist(self, grace: float) -> None:
        """A shim that does not do what it is told is not waited for."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), grace + OBEY)
            return
        await self._started.remove()

    async def _clear_up(self) -> None:
        await self._started.remove()

    def _pid(self, told: int) -> int:
        """The shim's child, whose pid inside of the container it has `told`."""
        with contextlib.suppress(OSError):
            for word in Path(f"/proc/{self._shim}/task/{self._shim}/children").read_text().split():
                status = Path(f"/proc/{word}/status").read_text()
                inside = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
                if inside.split()[-1:] == [str(told)]:
                    return int(word)
        return 0
