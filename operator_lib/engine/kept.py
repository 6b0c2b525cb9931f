"""Outputs of the functions of a run, as a file: written as they come, read by name.

A record is a line of JSON and, unless it only declares names, a frame (`operator_lib.wire.codec`) of a list:
``{"names": [...]}``, ``{"name": ..., "size": bytes}``, or ``{"name": ..., "problem": words}`` for what cannot be
encoded. A record that was cut off ends the file.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operator_lib.errors import SerializationError
from operator_lib.wire import codec


class InFile:
    """A `Keeper` for a process that carries out a run."""

    def __init__(self, path: str | Path, encoder: str) -> None:
        self._path = path
        self._encoder = encoder
        self._file: Any = None
        self._lock = threading.Lock()

    def declare(self, names: list[str]) -> None:
        self._append({"names": names})

    def keep(self, name: str, values: list[Any]) -> None:
        try:
            frame = codec.dumps(values, self._encoder, where=f"outputs of {name}")
        except SerializationError as problem:
            self._append({"name": name, "problem": str(problem)})
        else:
            self._append({"name": name, "size": len(frame)}, frame)

    def _append(self, head: dict[str, Any], frame: bytes = b"") -> None:
        with self._lock:
            if self._file is None:
                self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115  # for as long as the run
            self._file.write(json.dumps(head).encode() + b"\n" + frame)

    def settle(self) -> None:
        """Have it all on the disk."""
        with self._lock:
            if self._file is not None:
                os.fsync(self._file.fileno())


class Function:
    """The stored outputs of one function."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frames: list[memoryview] = []
        self.problem = ""

    def values(self, load: Callable[[Any], Any]) -> list[Any]:
        """All of them; `load` decodes a frame.

        Raises:
            SerializationError: they could not be stored.
        """
        self.check()
        return [value for frame in self.frames for value in load(frame)]

    def check(self) -> None:
        """Raises SerializationError when some of them could not be stored."""
        if self.problem:
            raise SerializationError(f"the outputs of {self.name} were not stored: {self.problem}")


def read(data: bytes | bytearray | memoryview) -> dict[str, Function]:
    """What `InFile` has written, by function."""
    view, position, found = memoryview(data), 0, dict[str, Function]()
    whole = bytes(data) if not isinstance(data, bytes) else data
    while (end := whole.find(b"\n", position)) >= 0:
        head: dict[str, Any] = json.loads(whole[position:end])
        position = end + 1
        for name in head.get("names", ()):
            found.setdefault(name, Function(name))
        if "name" not in head:
            continue
        function = found.setdefault(head["name"], Function(head["name"]))
        function.problem = function.problem or head.get("problem", "")
        size = head.get("size", 0)
        if position + size > len(view):
            break
        if size:
            function.frames.append(view[position : position + size])
        position += size
    return found
