"""Starting a run again, as the same one or as another: from what its calls have returned."""

from __future__ import annotations

import asyncio
import contextlib
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operator_lib.engine import blame
from operator_lib.engine.checkpoint_log import take_over
from operator_lib.engine.events import from_lines
from operator_lib.engine.process import FAILURE, VALUE
from operator_lib.errors import NotFound, NotReady
from operator_lib.trace.dag import DAG
from operator_lib.worker.accepted import new_run
from operator_lib.worker.runs import Runs
from operator_lib.worker.store.base import DeploymentRow, Refused, RunRow, VersionRow

# Seconds by which events may differ from what is noted with a value.
ROUNDED = 2e-6


async def resume(runs: Runs, run_id: str, key: str = "") -> RunRow:
    """Start a run again that has not COMPLETED, once; its attempts and events are counted on.

    Args:
        key: whoever says it again with the same one is told how the run fares.

    Raises:
        Refused: it has COMPLETED, has not ended, or is a map.
        NotReady: the worker is stopping.
    """
    row = await runs.row(run_id)
    if key and runs.resumed.get(run_id) == key:
        return row
    if not runs.queue.accepting:
        raise NotReady("the worker is stopping; try again in a moment")
    _check(row)
    await runs.bring(row)
    blame.forgive(runs.places.checkpoints(run_id))
    await runs.queue.sure()
    if not await runs.store.reopen(run_id, runs.queue.me):
        _check(await runs.row(run_id))
        raise Refused(f"run {run_id} was resumed by somebody else just now")
    runs.resumed[run_id] = key
    if runs.archive is not None:
        runs.archive.reopened(run_id)
    # An outcome that is there when a worker starts counts: that of before must not.
    for name in (FAILURE, VALUE):
        (runs.places.attempt(run_id, row.attempts) / name).unlink(missing_ok=True)
    runs.tell(run_id, "PENDING", row.attempts, "resumed")
    runs.queue.add(run_id)
    return await runs.row(run_id)


def _check(row: RunRow) -> None:
    if row.kind != "run":
        raise Refused(f"run {row.id} is a map, of which nothing is stored; map the inputs again")
    if row.status == "COMPLETED":
        raise Refused(f"run {row.id} has COMPLETED: there is nothing to resume; run it anew with replay()")
    if not row.terminal:
        raise Refused(f"run {row.id} is {row.status}: only a run that has ended can be resumed")


def like(old: RunRow, job: DeploymentRow, version: int, key: str) -> RunRow:
    """A row for a run of a version of `job` with the arguments of `old`."""
    return new_run(
        job,
        version,
        idempotency_key=key,
        input_sha256=old.input_sha256,
        input_ref=old.input_ref,
        input_inline=old.input_inline,
        at_most_once=old.at_most_once,
    )


async def replay(runs: Runs, old: RunRow, new: RunRow, from_node: str = "") -> RunRow:
    """Accept `new`, with what the calls of `old` have returned; it decides itself what of that holds for it.

    Raises:
        NotFound: `old` has no node `from_node`.
        Refused: `old` is a map.
    """
    if old.kind != "run":
        raise Refused(f"run {old.id} is a map, of which nothing is stored; map the inputs again")
    folder = runs.places.run(new.id)
    runs.needed[old.id] += 1
    try:
        await runs.bring(old)
        version = await runs.store.version(old.deployment_id, old.version) if from_node else None
        await asyncio.to_thread(_take_over, runs, old, new, version, from_node)
        accepted = await runs.queue.submit(new)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    finally:
        runs.needed[old.id] -= 1
    if accepted.id != new.id:  # said before, with the same key
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return accepted


def _take_over(runs: Runs, old: RunRow, new: RunRow, version: VersionRow | None, from_node: str) -> None:
    moment, around = math.inf, frozenset[str]()
    if from_node:
        path = _path(runs, old, version, from_node)
        moment = min((event["t"] for event in _starts(runs, old) if event["path"] == path), default=math.inf)
        moment -= ROUNDED
        # Calls that it is part of are not over when it is made.
        parts = path.split(".")
        around = frozenset(".".join(parts[:end]) for end in range(1, len(parts)))
    runs.places.run(new.id).mkdir(parents=True, exist_ok=True, mode=0o700)
    take_over(runs.places.checkpoints(old.id), runs.places.checkpoints(new.id), moment, around)


def _path(runs: Runs, old: RunRow, version: VersionRow | None, node: str) -> str:
    """The path of the operator that is meant by a path, or by the id of a node of the graph."""
    known: set[str] = {event["path"] for event in _starts(runs, old)}
    if version is not None:
        with contextlib.suppress(ValueError):
            for found in DAG.from_json(version.dag_json).nodes:
                if found.operator:
                    known.add(found.operator)
                    if found.id == node:
                        return found.operator
    known.discard("")
    if node not in known:
        raise NotFound(f"from_node: run {old.id} of {old.job} has no node {node!r}; it has: {', '.join(sorted(known))}")
    return node


def _starts(runs: Runs, row: RunRow) -> Iterator[dict[str, Any]]:
    """The calls that a run has begun."""
    file: Path = runs.places.events(row.id)
    if not file.exists():
        return
    with open(file, "rb") as lines:
        for line in lines:
            if b'"phase":"start"' in line:
                yield from from_lines(line)
