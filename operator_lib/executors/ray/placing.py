"""Room in the cluster: asked of Ray, waited for, given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any

from operator_lib.engine.process import size
from operator_lib.errors import NotReady
from operator_lib.executors.base import unheard
from operator_lib.executors.gpus import Card, Owner, Taken
from operator_lib.executors.limits import Machine
from operator_lib.executors.ray.cluster import Cluster
from operator_lib.executors.ray.driver import Held
from operator_lib.executors.ray.node import Node
from operator_lib.executors.ray.rooms import Given
from operator_lib.options import Options

# Seconds after which it is said why something waits; for a replica to get room before its deploy is refused.
PATIENCE, REPLICA = 1.0, 60.0
# Seconds for which room for a run is kept for the next one of the same job: Ray does so with its own processes.
KEPT = 0.05
# Begins the name of a place that nobody has asked Ray for.
ANYWAY = "node:"
NO_NODE = "the cluster has no node that answers; see `operator-lib worker logs`"


@dataclass(eq=False, slots=True)
class _Lease:
    """What was asked for."""

    asked: Held
    going: asyncio.TimerHandle | None = None
    """While nobody has it: when Ray gets it back."""
    given: asyncio.Future[Given] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Places:
    """See `operator_lib.executors.base.Room`."""

    def __init__(self, nodes: Mapping[str, Node], cluster: Callable[[], Cluster | None]) -> None:
        self.free: dict[str, float] = {}
        """What of the cluster nobody has, as Ray said last."""
        self._nodes = nodes
        self._cluster = cluster
        self._leases: dict[str, _Lease] = {}

    # --- Room ----------------------------------------------------------------------------------------------------

    async def wait(self, options: Options, what: str, name: str, tell: Callable[[str], None] = unheard) -> Taken:
        return await self.ask(options, what, name, self._fitting(options), tell)

    async def take(self, options: Options, owner: Owner) -> Taken:
        try:
            async with asyncio.timeout(REPLICA):
                return await self.wait(options, "replica", owner.serving)
        except TimeoutError:
            raise NotReady(self.reason(options, "replica")) from None

    async def look(self, options: Options) -> Taken:
        for node in self._nodes.values():
            if not lacking(node, options):
                return Given(place=f"{ANYWAY}{node.id}", node=node.id)
        raise NotReady(NO_NODE)

    def give_back(self, taken: Taken) -> None:
        if not isinstance(taken, Given) or taken.place.startswith(ANYWAY):
            return
        lease = self._leases.get(taken.place)
        wanted = any(not other.given.done() for other in self._leases.values())
        if lease is not None and lease.asked.kind == "run" and not wanted:
            lease.going = asyncio.get_running_loop().call_later(KEPT, self._free, taken)
        else:
            self._free(taken)

    def _free(self, taken: Given) -> None:
        """Ray gets it back."""
        self._leases.pop(taken.place, None)
        node = self._nodes.get(taken.node)
        if node is not None:
            node.say({"do": "free", "id": taken.place})

    # --- with Ray ------------------------------------------------------------------------------------------------

    async def ask(
        self, options: Options, what: str, name: str, nodes: list[str] | None, tell: Callable[[str], None] = unheard
    ) -> Given:
        """Room on one of `nodes`, as soon as there is some.

        Raises:
            NotReady: Ray says that there will never be.
        """
        asked = Held(token_hex(8), what, f"{what} of {name}", resources(options, what), nodes)
        kept = self._kept(asked)
        if kept is not None:
            return kept
        lease = self._leases[asked.lease] = _Lease(asked)
        cluster = self._cluster()
        if cluster is not None:
            cluster.hold(asked)
        saying = asyncio.get_running_loop().call_later(PATIENCE, lambda: tell(self.reason(options, what)))
        try:
            return await asyncio.shield(lease.given)
        except BaseException:
            self._drop(asked.lease)
            raise
        finally:
            saying.cancel()

    def _kept(self, asked: Held) -> Given | None:
        """What the last one of the same kind has left. Without such, nothing is kept any longer."""
        kept = [lease for lease in self._leases.values() if lease.going is not None]
        for lease in kept:
            given = lease.given.result()
            if replace(lease.asked, lease=asked.lease) == asked and given.node in self._nodes:
                self._stays(lease)
                return given
        for lease in kept:
            self._stays(lease)
            self._free(lease.given.result())
        return None

    def _stays(self, lease: _Lease) -> None:
        if lease.going is not None:
            lease.going.cancel()
            lease.going = None

    def _drop(self, lease: str) -> None:
        self._leases.pop(lease, None)
        cluster = self._cluster()
        if cluster is not None:
            cluster.drop(lease)

    def again(self) -> None:
        """There is a new driver: what is waited for is asked for anew."""
        cluster = self._cluster()
        for lease in list(self._leases.values()):
            if cluster is not None and not lease.given.done():
                cluster.hold(lease.asked)

    def held(self, node: Node, head: dict[str, Any]) -> None:
        """Ray has given it."""
        lease = self._leases.get(head["id"])
        if lease is None:  # it is not wanted any more
            node.say({"do": "free", "id": head["id"]})
        elif not lease.given.done():
            lease.given.set_result(Given(place=head["id"], node=node.id, numbers=tuple(head["cards"])))

    def lost(self, lease: str, why: str) -> None:
        """Ray has not given it, or taken it back."""
        known = self._leases.get(lease)
        if known is not None and not known.given.done():
            known.given.set_exception(NotReady(f"Ray did not give it room: {why}"))
        elif known is not None and known.going is not None:
            self._stays(known)
            del self._leases[lease]

    def given(self, place: str) -> Taken:
        """What Ray has given under that name."""
        lease = self._leases.get(place)
        return lease.given.result() if lease is not None and lease.given.done() else Taken()

    def node_of(self, place: str) -> Node | None:
        """Where it was given, if that is there."""
        if place.startswith(ANYWAY):
            return self._nodes.get(place.removeprefix(ANYWAY))
        lease = self._leases.get(place)
        return self._nodes.get(lease.given.result().node) if lease is not None and lease.given.done() else None

    # --- what there is -------------------------------------------------------------------------------------------

    def _fitting(self, options: Options) -> list[str] | None:
        """Nodes whose cards, or disks, are such as are asked for; None where Ray itself can tell."""
        if not options.gpu and not options.ephemeral_disk:
            return None
        fitting = [node.id for node in self._nodes.values() if not lacking(node, options)]
        return None if len(fitting) == len(self._nodes) else fitting

    def reason(self, options: Options, what: str) -> str:
        """Why something waits."""
        asked = resources(options, what)
        names = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
        wanted = [_amount(name, asked[key]) for key, name in names.items() if asked.get(key)]
        free = [_amount(name, self.free.get(name, 0)) for key, name in names.items() if asked.get(key)]
        if not wanted:
            return f"waits for Ray to start {'a task' if what == 'run' else 'an actor'}"
        return f"waits for room in the cluster: asks for {_and(wanted)}, free are {_and(free)}"

    def lacks(self, options: Options) -> list[str]:
        """Why no node can ever have room for it."""
        found = [lacking(node, options) for node in self._nodes.values()]
        if not found:
            return [NO_NODE]
        return [] if not all(found) else min(found, key=len)


def resources(options: Options, what: str) -> dict[str, Any]:
    """Of Ray's tasks and actors. As with these, a run has a processor where it does not ask, and others need none."""
    asked: dict[str, Any] = {"num_cpus": options.cpu or (1 if what == "run" else 0)}
    if options.memory:
        asked["memory"] = int(options.memory * 2**30)
    if options.gpu:
        first = options.gpu[0]
        asked["num_gpus"] = first.count if first.split == 1 else 1 / first.split
    return asked


def lacking(node: Node, options: Options) -> list[str]:
    """What an operator asks for that a node does not have at all, in words."""
    cores, memory, disk = node.about.machine
    has = Machine(int(node.resources.get("CPU", cores)), int(node.resources.get("memory", memory)), disk)
    found = [lack.replace("this worker has", "the largest node has") for lack in has.lacks(options)]
    cards = [Card(index, name) for index, name in enumerate(node.about.cards)]
    wanted = options.gpu or ()
    if wanted and not any(sum(card.is_a(spec.model) for card in cards) >= spec.count for spec in wanted):
        there = ", ".join(node.about.cards) or "no graphics cards that nvidia-smi shows"
        found.append(f"gpu: asks for {' or '.join(map(str, wanted))}, this worker has {there}")
    return found


def _amount(name: str, count: float) -> str:
    return f"{size(int(count))} of memory" if name == "memory" else f"{count:g} {name}"


def _and(words: Iterable[str]) -> str:
    return " and ".join(words) or "nothing"
