"""A hash of an operator that is the same in every process: of what it is, not of how a pickle happens to
spell it.

Pickles differ from process to process: the order of sets, the ids cloudpickle gives to classes, file names of
cells, which strings happen to be one object. Here sets are sorted, and code counts without its file and line
numbers.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable
from pickle import PickleBuffer
from types import CodeType, FunctionType
from typing import Any

from operator_lib.package.modules import Modules
from operator_lib.package.pickler import Pickler

_ATOMS = (type(None), bool, int, float, complex, str, bytes, bytearray, type(Ellipsis))
# Set by the interpreter, not by the author: positions in the file, and a tuple in the order of a set (3.13).
_ACCIDENTAL = frozenset({"__firstlineno__", "__static_attributes__", "__file__", "__path__", "__cached__", "_abc_impl"})
_TRACKED = frozenset({"_make_skeleton_class", "_make_skeleton_enum", "_make_typevar"})


def object_digest(obj: Any, modules: Modules) -> str:
    """Hex digest of an object that can be pickled. Equal for the same program in fresh processes."""
    return _Digest(modules).of(obj).hex()


class _Digest:
    def __init__(self, modules: Modules, seen: dict[int, int] | None = None) -> None:
        self._modules = modules
        self._pickler = Pickler(io.BytesIO(), modules)
        self._seen = {} if seen is None else seen
        self._alive: list[Any] = []  # ids in _seen must not be used again

    def of(self, obj: Any) -> bytes:
        if isinstance(obj, _ATOMS) and type(obj) in _ATOMS:
            value = struct.pack("<d", obj) if isinstance(obj, float) else repr(obj).encode("utf-8", "surrogatepass")
            return _hash(type(obj).__name__, [value])
        if type(obj) is tuple:
            return _hash("tuple", map(self.of, obj))
        if isinstance(obj, CodeType):
            return self._code(obj)
        if type(obj) in (set, frozenset):
            return self._set(obj)
        if id(obj) in self._seen:
            return _hash("seen", [str(self._seen[id(obj)]).encode()])
        self._seen[id(obj)] = len(self._seen)
        self._alive.append(obj)
        if type(obj) is list:
            return _hash("list", map(self.of, obj))
        if type(obj) is dict:
            return self._items("dict", obj.items())
        if isinstance(obj, PickleBuffer):
            return _hash("buffer", [bytes(obj)])
        return self._reduced(obj)

    def _items(self, tag: str, items: Iterable[tuple[Any, Any]]) -> bytes:
        return _hash(tag, (part for k, v in items if k not in _ACCIDENTAL for part in (self.of(k), self.of(v))))

    def _set(self, obj: Any) -> bytes:
        # each element for itself, so that the order in which they come does not matter
        return _hash("set", sorted(_Digest(self._modules, dict(self._seen)).of(item) for item in obj))

    def _code(self, code: CodeType) -> bytes:
        names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        parts = [code.co_code, code.co_exceptiontable, repr((names, counts)).encode()]
        return _hash("code", [*parts, *map(self.of, code.co_consts)])

    def _reduced(self, obj: Any) -> bytes:
        reduced = self._pickler.reducer_override(obj)
        if reduced is NotImplemented and isinstance(obj, type | FunctionType):
            return _hash("named", [f"{obj.__module__}.{obj.__qualname__}".encode()])
        if reduced is NotImplemented:
            reducer = self._pickler.dispatch_table.get(type(obj))
            reduced = reducer(obj) if reducer else obj.__reduce_ex__(5)
        if isinstance(reduced, str):
            return _hash("global", [f"{getattr(obj, '__module__', '')}.{reduced}".encode()])
        make, args, *rest = reduced
        self._alive.append(reduced)
        name = getattr(make, "__name__", "")
        if name in _TRACKED:
            args = tuple(None if _is_id(arg) else arg for arg in args)
        parts = [self.of(make), self.of(args)]
        state, listed, mapped = (*rest, None, None, None)[:3]
        parts.append(self._state(state, sort=name in _TRACKED or name == "_make_function"))
        parts.extend(self.of(item) for item in listed or ())
        parts.append(self._items("items", mapped or ()))
        return _hash("object", parts)

    def _state(self, state: Any, *, sort: bool) -> bytes:
        if not sort or not isinstance(state, tuple):
            return self.of(state)
        # of a class or a function: names of attributes and of globals, whose order says nothing
        return _hash("state", (self._sorted(part) for part in state))

    def _sorted(self, part: Any) -> bytes:
        if type(part) is not dict:
            return self.of(part)
        items = sorted(part.items(), key=lambda item: str(item[0]))
        return _hash("sorted", (self._named(k, v) for k, v in items if k not in _ACCIDENTAL))

    def _named(self, name: Any, value: Any) -> bytes:
        value_digest = self._sorted(value) if name == "__globals__" else self.of(value)
        return _hash("named", [str(name).encode(), value_digest])


def _is_id(arg: Any) -> bool:
    return isinstance(arg, str) and len(arg) == 32 and all(c in "0123456789abcdef" for c in arg)


def _hash(tag: str, parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256(tag.encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()
