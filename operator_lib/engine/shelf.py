"""Stored outputs of `cacheable` operators: what a call is keyed by, and one process at a time that computes it.

A hit must be what the call would have returned. Hence a call whose arguments, state or globals changed while it ran is
not stored, nor is an output that does not come back from its bytes as it went in, or that has changed since (the file
that a path leads to). All of that is said, as a warning.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operator_lib import tree
from operator_lib.engine import entries, record
from operator_lib.engine.single import Alone
from operator_lib.engine.steps import Invoke, Steps
from operator_lib.errors import CacheError, OperatorError
from operator_lib.options import Options
from operator_lib.trace import closure
from operator_lib.trace.keys import paths
from operator_lib.trace.keys.contents import Contents
from operator_lib.trace.keys.refused import Refused
from operator_lib.wire import codec

# Options that an output may depend on; the others say where, when and how often.
MATTER = ("batch", "autobatch", "environment_variables", "secrets", "image", "output_encoder")
_MISSING: Any = object()


class NotStored(UserWarning):
    """An output of a cacheable operator was returned and not stored; the message says why."""


def through(
    op: Any,
    options: Options,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    compute: Callable[[], Steps],
    waiting: Any = None,
) -> Steps:
    """The stored output of the call, else what `compute` gives, stored.

    Args:
        waiting: the clock of the caller (`Timer`, or None); it stands still while another process computes.

    Raises:
        CacheError: the call has no key; names the argument, the attribute or the code.
    """
    shelf = Shelf.of(op, options, args, kwargs)
    if shelf is None:
        return (yield from compute())
    later = _shape(op).later
    if later:
        yield Invoke(_begun)  # from here on this is a coroutine, as the call itself would be
    value = shelf.take(_MISSING)
    if value is not _MISSING:
        return value
    alone = Alone(shelf.reading.common)
    if waiting is not None:
        waiting.pause()
    try:
        if later:
            yield Invoke(alone.awaited)
        else:
            alone.wait()
    finally:
        if waiting is not None:
            waiting.resume()
    try:
        value = shelf.again(_MISSING) if alone.waited else _MISSING
        if value is _MISSING:
            value = yield from compute()
            shelf.put(value)
        return value
    finally:
        alone.end()


async def _begun() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reading:
    """What tells a call from all others: all but files, and what each path that it knows leads to."""

    base: bytes
    paths: dict[str, str]

    def key(self, logs: Collection[str] = ()) -> str:
        """Of the call (hexadecimal); what `logs` lead to does not count."""
        if not self.paths:
            return self.base.hex()
        files = sorted((path, "" if path in logs else content) for path, content in self.paths.items())
        return hashlib.sha256(self.base + json.dumps(files).encode()).hexdigest()

    @property
    def common(self) -> str:
        """Of all such calls, whatever the paths lead to."""
        return hashlib.sha256(b"common" + self.base + json.dumps(sorted(self.paths)).encode()).hexdigest()


class Shelf:
    """The place of one call's output."""

    __slots__ = ("_read", "name", "options", "reading")

    def __init__(self, name: str, options: Options, read: Callable[[], Reading]) -> None:
        self.name = name
        self.options = options
        self._read = read
        self.reading = read()

    @classmethod
    def of(cls, op: Any, options: Options, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Shelf | None:
        """None: the arguments do not fit, or the output is not to be stored. Raises CacheError."""
        name, shape = tree.name_of(op), _shape(op)
        if shape.generates:
            raise CacheError(f"{name} is cacheable and a generator; return a list, or leave cacheable out")
        if options.use_ctx:
            _say(name, "it is handed the request, and what it reads there is no part of the key; leave out use_ctx")
            return None
        try:
            bound = shape.signature.bind(*args, **kwargs)
        except TypeError:  # the call itself says it best
            return None
        bound.apply_defaults()
        given = bound.arguments
        return cls(name, options, lambda: read(op, name, options, given))

    def take(self, default: Any) -> Any:
        """The stored output, if there is one that can be trusted."""
        found = entries.read(self.reading.key(), self.options.cache_ttl)
        if found is None and self.reading.paths:
            logs = self._logs()
            found = entries.read(self.reading.key(logs), self.options.cache_ttl) if logs else None
        if found is None:
            return default
        try:
            value = codec.loads(found.body, allow={"json", self.options.output_encoder})
            if fingerprint(value) != found.fingerprint:
                return default  # a class that is not loaded yet, or a file that has changed since
        except (OperatorError, Refused):
            return default
        except Exception:  # unpickling runs code of the user's: it may raise anything
            return default
        frame = record.current.get()
        if frame is not None:
            frame.outcome = "cached"
        return value

    def again(self, default: Any) -> Any:
        """`take`, after some time."""
        self.reading = self._read()
        return self.take(default)

    def put(self, value: Any) -> None:
        """Store the output of the call that is over now; say so if it cannot be."""
        allowed = {"json", self.options.output_encoder}
        try:
            logs = self._written()
            if logs is None:
                return
            body = codec.dumps(value, self.options.output_encoder, where=f"result of {self.name}")
            told = fingerprint(value)
            if fingerprint(codec.loads(bytes(body), allow=allowed)) != told:
                _say(self.name, f"its output of type {type(value).__qualname__} does not come back as it went in")
                return
            entries.write(self.reading.key(logs), self.name, told, body)
            if logs:
                entries.write(self.reading.common, self.name, bytes(32), codec.dumps(sorted(logs)))
        except Refused as error:
            _say(self.name, f"{error.at('its output')}")
        except OSError as error:
            _say(self.name, f"{entries.folder()} cannot be written to: {error.strerror or error}")
        except OperatorError as error:
            _say(self.name, str(error))

    def _logs(self) -> set[str]:
        """Files that such a call has written to without changing what was there."""
        found = entries.read(self.reading.common)
        if found is None or found.fingerprint != bytes(32):
            return set()
        return self.reading.paths.keys() & set(codec.loads(found.body))

    def _written(self) -> set[str] | None:
        """Files that the call has added to; None when it has changed something else that it depends on."""
        before, now = self.reading.paths, self._read()
        if now.base != self.reading.base or now.paths.keys() != before.keys():
            _say(self.name, "its arguments, its state or a global changed while it ran")
            return None
        changed = {path for path, content in now.paths.items() if content != before[path]}
        for path in changed:
            if not paths.grown(Path(path), before[path]):
                _say(self.name, f"{path}, which it depends on, changed while it ran")
                return None
        return changed | self._logs() if changed else changed


def read(op: Any, name: str, options: Options, given: Mapping[str, Any]) -> Reading:
    """What tells a call of `op` from all others. Raises CacheError."""
    held: list[closure.Held] = []
    found = _Writer(name, held)
    found.write(op, given)
    try:
        reach = closure.of(op, held)
        if not reach.sinks.isdisjoint(op.__dict__) or (reach.sinks and len(held) > 1):
            found = _Writer(name, [])
            found.write(op, given, reach.sinks)
        for path in reach.paths:
            found.paths[path] = paths.content(Path(path))
    except (Refused, paths.TooMany) as error:
        raise CacheError(f"{name} is cacheable, but {error}") from None
    parts = (reach.digest.encode(), _matter(options), *found.out)
    return Reading(hashlib.sha256(b"\0".join(parts)).digest(), found.paths)


class _Writer:
    """Writes state and arguments of a call."""

    __slots__ = ("held", "name", "out", "paths")

    def __init__(self, name: str, held: list[closure.Held]) -> None:
        self.name = name
        self.held = held
        self.paths: dict[str, str] = {}
        self.out: list[bytes] = []

    def write(self, op: Any, given: Mapping[str, Any], hidden: frozenset[str] = frozenset()) -> None:
        """The attributes of `op` that are not `hidden`, and the arguments. Raises CacheError."""
        numbers: dict[int, int] = {}

        def code(thing: Any, inside: bool) -> bytes:
            self.held.append((thing, inside))
            return b"#%d" % numbers.setdefault(id(thing), len(numbers))

        contents = Contents(code, paths=self.paths, hidden=hidden)
        where = "attribute "
        try:
            contents.attributes(op)
            for parameter, value in given.items():
                where = f"argument {parameter!r}"
                contents.write(value)
        except Refused as error:
            raise CacheError(f"{self.name} is cacheable, but {error.at(where)}") from None
        self.out = contents.out


def fingerprint(value: Any) -> bytes:
    """What tells an output from others; classes by their names. Raises Refused."""
    contents = Contents(lambda thing, inside: f"{thing.__module__}.{thing.__qualname__}".encode())
    contents.write(value)
    return hashlib.sha256(b"".join(contents.out)).digest()


_said: dict[int, tuple[Options, bytes]] = {}


def _matter(options: Options) -> bytes:
    known = _said.get(id(options))
    if known is None:
        if len(_said) > 1024:
            _said.clear()
        said = {name: value for name, value in options.to_json().items() if name in MATTER}
        known = _said[id(options)] = options, json.dumps(said, sort_keys=True).encode()
    return known[1]


def _function(op: Any) -> Any:
    """What a call runs in the end."""
    return op.__dict__.get("__wrapped__") or op.forward


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a function is called."""

    signature: inspect.Signature
    generates: bool
    later: bool
    """A coroutine function."""


def _shape(op: Any) -> _Shape:
    function = _function(op)
    owner = getattr(function, "__func__", None)
    return _shape_of(owner or function, owner is not None)


@functools.lru_cache(1024)
def _shape_of(function: Any, bound: bool) -> _Shape:
    signature = inspect.signature(function)
    if bound:
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    generates = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    return _Shape(signature, generates, inspect.iscoroutinefunction(function))


def _say(name: str, why: str) -> None:
    warnings.warn(f"an output of {name} is not stored: {why}", NotStored, stacklevel=2)
