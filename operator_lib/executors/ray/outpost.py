"""What a worker has on each node of a cluster: a process that starts its runs and replicas there, with the executor
that it would use on its own machine.

Started as ``python -m operator_lib.executors.ray.outpost``, with a line of JSON on its standard input (see `Setup`). It
answers with a line that says where it listens, and serves one worker, over one connection. When that is lost, or when
standard input ends, so does all that it has started.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

import operator_lib
from operator_lib.executors.gpus import present
from operator_lib.executors.leash import LEASE
from operator_lib.executors.limits import machine
from operator_lib.executors.local import recipes
from operator_lib.executors.local.environments import Environments
from operator_lib.executors.local.executor import LocalExecutor
from operator_lib.executors.ray.dwelling import Dwelling
from operator_lib.executors.ray.lease import Leases
from operator_lib.executors.ray.link import WORKER_SILENT, Link
from operator_lib.executors.ray.rooms import NodeRoom
from operator_lib.executors.ray.tenant import Tenant, needs_of
from operator_lib.options import Options
from operator_lib.wire import tls

# Seconds for the worker to come.
CALL = 120.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What an outpost is started with."""

    base: str
    """Folder for the environments of this machine and for the homes of outposts; empty: the user's place for caches."""
    node: str
    """Ray's name of the node."""
    host: str
    """Address at which the worker reaches this node."""
    leases: str
    """Where the tasks that hold resources are met: see operator_lib/executors/ray/lease.py."""
    owner: str
    """Home of the worker, where that is on this machine."""
    token: str
    """SHA-256 of what the worker must show, in hex."""


class Outpost:
    """The state of one."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        base = Path(setup.base or platformdirs.user_cache_path("operator_lib") / "ray")
        self.dwelling = Dwelling(base, setup.node)
        self.home = self.dwelling.home
        self.executor = LocalExecutor(self.home, Environments(base), setup.owner)
        self.link: Link | None = None
        self.leases = Leases(self._say, self._lost)
        self.room = NodeRoom(self._say)
        self.executor.room = self.room
        self.tenants: dict[str, Tenant] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        self.over = asyncio.Event()
        self._unsaid: list[dict[str, Any]] = []

    def _say(self, message: dict[str, Any]) -> None:
        if self.link is not None:
            self.link.send(message)
        else:
            self._unsaid.append(message)

    def _lost(self, lease: str) -> None:
        """Ray has taken back what a process here had been given."""
        for tenant in self.tenants.values():
            if tenant.spec.place == lease:
                tenant.stop("ray", 0)

    async def run(self) -> None:
        """Until it is over."""
        await self.executor.reclaim()
        identity = await asyncio.to_thread(tls.self_signed)
        server = await asyncio.start_server(self._called, self.setup.host, 0, ssl=tls.server_context(identity))
        door = await self.leases.listen(self.setup.leases)
        self._spawn(self._leash())
        self._spawn(self.executor.prepare())
        self._spawn(self._pythons())
        gc.freeze()
        where = {"port": server.sockets[0].getsockname()[1], "certificate": tls.certificate_of(identity)}
        print(json.dumps(where), flush=True)
        asyncio.get_running_loop().call_later(CALL, lambda: self.link or self.over.set())
        await self.over.wait()
        server.close()
        door.close()
        await self.executor.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.gather(*(task for task in self.tasks if task.get_name() == "tenant"))
        Path(self.setup.leases).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other nodes of this machine may have theirs beside it
            Path(self.setup.leases).parent.rmdir()
        await asyncio.to_thread(self.dwelling.leave)
        if self.link is not None:  # the last: then the worker ends what holds this process
            await self.link.flush(2)

    async def _pythons(self) -> None:
        self._say({"say": "pythons", "pythons": await self.executor.pythons()})

    async def _leash(self) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()
        self.over.set()

    def _spawn(self, work: Any, name: str = "") -> None:
        task = asyncio.create_task(work, name=name or None)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody is at the door: the worker, if it shows that it is."""
        link = Link(reader, writer, WORKER_SILENT)
        try:
            head, _ = await link.receive()
            shown = hashlib.sha256(str(head.get("token", "")).encode()).hexdigest()
            if self.link is not None or not hmac.compare_digest(shown, self.setup.token):
                return
            self.link = link
            link.send(await asyncio.to_thread(self._about))
            for message in self._unsaid:
                link.send(message)
            while True:
                head, body = await link.receive()
                await self._do(head, body)
        except EOFError:
            pass
        finally:
            if self.link is link:
                self.over.set()
            else:
                link.close()

    def _about(self) -> dict[str, Any]:
        """What there is here."""
        there = machine(self.home)
        return {
            "say": "hello",
            "version": operator_lib.__version__,
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "machine": [there.cpu, there.memory, there.disk],
            "cards": [card.name for card in present()],
            "here": identity(),
        }

    async def _do(self, head: dict[str, Any], body: bytes) -> None:
        match head["do"]:
            case "file":
                self.dwelling.take(head, body)
            case "start":
                self._spawn(self._house(head), "tenant")
            case "stop":
                if head["id"] in self.tenants:
                    self.tenants[head["id"]].stop(head["cause"], head["grace"])
            case "lease":
                LEASE.renew(time.monotonic() + head["left"])
            case "free":
                self.leases.free(head["id"])
            case "room":
                self.room.answered(head)
            case "environment":
                self._spawn(self._build(head))
            case "image":
                self._spawn(self._judge(head))
            case "end":
                self.over.set()
            case other:
                raise ValueError(f"the worker asks for {other!r}, which this version of operator_lib does not know")

    async def _house(self, asked: dict[str, Any]) -> None:
        assert self.link is not None
        # Where it is on the worker's machine, a replica is reached as the worker is.
        host = "" if self.setup.owner else self.setup.host
        tenant = Tenant(self.executor, self.link, asked, self.home, host)
        self.tenants[tenant.id] = tenant
        try:
            await tenant.live()
        finally:
            del self.tenants[tenant.id]

    async def _judge(self, asked: dict[str, Any]) -> None:
        """What of an image cannot be had here."""
        unmet = await recipes.unmet(Options.from_json(asked["options"]).image)
        self._say({"say": "unmet", "n": asked["n"], "unmet": unmet})

    async def _build(self, asked: dict[str, Any]) -> None:
        """An environment, for a deploy that waits for it and shows its log."""
        n = asked["n"]

        def log(line: str) -> None:
            self._say({"say": "log", "n": n, "line": line})

        try:
            python = await self.executor.environment(needs_of(asked["needs"], self.home), log)
            await self.executor.prepare(python)
            self._say({"say": "built", "n": n})
        except Exception as problem:
            self._say({"say": "unbuilt", "n": n, "why": str(problem), "log": getattr(problem, "log", "")})


def identity() -> list[str]:
    """What processes of one machine that see the same pids have in common."""
    try:
        return [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.readlink("/proc/self/ns/pid")]
    except OSError:
        return []


def main() -> None:
    os.umask(0o077)
    setup = Setup(**json.loads(sys.stdin.readline()))
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        runner.run(Outpost(setup).run())


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster one, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
