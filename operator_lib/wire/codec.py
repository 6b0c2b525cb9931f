"""Values as bytes: `dumps` and `loads` for bytes, `dump` and `load` for files, `segments` for streams.

Calls have their own pair, `dumps_call` and `loads_call`, in which errors name the argument.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from operator_lib.wire import plain
from operator_lib.wire.calls import arguments_from_json, dumps_call, loads_call, segments_call
from operator_lib.wire.frames import Buffer, pack, pack_plain, parse, plain_body
from operator_lib.wire.json_values import from_json, to_json
from operator_lib.wire.reading import CODECS, JSON_ONLY, check_codec, read
from operator_lib.wire.refusal import Unencodable, refusal

_MAPPED = 1 << 16  # bytes; smaller files are read instead of mapped


def dumps(value: Any, codec: str = "json", *, where: str = "result") -> bytes:
    """``value`` as one frame. ``where`` names it in errors (``result of foo``). Raises SerializationError.

    >>> loads(dumps((1, {2, 3})))
    (1, {2, 3})
    """
    if codec == "json":
        body = plain_json(value)
        return b"".join(_tagged(value, where)) if body is None else pack_plain(body)
    return b"".join(segments(value, codec, where=where))


def segments(value: Any, codec: str = "json", *, where: str = "result") -> list[Buffer]:
    """The parts of the frame in order, large ones as views of the value's own memory: send them before
    changing it.
    """
    if codec == "cloudpickle":
        from operator_lib.wire import pickled

        return pickled.segments(value, lambda reason: pickled.culprit(value, where, reason))
    check_codec(codec)
    body = plain_json(value)
    return _tagged(value, where) if body is None else pack("json", body)


def _tagged(value: Any, where: str) -> list[Buffer]:
    from operator_lib.wire.tagged import Writer

    writer = Writer()
    try:
        node = writer.write(value)
    except Unencodable as error:
        raise refusal(error, where) from None
    return pack("json", plain.encode(node), writer.buffers, tagged=True)


def dump(value: Any, codec: str, path: str | os.PathLike[str], *, where: str = "result") -> int:
    """Write the frame to a file, whole or not at all; returns its size in bytes."""
    return write_file(segments(value, codec, where=where), path)


def loads(
    data: Buffer | bytearray,
    *,
    allow: Collection[str] = JSON_ONLY,
    hint: Any = None,
    namespace: Mapping[str, Any] | None = None,
) -> Any:
    """The value of a frame.

    ``allow`` names the codecs that may be read (UntrustedResult otherwise). Classes of the user are looked
    up in the annotation ``hint``, in loaded modules and in ``namespace``. A writable ``data`` is given away:
    arrays share its memory. Raises SerializationError for anything malformed, PythonVersionMismatch for
    pickles of another Python.
    """
    if type(data) is bytes:
        body = plain_body(data)
        if body is not None and "json" in allow:
            return plain.decode(body)
    return read(parse(data), allow, namespace, hint)


def load(
    path: str | os.PathLike[str],
    *,
    allow: Collection[str] = JSON_ONLY,
    hint: Any = None,
    namespace: Mapping[str, Any] | None = None,
) -> Any:
    """`loads` of a file. Large arrays are private views of the mapped file: writable, and read from disk
    when used.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < _MAPPED:
            return loads(file.read(), allow=allow, hint=hint, namespace=namespace)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return loads(memoryview(mapped), allow=allow, hint=hint, namespace=namespace)


def plain_json(value: Any) -> bytes | None:
    """The body of a value that JSON holds as it is, else None."""
    if not plain.is_plain(value):
        return None
    try:
        return plain.encode(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits
        return None


def write_file(parts: list[Buffer], path: str | os.PathLike[str]) -> int:
    """Write the parts one after the other to a temporary neighbour, flush it to disk, and rename it to
    ``path``.
    """
    target = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            size = sum(file.write(part) for part in parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size


__all__ = [
    "CODECS",
    "arguments_from_json",
    "dump",
    "dumps",
    "dumps_call",
    "from_json",
    "load",
    "loads",
    "loads_call",
    "segments",
    "segments_call",
    "to_json",
]
