"""Stored outcomes of runs as JSON. The worker reads the json codec, which runs no code; pickles it only passes on."""

from __future__ import annotations

import asyncio
import json
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from operator_lib.engine import kept
from operator_lib.engine.process import FAILURE, OUTPUTS, VALUE
from operator_lib.errors import NotFound, SerializationError
from operator_lib.wire import codec, failure, frames
from operator_lib.worker.http.errors import Refusal, status_of
from operator_lib.worker.store.base import RunRow
from operator_lib.worker.verdict import as_error

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Bytes of a stored value that is made into JSON; larger ones are passed on as they are.
JSON_LIMIT = 64 << 20
RAW = "application/octet-stream"


async def answer(worker: Worker, row: RunRow, request: Request) -> Response:
    """The value of a run that has ended, or its error with the status that fits."""
    if row.status != "COMPLETED":
        return JSONResponse({"error": await asyncio.to_thread(error_of, worker, row)}, failed_status(worker, row))
    path = stored_value(worker, row)
    if RAW in request.headers.get("accept", ""):
        return FileResponse(path, media_type=RAW)
    return Response(await asyncio.to_thread(value_json, path), media_type="application/json")


def stored_value(worker: Worker, row: RunRow) -> Path:
    """Where the value of a run lies.

    Raises:
        Refusal: 409, it has not ended; 404 without a value.
    """
    if not row.terminal:
        raise Refusal(
            409,
            "NotReady",
            f"run {row.id} is still {row.status}; add ?wait=true",
            {"run_id": row.id, "status": row.status},
        )
    path = worker.places.attempt(row.id, row.attempts) / VALUE
    if not path.exists():
        raise NotFound(f"run {row.id} has no stored value: it is {row.status}")
    return path


def value_json(path: Path) -> bytes:
    """A stored value as JSON; the items of a generator as an array.

    Raises:
        Refusal: 406, it has no JSON form here.
    """
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            if len(mapped) > JSON_LIMIT:
                raise _no_json(f"{len(mapped)} bytes are too many to be made into JSON")
            head = json.loads(mapped.readline())
            parts = [_frame_json(data) for data in _frames(mapped, head)]
    except SerializationError as problem:
        raise _no_json(str(problem)) from None
    return parts[0] if head["shape"] == "value" else b"[" + b",".join(parts) + b"]"


def outputs_json(worker: Worker, row: RunRow, only: str = "") -> dict[str, bytes]:
    """The outputs of the functions of a graph, and the value of the run under the name of its job, as JSON arrays.

    Raises:
        Refusal: 409, it has not ended; 406, they have no JSON form here.
        NotFound: nothing is stored (under the name `only`).
    """
    if not row.terminal:
        stored_value(worker, row)  # refuses, with the reason
    folder = worker.places.attempt(row.id, row.attempts)
    stored = kept.read((folder / OUTPUTS).read_bytes()) if (folder / OUTPUTS).exists() else {}
    names = [*dict.fromkeys((row.job, *stored))]
    if only and only not in names:
        raise NotFound(f"run {row.id} stored no output of {only!r}; stored: {', '.join(names)}")
    found: dict[str, bytes] = {}
    for name in [only] if only else names:
        if name in stored:
            found[name] = _function_json(stored[name])
        elif only or row.status == "COMPLETED" or not stored:
            found[name] = b"[%b]" % value_json(stored_value(worker, row))
    return found


def _function_json(function: kept.Function) -> bytes:
    """One array of all that a function has returned."""
    try:
        function.check()
        parts = [_frame_json(frame)[1:-1] for frame in function.frames]
    except SerializationError as problem:
        raise _no_json(str(problem)) from None
    return b"[%b]" % b",".join(part for part in parts if part)


def _frames(mapped: mmap.mmap, head: dict[str, Any]) -> Iterator[bytes]:
    """One frame after the other, without what a generator returned at its end."""
    sizes: list[int] = head["sizes"][: -1 if head.get("returned") or head.get("failed") else None]
    for size in sizes:
        yield mapped.read(size)


def _frame_json(data: bytes | memoryview) -> bytes:
    frame = frames.parse(data)
    if frame.codec != "json":
        raise _no_json(f"it was stored with output_encoder={frame.codec!r}, which the worker never opens")
    body = bytes(frame.body)
    if not frame.tagged and b"NaN" not in body and b"Infinity" not in body and _is_utf8(body):
        return body
    return json.dumps(codec.to_json(codec.loads(data)), allow_nan=False).encode()


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _no_json(why: str) -> Refusal:
    message = f"the result has no JSON form: {why}; ask for it as stored with Accept: {RAW}"
    return Refusal(406, "NotAcceptable", message)


def error_of(worker: Worker, row: RunRow) -> dict[str, Any]:
    """Why a run has failed, in the shape of all errors."""
    error = raised(worker, row)
    details = {
        "run_id": row.id,
        "status": row.status,
        "operator": getattr(error, "operator_path", ""),
        "traceback": getattr(error, "remote_traceback", ""),
    }
    return {"type": type(error).__name__, "message": str(error), "details": details}


def raised(worker: Worker, row: RunRow) -> BaseException:
    """The exception that ended a run."""
    stored = worker.places.attempt(row.id, row.attempts) / FAILURE
    if row.cause_kind == "user_exception" and stored.exists():
        return failure.decode_failure(stored.read_bytes())
    return as_error(row)


def failed_status(worker: Worker, row: RunRow) -> int:
    """The HTTP status that says how a run failed: 504 over its time, 409 cancelled, 400 `RequestError`, else 500."""
    if row.status in ("TIMEOUT", "CANCELLED"):
        return status_of(as_error(row))
    stored = worker.places.attempt(row.id, row.attempts) / FAILURE
    if row.cause_kind == "user_exception" and stored.exists():
        described: Any = codec.loads(stored.read_bytes())
        if described.get("qualname") == "RequestError" and str(described.get("module")).startswith("operator_lib."):
            return 400
    return 500
