"""What a call has returned and changed, as bytes that this program can read again in another process."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, cast

# Bytes; larger values are not stored.
LARGEST = 64 << 20

_operators: ContextVar[Mapping[str, Any]] = ContextVar("operator_lib_stored_operators")


class Unstorable(Exception):
    """The value cannot be stored; why, in words."""


class _Sink(io.BytesIO):
    """Takes no more than `LARGEST` bytes."""

    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > LARGEST:  # large arrays come as they are
            raise Unstorable(f"it is larger than {LARGEST >> 20} MB")
        return super().write(data)


class _Pickler(pickle.Pickler):
    """Operators of the tree are stored as their paths: reading gives the ones that are there."""

    def __init__(self, sink: _Sink, names: Mapping[int, str]) -> None:
        super().__init__(cast("Any", sink), 5)
        self.names = names

    def reducer_override(self, obj: Any) -> Any:
        known = self.names.get(id(obj))
        return NotImplemented if known is None else (_operator, (known,))


def _operator(path: str) -> Any:
    return _operators.get()[path]


def dumps(value: Any, names: Mapping[int, str]) -> memoryview:
    """Bytes for `loads`; `names` are the paths of operators by id.

    Raises:
        Unstorable: they would be too many, or it cannot be encoded.
    """
    sink = _Sink()
    try:
        _Pickler(sink, names).dump(value)
    except Unstorable:
        raise
    except Exception:  # classes and functions that no module has: by value
        sink = _Sink()
        try:
            _by_value(sink, names).dump(value)
        except Unstorable:
            raise
        except Exception as problem:  # code of the user's may raise anything here
            raise Unstorable(f"it cannot be encoded: {problem}") from problem
    return sink.getbuffer()


def _by_value(sink: _Sink, names: Mapping[int, str]) -> Any:
    import cloudpickle

    class ByValue(cloudpickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            known = names.get(id(obj))
            return super().reducer_override(obj) if known is None else (_operator, (known,))

    return ByValue(sink, 5)


def loads(data: bytes, operators: Mapping[str, Any]) -> Any:
    """What `dumps` was given, with `operators` (by path) in their places. Raises whatever reading a pickle raises."""
    token = _operators.set(operators)
    try:
        return pickle.loads(data)
    finally:
        _operators.reset(token)
