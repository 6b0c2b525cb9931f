"""The events of a run, of a map, or of a serving's replicas, for whoever reads along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from operator_lib.errors import NotFound
from operator_lib.worker import history

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds between looks at the files of replicas, which do not announce what they print.
LOOK = 0.1


async def read(
    worker: Worker, name: str, *, after: int = 0, follow: bool = False, kinds: Collection[str] = ()
) -> AsyncIterator[bytes]:
    """Whole lines of JSON after event number `after`, batch by batch; with `follow` until the end.

    Args:
        kinds: of the events; all where none is named.

    Raises:
        NotFound: no run or serving of that name.
        NotReady: the worker stops; take it up again with the next one.
    """
    files, changed, ended = await _sources(worker, name)
    for file in files[:-1]:
        async for lines in history.read(file, 0, None, None, kinds):
            yield lines
    async for lines in history.read(files[-1], after, changed if follow else None, ended, kinds):
        yield lines


async def _sources(
    worker: Worker, name: str
) -> tuple[list[Path], Callable[[], asyncio.Event], Callable[[], Awaitable[bool]]]:
    """Its files, the last of which may grow; what is set when it has; whether it has ended."""
    row = await worker.store.run(name)
    if row is not None:
        await worker.runs.bring(row)
        worker.runs.chronicle.begin(row)
        folder = worker.places.run(row.id)
        inner = sorted(folder.glob("*/events")) if row.kind == "map" else []

        async def ended() -> bool:
            over = await worker.runs.ended(row.id)
            if not over:
                worker.runs.check_open()
            return over

        return [*inner, worker.places.events(row.id)], lambda: worker.runs.story(row.id), ended
    serving = worker.servings.by_name.get(name)
    replicas = serving.known if serving is not None else []
    if serving is None or not replicas:
        raise NotFound(f"no run or serving {name!r} on this worker")

    def tick() -> asyncio.Event:
        signal = asyncio.Event()
        asyncio.get_running_loop().call_later(LOOK, signal.set)
        return signal

    async def closed() -> bool:
        if not serving.closed:
            worker.runs.check_open()
        return serving.closed

    return [worker.places.replica(r.id) / "events" for r in replicas], tick, closed
