"""Processes on the nodes of a Ray cluster. Ray decides where; an outpost on each node starts them there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from pathlib import Path
from typing import Any

import operator_lib
from operator_lib.engine import marks
from operator_lib.engine.process import ProcessSpec
from operator_lib.errors import DeployError
from operator_lib.executors.base import Listener, Log, Needs, Room
from operator_lib.executors.ray.cluster import KEY, OWN_CLUSTER, Cluster
from operator_lib.executors.ray.node import Node, RayProcess
from operator_lib.executors.ray.outpost import identity
from operator_lib.executors.ray.placing import NO_NODE, Places
from operator_lib.options import Options

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
log = logging.getLogger("operator_lib.worker")

# Seconds for the first node to answer; between two tries to come into the cluster again; for outposts to hear the end.
FIRST, AGAIN, END = 120.0, 2.0, 5.0


class RayExecutor:
    """See `operator_lib.executors.base.Executor`."""

    def __init__(self, home: Path, address: str) -> None:
        """`address`: of a cluster, as ``ray.init`` takes it; empty for one of its own."""
        self._home = home
        self._address = address
        self._here = identity()
        self._nodes: dict[str, Node] = {}
        self._cluster: Cluster | None = None
        self._settled = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._needs: dict[str, Needs] = {}
        self._built: set[str] = set()
        self._closing = False
        self._places = Places(self._nodes, lambda: self._cluster)
        self.room: Room = self._places
        self.across = bool(address)

    # --- the cluster ---------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """End what is left of a cluster of our own: parts of Ray take long to notice that the rest is gone."""
        if not self._address:
            await asyncio.to_thread(marks.kill_marked, OWN_CLUSTER, str(self._home / KEY))

    async def reclaim(self, alone: bool = True) -> None:
        if alone:
            await asyncio.to_thread(marks.kill_marked, marks.HOME, str(self._home))
        elif not self._address:
            raise OSError(
                "--executor: another worker of this home is there, and a cluster of its own belongs to one worker; "
                "give the address of a cluster (--executor ray://HOST:PORT)"
            )
        self._cluster = await self._join()
        self._spawn(self._stay())
        try:
            async with asyncio.timeout(FIRST):
                await self._settled.wait()
        except TimeoutError:
            await self.close()
            raise OSError("--executor: no node of the Ray cluster answers; ray.log in the home says more") from None

    async def _join(self) -> Cluster:
        cluster = Cluster(self._home, self._address, lambda message: self._hear(cluster, message))
        try:
            await cluster.start()
        except OSError as problem:
            where = f"the Ray cluster at {self._address}" if self._address else "a Ray cluster of its own"
            raise OSError(f"--executor: {where} cannot be used: {problem}") from None
        return cluster

    async def _stay(self) -> None:
        """When the driver is gone, everything in the cluster is: start anew."""
        while not self._closing:
            assert self._cluster is not None
            await self._cluster.gone.wait()
            while not self._closing:
                log.error("worker: the connection to Ray is lost; trying again")
                await self._cluster.close()
                await self._sweep()
                try:
                    self._cluster = await self._join()
                except OSError as problem:
                    log.error("worker: %s", problem)
                    await asyncio.sleep(AGAIN)
                    continue
                self._places.again()
                break

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _hear(self, cluster: Cluster, message: dict[str, Any]) -> None:
        """What the driver says."""
        if "node" in message:
            self._spawn(self._settle(cluster, message["node"]))
        elif "gone" in message:
            node = self._nodes.get(message["gone"])
            log.warning("worker: %s", message["why"])
            if node is not None:
                node.why_gone = message["why"]
                self._spawn(node.leave(0))
        elif "lost" in message:
            self._places.lost(message["lost"], message["why"])
        elif "free" in message:
            self._places.free = message["free"]

    async def _settle(self, cluster: Cluster, told: dict[str, Any]) -> None:
        """A node has joined: until it goes."""
        node = Node(told, self._home, self._here)
        node.on_say = self._asked
        try:
            await node.call(cluster.token)
        except (OSError, EOFError) as problem:
            log.warning(
                "worker: node %s cannot be reached at %s:%s: %s", node.name, told["host"], told["port"], problem
            )
            return
        if (node.about.version, node.about.python) != (operator_lib.__version__, OWN):
            log.warning(
                "worker: node %s is not used: it has operator_lib %s on Python %s, this worker %s on Python %s",
                *(node.name, node.about.version, node.about.python, operator_lib.__version__, OWN),
            )
            await node.leave(END)
            return
        log.info("worker: node %s joined: %g CPU", node.name, node.resources.get("CPU", 0))
        self._nodes[node.id] = node
        self._settled.set()
        try:
            await node.listen()
        finally:
            if self._nodes.get(node.id) is node:
                del self._nodes[node.id]

    def _asked(self, node: Node, head: dict[str, Any]) -> None:
        """An outpost speaks of room."""
        match head["say"]:
            case "held":
                self._places.held(node, head)
            case "lost":
                self._places.lost(head["id"], "it was taken back")
            case "room":
                self._spawn(self._beside(node, head))
            case "free":
                self._places.give_back(self._places.given(head["id"]))
            case _:
                pass

    async def _beside(self, node: Node, head: dict[str, Any]) -> None:
        """Room for a part, where the process around it is."""
        options = Options.from_json(head["options"])
        answer: dict[str, Any]
        try:
            given = await self._places.ask(options, head["what"], head["name"], [node.id])
            answer = {"id": given.place, "cards": list(given.numbers)}
        except Exception as problem:
            answer = {"why": str(problem)}
        node.say({"do": "room", "n": head["n"], **answer})

    # --- what it can do ------------------------------------------------------------------------------------------

    async def lacks(self, options: Options) -> list[str]:
        found = self._places.lacks(options)
        return found if found or options.image is None else await self._any().unmet(options)

    async def pythons(self) -> list[str]:
        return self.known_pythons()

    def known_pythons(self) -> list[str]:
        """Those that every node has; the same as the worker's own, they all have."""
        known = [set(node.pythons) for node in self._nodes.values() if node.pythons]
        return sorted({OWN, *(set[str].intersection(*known) if known else ())}, key=lambda v: [*map(int, v.split("."))])

    def variables(self) -> dict[str, str]:
        return {marks.HOME: str(self._home)}

    # --- environments --------------------------------------------------------------------------------------------

    async def cached(self, needs: Needs) -> bool:
        return needs.key in self._built

    async def environment(self, needs: Needs, log: Log) -> str:
        self._needs[needs.key] = needs
        if needs.key not in self._built:
            await self._any().build(needs, log)
            self._built.add(needs.key)
        return needs.key

    def _any(self) -> Node:
        for node in self._nodes.values():
            return node
        raise DeployError(NO_NODE)

    async def prepare(self, environment: str = "") -> None:
        """Outposts do that by themselves."""

    # --- processes -----------------------------------------------------------------------------------------------

    async def spawn(self, environment: str, spec: ProcessSpec, listener: Listener) -> RayProcess:
        node = self._places.node_of(spec.place)
        if node is None:
            raise OSError("the node that had room for it is gone")
        return await node.start(self._needs[environment], spec, listener)

    async def close(self) -> None:
        self._closing = True
        await asyncio.gather(*(node.leave(END) for node in list(self._nodes.values())))
        if self._cluster is not None:
            await self._cluster.close()
        await self._sweep()
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
