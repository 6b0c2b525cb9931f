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
        sending = _Sending(blobs, wanted)
        try:
            connection.deployments.UploadBlobs(sending.chunks(), metadata=connection.metadata)
        except Exception as error:
            import grpc

            if not isinstance(error, grpc.RpcError):
                raise
            translated = connection.translate(error, "upload")
            sending.check()
            if not isinstance(translated, ConnectionError) or attempt == TRIES - 1:
                raise translated from None
        finally:
            sent += sending.sent
        if sending.broken:
            sending.check()
    left = missing(connection, refs)
    if left:
        raise DeployError(f"{len(left)} blobs did not arrive whole; try again")
    return sent


class _Sending:
    """What one upload sends, and whether it is still what was announced."""

    def __init__(self, blobs: Mapping[str, tuple[int, Source]], wanted: Mapping[str, int]) -> None:
        self._blobs = blobs
        self._wanted = wanted
        self.sent = 0
        self.broken = False
        """A file could not be read to its end."""

    def chunks(self) -> Iterator[pb.BlobChunk]:
        """Raises nothing: what an iterator raises, gRPC tells in words of its own."""
        for sha, offset in self._wanted.items():
            size, source = self._blobs[sha]
            end = offset
            try:
                for position, data in pieces(source, offset, size):
                    self.sent += len(data)
                    end = position + len(data)
                    yield pb.BlobChunk(sha256=sha, size=size, offset=position, data=data)
            except OSError:
                end = -1
            if end < size:
                self.broken = True
                return
            if size == 0:
                yield pb.BlobChunk(sha256=sha, size=0, offset=0, data=b"")

    def check(self) -> None:
        """Raises DeployError where a file is not what was announced any more."""
        for sha in self._wanted:
            size, source = self._blobs[sha]
            if isinstance(source, Path) and (problem := _problem(source, sha, size)):
                raise DeployError(
                    f"{source} {problem} while it was being sent; try again when nothing writes to it. "
                    "What the program does not need can be left out: name it in .nboxignore"
                )


def _problem(path: Path, sha: str, size: int) -> str:
    digest, left = hashlib.sha256(), size
    try:
        with open(path, "rb") as file:
            while data := file.read(min(CHUNK, left)):
                digest.update(data)
                left -= len(data)
    except FileNotFoundError:
        return "was removed"
    except OSError as error:
        return f"could not be read ({error.strerror})"
    return "changed" if digest.hexdigest() != sha else ""


def pieces(source: Source, offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    """A blob from `offset` to `size` in pieces with their offsets: what is added to a file meanwhile does not count."""
    if isinstance(source, Path):
        with open(source, "rb") as file:
            file.seek(offset)
            while data := file.read(min(CHUNK, size - offset)):
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
