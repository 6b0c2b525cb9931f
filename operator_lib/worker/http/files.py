"""Files that were uploaded, by the hash of their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from operator_lib.errors import NotFound
from operator_lib.worker.blobs import SHA256
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

MEDIA = "application/octet-stream"


async def content(worker: Worker, request: Request, query: Json) -> Response:
    name = request.path_params["sha256"]
    if not SHA256.fullmatch(name):
        raise NotFound("a file is named by the 64 lower-case hex digits of its SHA-256")
    path = await worker.blobs.aside(worker.blobs.path, name)
    return FileResponse(path, media_type=MEDIA, headers={"X-Content-Type-Options": "nosniff"})


def endpoints() -> list[Endpoint]:
    """``GET /v1/files/{sha256}``."""
    found = Answer(200, "Its bytes; parts of them with `Range`.", {"type": "string", "format": "binary"}, media=MEDIA)
    summary = "A file that was uploaded, by the SHA-256 of its content."
    return [Endpoint("GET", "/v1/files/{sha256}", content, "worker", summary, (found,), errors=(404,))]
