"""What of a cluster is asked for, kept and given back, as the worker counts it. For Ray itself: test_ray.py."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from operator_lib.executors.ray import placing
from operator_lib.executors.ray.driver import Held
from operator_lib.executors.ray.node import Node
from operator_lib.executors.ray.placing import Places
from operator_lib.options import Options

ONE, TWO = Options.from_json({"cpu": 1}), Options.from_json({"cpu": 2})


class Ray:
    """A cluster with one node that gives everything at once, until it is `full`."""

    def __init__(self) -> None:
        self.asked: list[Held] = []
        self.freed: list[str] = []
        self.full = False
        self.node: Any = self
        self.id = "n"
        self.places = Places({"n": self.node}, lambda: self)  # type: ignore[arg-type,return-value]

    def hold(self, asked: Held) -> None:
        self.asked.append(asked)
        if not self.full:
            self.give(asked)

    def give(self, asked: Held) -> None:
        self.places.held(self.node, {"id": asked.lease, "cards": []})

    def drop(self, lease: str) -> None:
        self.freed.append(lease)

    def say(self, message: dict[str, Any]) -> None:
        assert message["do"] == "free"
        self.freed.append(message["id"])

    async def run(self, options: Options = ONE, name: str = "a") -> Any:
        return await self.places.ask(options, "run", name, None)


def go(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_room_is_kept_for_the_next_run_of_a_job_and_then_given_back():
    async def work() -> None:
        ray = Ray()
        first = await ray.run()
        ray.places.give_back(first)
        assert await ray.run() == first
        assert len(ray.asked) == 1
        await asyncio.sleep(2 * placing.KEPT)
        assert ray.freed == [], "it is in use"
        ray.places.give_back(first)
        await asyncio.sleep(2 * placing.KEPT)
        assert ray.freed == [first.place]
        assert (await ray.run()).place != first.place

    go(work())


@pytest.mark.parametrize(("options", "name"), [(TWO, "a"), (ONE, "b")])
def test_it_is_given_back_at_once_when_something_else_is_asked_for(options: Options, name: str):
    async def work() -> None:
        ray = Ray()
        first = await ray.run()
        ray.places.give_back(first)
        second = await ray.run(options, name)
        assert ray.freed == [first.place]
        assert second.place != first.place

    go(work())


def test_it_is_not_kept_while_something_waits():
    async def work() -> None:
        ray = Ray()
        first = await ray.run()
        ray.full = True
        second = asyncio.create_task(ray.run())
        await asyncio.sleep(0)
        ray.places.give_back(first)
        assert ray.freed == [first.place]
        ray.give(ray.asked[-1])
        assert (await second).place == ray.asked[-1].lease

    go(work())


def test_what_ray_has_taken_back_meanwhile_is_not_used():
    async def work() -> None:
        ray = Ray()
        first = await ray.run()
        ray.places.give_back(first)
        ray.places.lost(first.place, "the node is short of memory")
        assert (await ray.run()).place != first.place
        await asyncio.sleep(2 * placing.KEPT)
        assert ray.freed == []

    go(work())


def test_nor_what_is_on_a_node_that_has_gone():
    async def work() -> None:
        ray = Ray()
        nodes: dict[str, Node] = {"n": ray.node}
        ray.places = Places(nodes, lambda: ray)  # type: ignore[arg-type,return-value]
        first = await ray.run()
        ray.places.give_back(first)
        nodes.clear()
        assert (await ray.run()).place != first.place

    go(work())
