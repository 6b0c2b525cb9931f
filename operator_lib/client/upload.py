"""Sending what the worker lacks: by content, in pieces, taken up again where a broken upload stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from operator_lib.client.connect import Connection
from operator_lib.errors import DeployError
from operator_lib.wire.proto import deploy_pb2 as pb

CHUNK = 1 << 20
# Broken uploads are taken up again this often.
TRIES = 5

Source = Path | bytes | Sequence[bytes | bytearray | memoryview]


def ref(data: Sequence[bytes | bytearray | memoryview]) -> pb.BlobRef:
    """The name of a blob: its hash and size."""
    digest, size = hashlib.sha256(), 0
    for piece in data:
        digest.update(piece)
        size += memoryview(piece).nbytes
    return pb.BlobRef(sha256=digest.hexdigest(), size=size)


def missing(connection: Connection, refs: Sequence[pb.BlobRef]) -> dict[str, int]:
    """Which blobs the worker lacks, with the offset to go on from."""
    found: dict[str, int] = {}
    for start in range(0, len(refs), 5000):
        request = pb.MissingBlobsRequest(blobs=refs[start : start + 5000])
        reply = connection.call(connection.deployments.MissingBlobs, request)
        found.update({item.sha256: item.received for item in reply.missing})
    return found


def upload(connection: Connection, blobs: Mapping[str, tuple[int, Source]]) -> int:
    """Send blobs, named by hash with size and source, as far as the worker lacks them. Returns bytes sent.

    Raises:
        DeployError: a file changed while it was being sent.
        ConnectionError: the connection broke, again and again.
    """
    refs = [pb.BlobRef(sha256=sha, size=size) for sha, (size, _) in blobs.items()]
    sent = 0
    for attempt in range(TRIES):
        wanted = missing(connection, refs)
        if not wanted:
            return sent

        def chunks(wanted: dict[str, int] = wanted) -> Iterator[pb.BlobChunk]:
            nonlocal sent
            for sha, offset in wanted.items():
                size, source = blobs[sha]
                for position, data in pieces(source, offset):
                    sent += len(data)
                    yield pb.BlobChunk(sha256=sha, size=size, offset=position, data=data)
                if size == 0:
                    yield pb.BlobChunk(sha256=sha, size=0, offset=0, data=b"")

        try:
            connection.deployments.UploadBlobs(chunks(), metadata=connection.metadata)
        except Exception as error:
            import grpc

            if not isinstance(error, grpc.RpcError):
                raise
            translated = connection.translate(error, "upload")
            if not isinstance(translated, ConnectionError) or attempt == TRIES - 1:
                raise translated from None
    left = missing(connection, refs)
    if left:
        raise DeployError(f"{len(left)} files changed while they were being sent; deploy again when they are at rest")
    return sent


def pieces(source: Source, offset: int) -> Iterator[tuple[int, bytes]]:
    """A blob from `offset` on, in pieces with their offsets."""
    if isinstance(source, Path):
        with open(source, "rb") as file:
            file.seek(offset)
            while data := file.read(CHUNK):
                yield offset, data
                offset += len(data)
        return
    position = 0
    for segment in (source,) if isinstance(source, bytes) else source:
        view = memoryview(segment).cast("B")
        for start in range(0, len(view), CHUNK):
            data = view[start : start + CHUNK]
            if position + len(data) > offset:
                skip = max(0, offset - position)
                yield position + skip, bytes(data[skip:])
            position += len(data)
