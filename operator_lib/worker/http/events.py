"""What happens in a run as it happens: server-sent events that can be taken up again, and its log as text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from operator_lib.engine.events import from_lines, to_line
from operator_lib.errors import NotReady
from operator_lib.worker import history, stories
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter
from operator_lib.worker.http.errors import Refusal

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds of silence after which a comment shows that the connection lives, and finds out whether the reader does.
HEARTBEAT = 15.0
# Milliseconds after which a browser takes a broken stream up again.
RETRY = 1000
_SEQ: Json = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1, "default": 0}

FOLLOW = Parameter("follow", {"type": "boolean", "default": True}, "Go on until the run has ended.")
AFTER = Parameter("after", _SEQ, "Only events with a greater number.")
LAST = Parameter("Last-Event-ID", {**_SEQ, "type": "integer"}, "The same, as browsers send it; it wins.", "header")
NO_CACHE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def events(worker: Worker, request: Request, query: Json) -> Response:
    """Every event from the first on, whenever the reader comes."""
    resumed = request.headers.get("last-event-id", "")
    after = _number(resumed) if resumed else query.get("after", 0)
    row = await worker.runs.row(request.path_params["id"])
    if resumed and row.terminal:
        last = await asyncio.to_thread(history.last_seq, worker.places.events(row.id))
        if after >= last:
            return Response(status_code=204)  # tells a browser not to come back
    follow = query.get("follow", True)
    lines = stories.read(worker, row.id, after=after, follow=follow)
    return streamed(worker, request, lines, messages, "text/event-stream", beat=b": still here\n\n")


async def logs(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.runs.row(request.path_params["id"])
    after, follow = query.get("after", 0), query.get("follow", False)
    lines = stories.read(worker, row.id, after=after, follow=follow, kinds=("log",))
    return streamed(worker, request, lines, _text, "text/plain; charset=utf-8")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) >= 2**53:
        message = f"Last-Event-ID: must be the id of an event, got {text!r:.80}"
        details = [{"path": "Last-Event-ID", "message": message, "expected": "an integer"}]
        raise Refusal(400, "ValidationError", message, details)
    return int(text)


def messages(lines: bytes) -> bytes:
    """Events as messages of a server-sent stream."""
    return b"".join(
        b"id: %d\nevent: %b\ndata: %b\n" % (event["seq"], str(event["kind"]).encode(), to_line(event))
        for event in from_lines(lines)
    )


def _text(lines: bytes) -> bytes:
    """The lines of a log; those that were cut for their length are put together again."""
    found = from_lines(lines)
    text = "".join(event["text"] + ("" if event.get("more") else "\n") for event in found if event["kind"] == "log")
    return text.encode("utf-8", "replace")


def streamed(
    worker: Worker,
    request: Request,
    lines: AsyncIterator[bytes],
    form: Callable[[bytes], bytes],
    media: str,
    beat: bytes = b"",
) -> Response:
    if request.method == "HEAD":
        return Response(media_type=media, headers=NO_CACHE)
    return StreamingResponse(_parts(worker, lines, form, beat), media_type=media, headers=NO_CACHE)


async def _parts(
    worker: Worker, lines: AsyncIterator[bytes], form: Callable[[bytes], bytes], beat: bytes
) -> AsyncGenerator[bytes]:
    """The stream's body. When the reader goes away it is cancelled, and lets go of the file."""
    if beat:
        yield b"retry: %d\n\n" % RETRY
    with worker.metrics.reading():
        coming: asyncio.Task[bytes] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(_next(lines))
                done, _ = await asyncio.wait([coming], timeout=HEARTBEAT if beat else None)
                if not done:
                    yield beat
                    continue
                batch, coming = coming.result(), None
                yield form(batch)
        except (StopAsyncIteration, NotReady):  # the end; or the worker stops: the reader comes back to the next one
            return
        finally:
            if coming is not None:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
                    await coming


async def _next(lines: AsyncIterator[bytes]) -> bytes:
    return await anext(lines)


def endpoints() -> list[Endpoint]:
    stream = Answer(200, "Each message has the event's number as id, its kind as event, its JSON as data.", None,
                    "text/event-stream")  # fmt: skip
    return [
        Endpoint(
            "GET", "/v1/runs/{id}/events", events, "runs", "The events of a run as server-sent events.",
            (stream, Answer(204, "The run has ended and Last-Event-ID is its last event: do not reconnect.", None, "")),
            (FOLLOW, AFTER, LAST), (400, 404),
        ),
        Endpoint(
            "GET", "/v1/runs/{id}/logs", logs, "runs", "What a run has printed.",
            (Answer(200, "Lines of text.", None, "text/plain; charset=utf-8"),),
            (Parameter("follow", {"type": "boolean", "default": False}, FOLLOW.description), AFTER), (400, 404),
        ),
    ]  # fmt: skip
