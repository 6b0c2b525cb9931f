"""Room for an operator that asks for resources of its own inside a process: the worker is asked for it, and Ray gives
it on the same node.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operator_lib.errors import NotReady
from operator_lib.executors.base import unheard
from operator_lib.executors.gpus import NOBODY, Owner, Taken
from operator_lib.options import Options


@dataclass(eq=False, slots=True)
class Given(Taken):
    """What Ray has given to a process."""

    node: str = ""
    numbers: tuple[str, ...] = ()
    """Of graphics cards."""

    @property
    def environment(self) -> dict[str, str]:
        if not self.numbers:
            return {}
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(self.numbers)}


class NodeRoom:
    """See `operator_lib.executors.base.Room`; on a node."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self._say = say
        self._asked: dict[int, asyncio.Future[Given]] = {}
        self._numbers = itertools.count(1)

    async def wait(self, options: Options, what: str, name: str, tell: Callable[[str], None] = unheard) -> Taken:
        n = next(self._numbers)
        answer = self._asked[n] = asyncio.get_running_loop().create_future()
        self._say({"say": "room", "n": n, "options": options.to_json(), "what": what, "name": name})
        try:
            return await answer
        except asyncio.CancelledError:
            self._say({"say": "back", "n": n})
            raise
        finally:
            del self._asked[n]

    def answered(self, head: dict[str, Any]) -> None:
        """The worker's answer."""
        answer = self._asked.get(head["n"])
        if answer is None or answer.done():
            return
        if "why" in head:
            answer.set_exception(NotReady(head["why"]))
        else:
            answer.set_result(Given(place=head["id"], numbers=tuple(head["cards"])))

    async def take(self, options: Options, owner: Owner) -> Taken:
        return await self.wait(options, "part", owner.serving)

    async def look(self, options: Options) -> Taken:
        return Taken(owner=NOBODY)

    def give_back(self, taken: Taken) -> None:
        if taken.place:
            self._say({"say": "free", "id": taken.place})
