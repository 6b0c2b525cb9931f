"""What values contain, as sixteen bytes: the same in every process, whatever objects hold it.

The value is pickled without a memo, so that it does not matter which parts are one object, and hashed instead of kept.
Sets are put in order; functions, classes and tensors are told by what they are and not by where they lie.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from hashlib import blake2b
from types import CodeType, FunctionType
from typing import Any, cast

# Of immutable objects, whose `repr` says what they are.
SIMPLE = frozenset({type(None), bool, int, float, complex, str, bytes})
# Bytes hashed of one value before it counts as too large to be compared.
LARGEST = 1 << 32
# Opcodes that begin a set; they may also be anything else.
_SETS = (b"\x8f", b"\x91")
_NOBODY: Mapping[int, str] = {}


class Opaque(TypeError):
    """It cannot be said what the value contains."""


class _Sink:
    """Where the pickle goes."""

    __slots__ = ("hash", "left", "sets", "write")

    def __init__(self, limit: int) -> None:
        self.hash = blake2b(digest_size=16)
        self.left = limit
        self.sets = False
        self.write = self._write

    def _write(self, chunk: Any) -> None:
        self.hash.update(chunk)
        self.left -= len(chunk) if type(chunk) is bytes else memoryview(chunk).nbytes  # large arrays come as they are
        if self.left < 0:
            raise Opaque("it is too large")
        if type(chunk) is bytes and not self.sets:
            self.sets = _SETS[0] in chunk or _SETS[1] in chunk


class _Pickler(pickle.Pickler):
    """Without a memo; `names` stand for objects, by id, that are not looked into."""

    def __init__(self, sink: _Sink, names: Mapping[int, str], memo: bool) -> None:
        super().__init__(cast("Any", sink), 5)
        self.fast = not memo
        self.names = names

    def reducer_override(self, obj: Any) -> Any:
        known = self.names.get(id(obj))
        if known is not None:
            return _named, (known,)
        kind = type(obj)
        if kind.__name__ == "ndarray" and kind.__module__ == "numpy" and not obj.dtype.hasobject:
            # How it lies in memory (a view, columns first) is no content, and not the same once it has been stored.
            return _named, (f"{obj.dtype!r} {obj.shape}", obj.tobytes())
        if isinstance(obj, type):
            return NotImplemented if obj in _PLAIN else (_named, (obj.__module__, obj.__qualname__))
        if type(obj) is FunctionType:
            return NotImplemented if obj is _named else (_named, _function(obj))
        if isinstance(obj, set | frozenset):
            return _named, _in_order(cast("set[Any]", obj), self.names)
        if type(obj).__module__.partition(".")[0] == "torch" and hasattr(obj, "untyped_storage"):
            return _named, ("tensor", str(obj.dtype), obj.detach().cpu().contiguous().view(-1).numpy(), obj.shape)
        return NotImplemented


class _Ordering(_Pickler):
    """Puts sets in order; looks at every part, so only when there is one."""

    def persistent_id(self, obj: Any) -> Any:
        return _in_order(obj, self.names) if type(obj) in (set, frozenset) else None


# Pickled by name anyway, and met all the time.
_PLAIN = frozenset({object, type})


def _named(*_: Any) -> None:
    """Stands for what is not pickled as itself."""


def _in_order(items: set[Any] | frozenset[Any], names: Mapping[int, str]) -> tuple[Any, ...]:
    return type(items).__qualname__, sorted(digest(item, names) for item in items)


def _function(function: FunctionType) -> tuple[Any, ...]:
    """By its name where that finds it, else by its code and what it closes over."""
    name = function.__module__, function.__qualname__
    if "<" not in function.__qualname__:
        return name
    cells = [cell.cell_contents for cell in function.__closure__ or () if not _empty(cell)]
    return *name, *_code(function.__code__), function.__defaults__, function.__kwdefaults__, cells


def _empty(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _code(code: CodeType) -> tuple[Any, ...]:
    constants = [_code(part) if isinstance(part, CodeType) else part for part in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames


def simple(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether all arguments of a call are immutable and have the `repr` that they are told by."""
    return all(type(arg) in SIMPLE for arg in args) and all(type(arg) in SIMPLE for arg in kwargs.values())


def digest_simple(value: Any) -> bytes:
    """`digest` of something made of tuples, lists and dicts of simple values; another one than `digest` gives."""
    return blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=16, person=b"simple").digest()


def digest(value: Any, names: Mapping[int, str] = _NOBODY, limit: int = LARGEST) -> bytes:
    """Sixteen bytes that stand for what `value` contains.

    Raises:
        Opaque: that cannot be said: a lock, a connection, more than `limit` bytes.
    """
    try:
        return _digest(value, names, limit, memo=False)
    except Opaque:
        raise
    except ValueError:  # it contains itself, perhaps
        pass
    except Exception as problem:  # code of the user's may raise anything here
        raise Opaque(str(problem)) from problem
    try:
        return _digest(value, names, limit, memo=True)
    except Opaque:
        raise
    except Exception as problem:
        raise Opaque(str(problem)) from problem


def _digest(value: Any, names: Mapping[int, str], limit: int, *, memo: bool) -> bytes:
    sink = _Sink(limit)
    _Pickler(sink, names, memo).dump(value)
    if sink.sets:
        sink = _Sink(limit)
        _Ordering(sink, names, memo).dump(value)
    return sink.hash.digest()
