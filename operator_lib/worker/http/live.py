"""A run as a page follows it: what changed on its graph, what was printed, which calls began and ended.

One stream for all of it, because browsers open six to a server at most. However long the history is, its reader gets
the state of the graph, the last lines and the first calls of it at once, and from there on everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from operator_lib.engine.events import Event, from_lines
from operator_lib.errors import NotFound, NotReady
from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.overlay import Overlay
from operator_lib.worker import stories
from operator_lib.worker.http.deployments import graph_of
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.events import HEARTBEAT, NO_CACHE
from operator_lib.worker.http.shown import run_state
from operator_lib.worker.store.base import RunRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds between two messages: what happens meanwhile goes together.
PACE = 0.1
# The same while a long history is being read, and the bytes that make it long.
SLOWLY, LONG = 1.0, 1 << 19
# Lines and calls in one message, and calls in all; of more only the number is told.
LINES, CALLS, ALL_CALLS = 2000, 3000, 12_000

_TOLD = ("seq", "t", "stream", "text", "path", "call", "more")


class Follower:
    """Takes events in, and says what a reader has not been told yet."""

    def __init__(self, dag: DAG | None) -> None:
        self.overlay = Overlay(dag) if dag is not None else None
        self.attempt = 0
        self._shown: dict[str, Json] = {}
        self._statuses: list[Json] = []
        self._logs: deque[Json] = deque(maxlen=LINES)
        self._calls: list[Json] = []
        self._open: set[tuple[int, int]] = set()
        self._room = ALL_CALLS
        self._dropped = {"logs": 0, "calls": 0}

    def take(self, lines: bytes) -> None:
        """The next events."""
        events = list(from_lines(lines))
        if self.overlay is not None:
            self.overlay.update(events)
        for event in events:
            kind = event.get("kind")
            if kind == "log":
                self._dropped["logs"] += len(self._logs) == LINES
                self._logs.append({name: event[name] for name in _TOLD if name in event})
            elif kind == "node":
                self._call(event)
            elif kind == "status":
                self.attempt = int(event.get("attempt", self.attempt))
                self._statuses.append({name: event.get(name) for name in ("status", "attempt", "cause", "t")})

    def _call(self, event: Event) -> None:
        phase, key = event.get("phase"), (self.attempt, int(event.get("call", 0)))
        if phase == "start":
            if self._room <= 0 or len(self._calls) >= CALLS:
                self._dropped["calls"] += 1
                return
            self._room -= 1
            self._open.add(key)
        elif phase == "cached":
            self._room -= 1
        elif phase == "more":
            self._dropped["calls"] += int(event.get("count", 0))
            return
        elif key not in self._open:
            return
        else:
            self._open.discard(key)
        names = ("phase", "call", "parent", "path", "t", "dur", "error", "lane")
        self._calls.append({"attempt": self.attempt, **{name: event[name] for name in names if name in event}})

    def news(self, behind: bool = False) -> Json:
        """What there is to tell; while it is `behind`, lines are kept back: most of them will be old by the end."""
        told: Json = {
            "statuses": self._statuses,
            "logs": [] if behind else list(self._logs),
            "calls": self._calls,
            "dropped": {**self._dropped, "logs": 0 if behind else self._dropped["logs"]},
            "nodes": self._changed(),
        }
        self._statuses, self._calls = [], []
        self._dropped["calls"] = 0
        if not behind:
            self._logs.clear()
            self._dropped["logs"] = 0
        return told

    def _changed(self) -> dict[str, Json]:
        if self.overlay is None:
            return {}
        found: dict[str, Json] = {}
        for node in self.overlay.dag().nodes:
            state = _state(node)
            if state != self._shown.get(node.id, _NOTHING):
                found[node.id] = self._shown[node.id] = state
        return found


def _state(node: Node) -> Json:
    return {
        "status": node.status,
        "count": node.count,
        "started": node.started,
        "duration": node.duration,
        "iteration": node.iteration,
    }


_NOTHING: Json = {"status": "pending", "count": 0, "started": None, "duration": None, "iteration": 0}


async def live(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.runs.row(request.path_params["id"])
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=NO_CACHE)
    follower = Follower(await _graph(worker, row))
    return StreamingResponse(_messages(worker, row, follower), media_type="text/event-stream", headers=NO_CACHE)


async def _graph(worker: Worker, row: RunRow) -> DAG | None:
    version = await worker.store.version(row.deployment_id, row.version)
    with contextlib.suppress(NotFound):
        return await asyncio.to_thread(DAG.from_json, graph_of(version)) if version is not None else None
    return None


async def _messages(worker: Worker, row: RunRow, follower: Follower) -> AsyncGenerator[bytes]:
    """Until the run has ended, the worker stops, or the reader goes away."""
    lines = stories.read(worker, row.id, follow=True)
    loop = asyncio.get_running_loop()
    coming: asyncio.Task[bytes] | None = None
    left = await asyncio.to_thread(_size, worker, row)
    due, untold = loop.time() + (SLOWLY if left > LONG else 0.0), False
    with worker.metrics.reading():
        try:
            while True:
                coming = coming or asyncio.ensure_future(_next(lines))
                patience = max(0.0, due - loop.time()) if untold else HEARTBEAT
                done, _ = await asyncio.wait([coming], timeout=patience)
                if done:
                    batch, coming = coming.result(), None
                    left -= len(batch)
                    await asyncio.to_thread(follower.take, batch)
                    untold = True
                    if loop.time() < due:
                        continue
                behind = left > LONG
                yield await _said(worker, row, follower, behind) if untold else b": still here\n\n"
                due, untold = loop.time() + (SLOWLY if behind else PACE), False
        except StopAsyncIteration:
            yield await _said(worker, row, follower)
            yield b"event: end\ndata: {}\n\n"
        except NotReady:  # the worker stops: the reader comes back to the next one
            return
        finally:
            if coming is not None:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
                    await coming


def _size(worker: Worker, row: RunRow) -> int:
    """Bytes of history that are there already."""
    with contextlib.suppress(OSError):
        return worker.places.events(row.id).stat().st_size
    return 0


async def _next(lines: AsyncIterator[bytes]) -> bytes:
    return await anext(lines)


async def _said(worker: Worker, row: RunRow, follower: Follower, behind: bool = False) -> bytes:
    news = await asyncio.to_thread(follower.news, behind)
    now: Any = await worker.store.run(row.id)
    if now is not None:
        news["run"] = run_state(now)
    return b"event: news\ndata: %b\n\n" % json.dumps(news, separators=(",", ":")).encode()


def endpoints() -> list[Endpoint]:
    """``GET /v1/runs/{id}/live``."""
    stream = Answer(
        200,
        "Messages `news`: `run`, `nodes` that changed, `logs`, `calls`, `statuses`; at the end `end`.",
        None,
        "text/event-stream",
    )
    summary = "A run as it happens, for a page: the state of its graph, and from there what changes."
    return [Endpoint("GET", "/v1/runs/{id}/live", live, "runs", summary, (stream,), (), (404,))]
