"""What a store takes to keep a row: alone, and with many others in one transaction."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from operator_lib.worker.store import RunRow
from operator_lib.worker.store.opening import open_store

ALONE, TOGETHER, ROUNDS = 100, 256, 15


@dataclass(frozen=True, slots=True)
class Keeping:
    """Seconds."""

    commit: float
    """Of a transaction with one row, until it is durable."""
    row: float
    """More for each further row in it."""


def keeping(url: str = "") -> Keeping:
    """Of the store `url`, which has to be empty; without one, of an SQLite file in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as folder:
        return asyncio.run(_measured(url, Path(folder)))


async def _measured(url: str, home: Path) -> Keeping:
    store = open_store(url, home)
    try:
        made, version, _ = await store.put_version("job", "job", fingerprint="f")
        await store.set_version_status(made.id, version.number, "ready")
        await store.make_live(made.id, version.number)

        async def keep(first: int, count: int) -> float:
            rows = [
                RunRow(id=f"{number:026}", deployment_id=made.id, job="job", version=1, created=time.time())
                for number in range(first, first + count)
            ]
            begun = time.perf_counter()
            await asyncio.gather(*(store.submit_run(row) for row in rows))
            return time.perf_counter() - begun

        await keep(0, TOGETHER)
        one = statistics.median([await keep(TOGETHER + i, 1) for i in range(ALONE)])
        first = TOGETHER + ALONE
        many = statistics.median([await keep(first + i * TOGETHER, TOGETHER) for i in range(ROUNDS)])
        return Keeping(one, max(0.0, many - one) / (TOGETHER - 1))
    finally:
        store.close()


if __name__ == "__main__":
    import sys

    print(keeping(*sys.argv[1:]))
