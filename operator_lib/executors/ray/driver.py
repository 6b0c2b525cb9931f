"""The process that speaks to Ray: it asks for room, and keeps an outpost on each node. The worker never loads Ray.

Started as ``python -m operator_lib.executors.ray.driver FD``. Over the socket FD it hears lines of JSON: a `Setup`,
then ``{"hold": {...}}`` (see `Held`), ``{"drop": lease}``. It says ``{"ready": {...}}`` or ``{"failed": words}``,
``{"node": {...}}`` (an outpost is there), ``{"gone": node, "why": words}``, ``{"lost": lease, "why": words}`` and
``{"free": {...}}`` (what of the cluster nobody has). When the socket closes it leaves the cluster, or ends its own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import shutil
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# Seconds between two looks at which nodes there are.
LOOK = 1.0
# Seconds for a cluster to answer at all.
KNOCK = 10.0
# Bytes of Ray's own store of objects, the least that it takes: nothing of ours travels through it.
STORE = 80 << 20


@dataclass(frozen=True, slots=True)
class Setup:
    """What a driver is started with."""

    address: str
    """Of a cluster, as ``ray.init`` takes it; empty: one of its own, which ends with it."""
    session: str
    """Tells this one from all others; see `operator_lib.executors.ray.lease.meeting`."""
    folder: str
    """For the files of a cluster of its own; short, for there are sockets in it."""
    outpost: dict[str, Any]
    """Of `operator_lib.executors.ray.outpost.Setup`, what is the same on all nodes."""


@dataclass(frozen=True, slots=True)
class Held:
    """Room that is asked for."""

    lease: str
    kind: str
    """``"run"``: a task; else an actor."""
    name: str
    """Shown by Ray."""
    resources: dict[str, Any]
    """Options of Ray's tasks and actors."""
    nodes: list[str] | None = None
    """The only ones where it may be; None: all."""


class Driver:
    """The state of one. Ray's calls are made by the thread that listens, and answered in others."""

    def __init__(self, channel: socket.socket, setup: Setup) -> None:
        self._ray: Any = importlib.import_module("ray")
        self._channel = channel
        self._setup = setup
        self._turn = threading.Lock()
        self._outposts: dict[str, Any] = {}
        self._held: dict[str, tuple[Any, Any]] = {}
        self._over = threading.Event()
        self._answers: queue.SimpleQueue[tuple[Callable[[Future[Any]], None], Future[Any]]] = queue.SimpleQueue()
        self._watching = threading.Thread(target=self._watch, name="nodes", daemon=True)

    def say(self, message: dict[str, Any]) -> None:
        with self._turn, contextlib.suppress(OSError):
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def join(self) -> None:
        """Come into the cluster.

        Raises:
            Exception: whatever Ray raises.
        """
        own: dict[str, Any] = {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": STORE,
            "_temp_dir": self._setup.folder,
        }
        chosen = {"address": self._setup.address} if self._setup.address else own
        _knock(self._setup.address)
        self._ray.init(**chosen, log_to_driver=False)
        remote: Any = importlib.import_module("operator_lib.executors.ray.remote")
        self._task = self._ray.remote(remote.run)
        self._actor = self._ray.remote(remote.Resident)
        self._outpost = self._ray.remote(remote.Outpost)

    def _then(self, ref: Any, done: Callable[[Future[Any]], None]) -> None:
        """Call it when that has come to its end."""
        ref.future().add_done_callback(lambda future: self._answers.put((done, future)))

    def _answer(self) -> None:
        """In a thread of ours: in the one where Ray tells of ends, a call of Ray that waits stops everything."""
        while True:
            done, future = self._answers.get()
            done(future)

    # --- nodes ---------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Keep an outpost on each node, until it is over."""
        with contextlib.suppress(Exception):  # Ray is gone: so is this process, soon
            while True:
                self._look()
                if self._over.wait(LOOK):
                    return
        os._exit(1)

    def _look(self) -> None:
        nodes = {node["NodeID"]: node for node in self._ray.nodes()}
        for name, node in nodes.items():
            if node["Alive"] and name not in self._outposts:
                self._settle(name, node)
        for name in list(self._outposts):
            if name not in nodes or not nodes[name]["Alive"]:
                self._leave(name, f"node {_words(nodes.get(name))} died")
        self.say({"free": self._ray.available_resources()})

    def _settle(self, name: str, node: dict[str, Any]) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(node_id=name, soft=False)
        chosen = self._outpost.options(num_cpus=0, scheduling_strategy=there, max_concurrency=2, max_restarts=0)
        actor = self._outposts[name] = chosen.remote(self._setup.outpost, self._setup.session)

        def answered(future: Future[Any]) -> None:
            if future.exception() is not None:
                self._leave(name, f"node {_words(node)} cannot be used: {brief(future.exception())}")
                return
            about = {"id": name, "name": _words(node), "resources": node["Resources"]}
            self.say({"node": about | future.result()})
            self._then(actor.wait.remote(), lambda ended: self._leave(name, f"node {_words(node)} died, or was left"))

        self._then(actor.where.remote(), answered)

    def _leave(self, name: str, why: str) -> None:
        actor = self._outposts.pop(name, None)
        if actor is not None:
            self.say({"gone": name, "why": why})
            with contextlib.suppress(Exception):
                self._ray.kill(actor)

    # --- room ----------------------------------------------------------------------------------------------------

    def hold(self, asked: Held) -> None:
        """Ask Ray for it; the outpost of the node hears when it is there."""
        chosen = {"name": asked.name, **asked.resources, **self._place(asked)}
        arguments = self._setup.session, asked.lease
        if asked.kind == "run":
            actor, ref = None, self._task.options(max_retries=0, **chosen).remote(*arguments)
        else:
            del chosen["name"]  # an actor's name is one that it can be found by, and taken once
            actor = self._actor.options(max_restarts=0, **chosen).remote()
            ref = actor.stay.options(name=asked.name).remote(*arguments)
        self._held[asked.lease] = actor, ref

        def over(future: Future[Any]) -> None:
            self._held.pop(asked.lease, None)
            if future.exception() is not None:
                self.say({"lost": asked.lease, "why": brief(future.exception())})

        self._then(ref, over)

    def _place(self, asked: Held) -> dict[str, Any]:
        if asked.nodes is None:
            return {} if asked.kind == "run" else {"scheduling_strategy": "SPREAD"}
        return {"label_selector": {"ray.io/node-id": f"in({','.join(asked.nodes)})"}}

    def drop(self, lease: str) -> None:
        """It is not wanted any more."""
        actor, ref = self._held.pop(lease, (None, None))
        with contextlib.suppress(Exception):
            if actor is not None:
                self._ray.kill(actor)
            elif ref is not None:
                self._ray.cancel(ref, force=True)

    def listen(self) -> None:
        """Do as the worker says, until it is gone."""
        threading.Thread(target=self._answer, name="answers", daemon=True).start()
        self._watching.start()
        for line in self._channel.makefile("rb"):
            order = json.loads(line)
            if "hold" in order:
                asked = Held(**order["hold"])
                try:
                    self.hold(asked)
                except Exception as problem:
                    self.say({"lost": asked.lease, "why": brief(problem)})
            elif "drop" in order:
                self.drop(order["drop"])

    def leave(self) -> None:
        """Leave nothing behind."""
        self._over.set()
        self._watching.join(LOOK)
        with contextlib.suppress(Exception):
            self._ray.shutdown()
        if not self._setup.address:
            shutil.rmtree(os.path.dirname(self._setup.folder), ignore_errors=True)


def _knock(address: str) -> None:
    """Ray takes minutes to find out that nobody is there.

    Raises:
        OSError: nobody is.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), KNOCK).close()


def _words(node: dict[str, Any] | None) -> str:
    return str(node["NodeManagerAddress"]) if node else "of the cluster"


def brief(problem: BaseException | None) -> str:
    """The last line that says something: Ray puts whole tracebacks into its messages."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1][:500] if lines else type(problem).__name__


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    told = channel.makefile("rb", buffering=0).readline()
    driver = None
    try:
        driver = Driver(channel, Setup(**json.loads(told)))
        driver.join()
    except BaseException as problem:
        failed = {"failed": brief(problem) if isinstance(problem, Exception) else "stopped"}
        channel.sendall(json.dumps(failed).encode() + b"\n")
        os._exit(1)
    driver.say({"ready": {"version": driver._ray.__version__}})
    driver.listen()
    driver.leave()
    os._exit(0)


if __name__ == "__main__":
    main()
