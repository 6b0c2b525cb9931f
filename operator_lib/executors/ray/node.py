"""A node of the cluster, as the worker sees it: what there is, what was brought there, what lives there."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from operator_lib.engine.process import Exit, ProcessSpec
from operator_lib.errors import DeployError
from operator_lib.executors.base import Listener, Log, Needs, unheard
from operator_lib.executors.leash import LEASE
from operator_lib.executors.ray import luggage
from operator_lib.executors.ray.arrivals import Arrivals
from operator_lib.executors.ray.link import NODE_SILENT, PIECE, Link
from operator_lib.options import Options
from operator_lib.wire.tls import REPLICA, client_context

# Seconds for an outpost to take a connection.
CONNECT = 15.0
# Why a node is gone that the worker itself has let go.
ENDED = "worker"
TAKEN_BACK = "Ray has taken back what it had given to it (see Ray's logs: memory of the node?)"


@dataclass(frozen=True, slots=True)
class About:
    """What a node has."""

    version: str
    python: str
    machine: tuple[int, int, int]
    """Cores, bytes of memory, bytes of disk."""
    cards: tuple[str, ...]
    """Names of its graphics cards."""
    here: list[str]
    """See `operator_lib.executors.ray.outpost.identity`."""


class RayProcess:
    """One process there. See `operator_lib.executors.base.Process`."""

    def __init__(self, node: Node, n: str, spec: ProcessSpec, listener: Listener) -> None:
        self.pid = 0
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.arrivals = Arrivals(spec)
        self._node = node
        self._n = n
        self._listener = listener

    def stop(self, cause: str, grace: float) -> None:
        self._node.say({"do": "stop", "id": self._n, "cause": cause, "grace": grace})

    def hear(self, message: dict[str, Any]) -> None:
        """What its shim says."""
        if "started" in message and self._node.is_here:
            self.pid = message["started"]
        if "exit" in message:
            ended = Exit(**message["exit"])
            self.end(replace(ended, stopped="node", node=TAKEN_BACK) if ended.stopped == "ray" else ended)
        else:
            self._listener(message)

    def end(self, ended: Exit) -> None:
        """It is gone."""
        if self.arrivals.problem:
            self._listener({"unstored": {"message": self.arrivals.problem}})
        self._listener({"exit": ended})


class _Lease:
    """Until when processes may go on is passed on to the outpost, from whatever thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._loop = asyncio.get_running_loop()

    def send(self, data: bytes, /) -> None:
        left = json.loads(data)["lease"]
        with contextlib.suppress(RuntimeError):  # the worker is ending
            self._loop.call_soon_threadsafe(self._node.say, {"do": "lease", "left": left})


class Node:
    """One that answers."""

    def __init__(self, told: dict[str, Any], home: Path, here: list[str]) -> None:
        self.id: str = told["id"]
        self.name: str = told["name"]
        self.resources: dict[str, float] = told["resources"]
        self.about = About("", "", (0, 0, 0), (), [])
        self.on_say: Callable[[Node, dict[str, Any]], None] = lambda node, head: None
        self.why_gone = ""
        self._told = told
        self._home = home
        self._here = here
        self._link: Link | None = None
        self._over = asyncio.Event()
        self._processes: dict[str, RayProcess] = {}
        self._brought: dict[str, asyncio.Task[None]] = {}
        self._building: dict[int, tuple[Log, asyncio.Future[list[str]]]] = {}
        self.pythons: list[str] = []
        self._numbers = itertools.count(1)

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, and its processes can be seen from here."""
        return bool(self._here) and self.about.here == self._here

    def say(self, message: dict[str, Any]) -> None:
        if self._link is not None:
            self._link.send(message)

    async def call(self, token: str) -> None:
        """Connect to the outpost there.

        Raises:
            OSError, EOFError: it does not answer.
        """
        async with asyncio.timeout(CONNECT):
            reader, writer = await asyncio.open_connection(
                self._told["host"], self._told["port"],
                ssl=client_context(self._told["certificate"]), server_hostname=REPLICA,
            )  # fmt: skip
        self._link = link = Link(reader, writer, NODE_SILENT)
        link.send({"token": token})
        hello, _ = await link.receive()
        self.about = About(
            hello["version"], hello["python"], tuple(hello["machine"]), tuple(hello["cards"]), hello["here"]
        )

    async def listen(self) -> None:
        """Until it is gone: then so is all that lived there."""
        assert self._link is not None
        lease = _Lease(self)
        LEASE.add(lease)
        try:
            while True:
                head, body = await self._link.receive()
                await self._take(head, body)
        except EOFError as problem:
            self.why_gone = self.why_gone or f"node {self.name} died or cannot be reached: {problem}"
        finally:
            LEASE.remove(lease)
            self._over.set()
            self._link.close()
            self._bury()

    def _bury(self) -> None:
        for process in list(self._processes.values()):
            if not process.begun.done():
                process.begun.set_result(None)
            ended = Exit(stopped="node", node=self.why_gone) if self.why_gone != ENDED else Exit(stopped="worker")
            asyncio.get_running_loop().call_soon(process.end, ended)
        self._processes.clear()
        for _, building in self._building.values():
            if not building.done():
                building.set_exception(DeployError(self.why_gone))

    async def _take(self, head: dict[str, Any], body: bytes) -> None:
        process = self._processes.get(head.get("id", ""))
        match head["say"]:
            case "add" | "put" | "cut":
                if process is not None:
                    await process.arrivals.take(head, body)
                    if head["say"] == "add":
                        process.hear({"events": 0})
            case "heard" if process is not None:
                if "exit" in head["message"]:
                    del self._processes[head["id"]]
                process.hear(head["message"])
            case "begun" if process is not None:
                process.begun.set_result(None)
            case "failed" if process is not None:
                del self._processes[head["id"]]
                process.begun.set_exception(OSError(head["why"]))
            case "log" | "built" | "unbuilt" | "unmet":
                self._heard_of_building(head)
            case "pythons":
                self.pythons = head["pythons"]
            case _:
                self.on_say(self, head)

    # --- environments --------------------------------------------------------------------------------------------

    async def build(self, needs: Needs, log: Log) -> None:
        """An environment there.

        Raises:
            DeployError: it cannot be built.
        """
        n = next(self._numbers)
        done: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._building[n] = log, done
        try:
            await self._bring(luggage.Piece(luggage.inside(str(needs.source), self._home), needs.source, lasting=True))
            self.say({"do": "environment", "n": n, "needs": self._needs(needs)})
            await done
        finally:
            del self._building[n]

    async def unmet(self, options: Options) -> list[str]:
        """What of an image cannot be had there, in words."""
        n = next(self._numbers)
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._building[n] = unheard, answer
        try:
            self.say({"do": "image", "n": n, "options": options.to_json()})
            return await answer
        finally:
            del self._building[n]

    def _needs(self, needs: Needs) -> dict[str, Any]:
        source = luggage.inside(str(needs.source), self._home)
        return {
            "key": needs.key, "requirements": needs.requirements, "python": needs.python, "source": source,
            "options": needs.options.to_json(),
        }  # fmt: skip

    def _heard_of_building(self, head: dict[str, Any]) -> None:
        log, done = self._building.get(head["n"], (None, None))
        if log is None or done is None or done.done():
            return
        if head["say"] == "log":
            log(head["line"])
        elif head["say"] in ("built", "unmet"):
            done.set_result(head.get("unmet", []))
        else:
            done.set_exception(DeployError(head["why"], log=head["log"]))

    # --- processes -----------------------------------------------------------------------------------------------

    async def start(self, needs: Needs, spec: ProcessSpec, listener: Listener) -> RayProcess:
        """One process.

        Raises:
            OSError: it cannot be started.
        """
        n = f"{next(self._numbers)}"
        process = self._processes[n] = RayProcess(self, n, spec, listener)
        try:
            for piece in luggage.pieces(spec, self._home):
                await self._bring(piece)
        except OSError:
            del self._processes[n]
            raise
        told = {"id": n, "spec": luggage.named(spec, self._home), "needs": self._needs(needs)}
        self.say({"do": "start", **told})
        await process.begun
        return process

    async def _bring(self, piece: luggage.Piece) -> None:
        """Have it there."""
        if not piece.lasting:
            await self._send(piece)
            return
        bringing = self._brought.get(piece.name)
        if bringing is None or (bringing.done() and (bringing.cancelled() or bringing.exception() is not None)):
            bringing = self._brought[piece.name] = asyncio.create_task(self._send(piece))
        await asyncio.shield(bringing)

    async def _send(self, piece: luggage.Piece) -> None:
        if self._link is None:
            return
        if piece.content is not None:
            self._link.send(_head(piece.name, 0, True, 0o600), piece.content)
            return
        folder = piece.path.is_dir()
        for name, path in luggage.files(piece):
            await self._send_file(name, path, piece.name if folder and piece.lasting else "")
        if folder and piece.lasting:
            self._link.send({"do": "file", "name": piece.name, "whole": True})

    async def _send_file(self, name: str, path: Path, of: str) -> None:
        assert self._link is not None
        with open(path, "rb") as file:
            at, last = 0, False
            while not last:
                data = file.read(PIECE)
                last = len(data) < PIECE
                head = _head(name, at, last, path.stat().st_mode & 0o700 | 0o600)
                self._link.send(head | ({"of": of} if of else {}), data)
                at += len(data)
                await self._link.room()

    async def leave(self, seconds: float) -> None:
        """End all that is there; wait so long until it has ended."""
        self.why_gone = self.why_gone or ENDED
        self.say({"do": "end"})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        if self._link is not None:
            await self._link.flush(1)


def _head(name: str, at: int, last: bool, mode: int) -> dict[str, Any]:
    return {"do": "file", "name": name, "at": at, "last": last, "mode": mode}
