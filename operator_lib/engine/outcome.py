"""What a run returned, as a file: a value, or the items of an iterator and how it ended.

Layout: one line of JSON with ``shape`` (``value``, ``iterator`` or ``async_iterator``), ``sizes`` (bytes of each
frame), ``failed`` and ``returned``; then the frames (`operator_lib.wire.codec`). With `failed` the last one is a
failure (`operator_lib.wire.failure`), with `returned` it is what the generator returned after its items.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from operator_lib.wire import codec, failure

Segment = bytes | bytearray | memoryview


def write(path: str | Path, value: Any, encoder: str, where: str, *, durable: bool = True) -> BaseException | None:
    """Store `value` under `path`; an iterator is run to its end.

    Args:
        durable: it is to be on the disk, and not only in its cache.

    Returns:
        What ended the iterator before its time: its items are stored, but the run has failed.

    Raises:
        SerializationError: it cannot be encoded.
    """
    shape, frames, failed = "value", list[Sequence[Segment]](), None
    returned: list[Any] = []
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        shape = "iterator" if inspect.isgenerator(value) else "async_iterator"
        try:
            for index, item in enumerate(_draw(value, returned) if inspect.isgenerator(value) else _drive(value)):
                frames.append(codec.segments(item, encoder, where=f"item {index} of the {where}"))
            frames += [codec.segments(last, encoder, where=f"end of the {where}") for last in returned]
        except Exception as error:
            failed = error
            frames.append([failure.encode_failure(error, operator_path=path_of(error))])
    else:
        frames.append(codec.segments(value, encoder, where=where))
    sizes = [sum(memoryview(s).nbytes for s in frame) for frame in frames]
    about = {"shape": shape, "sizes": sizes, "failed": failed is not None, "returned": bool(returned)}
    head = json.dumps(about).encode() + b"\n"
    store(path, [head, *(segment for frame in frames for segment in frame)], durable=durable)
    return failed


def path_of(error: BaseException) -> str:
    """Path of the operator that raised `error`, as the recorder noted it."""
    return getattr(error, "__operator_path__", "")


def store(path: str | Path, segments: Sequence[Segment], *, durable: bool = True) -> int:
    """Write a file that is there whole and on the disk, or not at all; unless `durable`, in the disk's cache."""
    partial = f"{path}.partial"
    size = 0
    with open(partial, "wb") as file:
        for segment in segments:
            size += file.write(segment)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    os.rename(partial, path)
    return size


def _draw(items: Generator[Any, Any, Any], returned: list[Any]) -> Iterator[Any]:
    result = yield from items
    if result is not None:
        returned.append(result)


def _drive(items: AsyncIterator[Any]) -> Iterator[Any]:
    import asyncio

    with asyncio.Runner() as runner:
        while True:
            try:
                yield runner.run(_next(items))
            except StopAsyncIteration:
                return


async def _next(items: AsyncIterator[Any]) -> Any:
    return await items.__anext__()


def read(data: bytes | bytearray | memoryview, load: Callable[[Any], Any]) -> Any:
    """The value that `write` stored; an iterator comes back as one. `load` decodes one frame."""
    view = memoryview(data)
    end = bytes(view[: 1 << 20]).find(b"\n") if len(view) <= 1 << 20 else _newline(view)
    head = json.loads(bytes(view[:end]))
    frames: list[memoryview] = []
    position = end + 1
    for size in head["sizes"]:
        frames.append(view[position : position + size])
        position += size
    if head["shape"] == "value":
        return load(frames[0])
    items = _iterate(frames, head["failed"], head.get("returned", False), load)
    return items if head["shape"] == "iterator" else _asynchronous(items)


def _newline(view: memoryview) -> int:
    window = 1 << 20
    while (end := bytes(view[:window]).find(b"\n")) < 0:
        window *= 4
    return end


def _iterate(
    frames: list[memoryview], failed: bool, returned: bool, load: Callable[[Any], Any]
) -> Generator[Any, Any, Any]:
    last = len(frames) - 1
    for index, frame in enumerate(frames):
        if failed and index == last:
            raise failure.decode_failure(bytes(frame))
        if returned and index == last:
            return load(frame)
        yield load(frame)
    return None


async def _asynchronous(items: Iterator[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
