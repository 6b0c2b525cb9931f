"""The ``cloudpickle`` codec: protocol 5 with out-of-band buffers. Loaded only where the deployer asked for
it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any, cast

import cloudpickle

from operator_lib.errors import PythonVersionMismatch, SerializationError
from operator_lib.wire.frames import PYTHON, Buffer, Frame, pack
from operator_lib.wire.refusal import place, public_name

_dumps: Callable[[Any, int, Callable[[pickle.PickleBuffer], object]], bytes] = cloudpickle.dumps
_SEARCH_DEPTH = 8
_SEARCH_STEPS = 2_000


def segments(value: Any, find: Callable[[str], SerializationError]) -> list[Buffer]:
    """The frame of ``value``; ``find`` makes the error out of the reason when it cannot be pickled."""
    buffers: list[pickle.PickleBuffer] = []
    try:
        body = _dumps(value, 5, buffers.append)
        views: list[Buffer] = [buffer.raw() for buffer in buffers]
    except Exception as error:
        raise find(f"{type(error).__name__}: {error}") from error
    return pack("cloudpickle", body, views, cloudpickle=cloudpickle.__version__)


def loads(frame: Frame) -> Any:
    """Unpickle a frame whose codec was allowed. Raises PythonVersionMismatch before any byte of the pickle
    is read.
    """
    if frame.python != PYTHON:
        raise PythonVersionMismatch(
            f"this value was pickled by Python {frame.python}, this side runs Python {PYTHON}; "
            f'use one minor version on both sides, or the "json" encoder'
        )
    # Copies of read-only bytes: plain Python would give writable arrays.
    buffers = [bytearray(buffer) if buffer.readonly else buffer for buffer in frame.buffers]
    try:
        return pickle.loads(frame.body, buffers=buffers)
    except Exception as error:
        text = f"cannot unpickle: {type(error).__name__}: {error}"
        if frame.cloudpickle != cloudpickle.__version__:
            text += f" (cloudpickle {frame.cloudpickle or 'unknown'} there, {cloudpickle.__version__} here)"
        raise SerializationError(text) from error


def culprit(value: Any, where: str, reason: str) -> SerializationError:
    """The error that names the innermost part of ``value`` that cannot be pickled."""
    path, found = _search(value, "", _SEARCH_DEPTH, [_SEARCH_STEPS], set())
    return SerializationError(f"{place(where, path)} is {public_name(type(found))}, which cannot be pickled ({reason})")


def _search(value: Any, path: str, depth: int, steps: list[int], seen: set[int]) -> tuple[str, Any]:
    if depth == 0 or id(value) in seen:
        return path, value
    seen.add(id(value))
    for step, part in _parts(value):
        steps[0] -= 1
        if steps[0] < 0:
            break
        if not pickles(part):
            return _search(part, path + step, depth - 1, steps, seen)
    return path, value


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"[{key!r:.60}]", item) for key, item in cast("Mapping[Any, Any]", value).items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", item) for index, item in enumerate(cast("list[Any]", value))]
    if isinstance(value, (set, frozenset)):
        return [("{element}", item) for item in cast("set[Any]", value)]
    state = getattr(value, "__dict__", None)
    return [(f".{name}", item) for name, item in state.items()] if isinstance(state, dict) else []


def pickles(value: Any) -> bool:
    """Whether cloudpickle can write ``value``."""
    try:
        _dumps(value, 5, lambda buffer: None)
    except Exception:
        return False
    return True
