"""The state of a serving's object in a file, so that the next process of the same version goes on from it.

What is kept are the attributes of the object and of the operators below it. The next process makes the object as it was
deployed, calls ``__remote_init__``, and then puts the kept attributes back: what cannot be pickled (a connection, a
lock) is what ``__remote_init__`` has made of it.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cloudpickle

from operator_lib import tree
from operator_lib.engine.attributes import OURS
from operator_lib.engine.process import RESTORED, SNAPSHOT, ProcessSpec
from operator_lib.runner.calls import Target

HEAD = b"operator_lib snapshot 1\n"
# Seconds for which a snapshot waits for a moment without calls, and after which it tries again.
PATIENCE = 1.0


class Snapshots:
    """Of the object of one replica."""

    def __init__(self, target: Target, spec: ProcessSpec) -> None:
        self._target = target
        self._folder = Path(spec.folder)
        self._every = spec.snapshot or 0.0
        self._nodes = dict(tree.named_operators(target.op)) if tree.is_operator(target.op) else {"": target.op}
        self._names = {id(node): path for path, node in self._nodes.items()}
        self._saved = b""
        self._moment = -1
        self._left_out: set[str] = set()
        self._one = threading.Lock()

    def restore(self) -> None:
        """Go on from the last snapshot. A damaged one is not used, and the object's log says so."""
        path = self._folder / RESTORED
        if not path.exists():
            return
        try:
            kept = _Reader(_checked(path.read_bytes()), self._nodes).load()
            for name, (state, whole) in kept.items():
                if name in self._nodes:
                    _put_back(self._nodes[name], state, whole)
        except Exception as error:
            print(f"the snapshot is not used, the object is as it was deployed: {error!r}", file=sys.stderr)

    def start(self) -> None:
        """Take one every so many seconds, if that was asked for."""
        if self._every:
            threading.Thread(target=self._work, name="snapshots", daemon=True).start()

    def _work(self) -> None:
        pause = self._every
        while True:
            time.sleep(pause)
            pause = self._every if self.save() else min(self._every, PATIENCE)

    def save(self) -> bool:
        """Take one, unless nothing has been called since the last; False: calls left no moment for it."""
        target = self._target
        with self._one:
            if target.load.moment == self._moment:
                return True
            if not target.pause(PATIENCE):
                return False
            try:
                self._moment = target.load.moment
                payload = self._pickled()
            finally:
                target.resume()
            if payload != self._saved:
                _store(self._folder / SNAPSHOT, payload)
                self._saved = payload
            return True

    def _pickled(self) -> bytes:
        kept = {path: _state(node) for path, node in self._nodes.items()}
        try:
            return _dumps(kept, self._names)
        except Exception:
            for path, (state, whole) in kept.items():
                if not whole:
                    kept[path] = self._picklable(path, state), whole
            return _dumps(kept, self._names)

    def _picklable(self, path: str, state: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in state.items():
            try:
                _dumps(value, self._names)
                found[name] = value
            except Exception as error:
                place = f"{path}.{name}".lstrip(".")
                if place not in self._left_out:
                    self._left_out.add(place)
                    print(f"the snapshot leaves out {place}: {error}", file=sys.stderr)
        return found


def _state(node: Any) -> tuple[Any, bool]:
    """What there is to keep of an operator; whether it is what its own ``__getstate__`` says, to be kept whole."""
    if type(node).__getstate__ is not object.__getstate__:
        return node.__getstate__(), True
    hidden = OURS | ({"__wrapped__"} if "__wrapped__" in tree.state(node) else frozenset())
    return {name: value for name, value in tree.attributes(node) if name not in hidden}, False


def _put_back(node: Any, state: Any, whole: bool) -> None:
    if whole and hasattr(type(node), "__setstate__"):
        node.__setstate__(state)
        return
    for name, value in state.items():
        object.__setattr__(node, name, value)


class _Writer(cloudpickle.CloudPickler):
    """Operators that the next process has too are named, not copied."""

    def __init__(self, file: io.BytesIO, names: Mapping[int, str]) -> None:
        super().__init__(file)
        self._names = names

    def persistent_id(self, obj: Any) -> str | None:
        return self._names.get(id(obj))


class _Reader:
    """The other way."""

    def __init__(self, data: bytes, nodes: Mapping[str, Any]) -> None:
        import pickle

        self._unpickler = pickle.Unpickler(io.BytesIO(data))
        find: Callable[[Any], Any] = lambda path: nodes[path]  # noqa: E731
        self._unpickler.persistent_load = find  # type: ignore[method-assign]

    def load(self) -> dict[str, tuple[Any, bool]]:
        return self._unpickler.load()


def _dumps(value: Any, names: Mapping[int, str]) -> bytes:
    file = io.BytesIO()
    _Writer(file, names).dump(value)
    return file.getvalue()


def _store(path: Path, payload: bytes) -> None:
    """Under a temporary name, flushed, then renamed: there is a whole one at every moment."""
    partial = path.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(HEAD + hashlib.sha256(payload).digest() + payload)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _checked(data: bytes) -> bytes:
    """What was stored.

    Raises:
        ValueError: the file is not what was written.
    """
    end = len(HEAD) + hashlib.sha256().digest_size
    if not data.startswith(HEAD) or hashlib.sha256(data[end:]).digest() != data[len(HEAD) : end]:
        raise ValueError("the file is damaged")
    return data[end:]
