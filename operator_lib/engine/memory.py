"""The state that functions of a run share: in this process, or in files that survive it."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from pathlib import Path
from typing import Any

from operator_lib.wire import codec

_numbers = itertools.count()


class InProcess:
    """For local calls and runs. Values are encoded, as they would be on a worker: everybody gets a copy."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def load(self, key: str) -> Any:
        return codec.loads(self._values[key], allow=("cloudpickle",))

    def store(self, key: str, value: Any) -> None:
        encoded = encode(key, value)
        with self._lock:
            self._values[key] = encoded


class InFolder:
    """A file per key, replaced in one step: for all processes of a run, and for its next attempt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Any:
        try:
            data = self._file(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        return codec.loads(data, allow=("cloudpickle",))

    def store(self, key: str, value: Any) -> None:
        encoded = encode(key, value)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(key)
        partial = file.with_name(f"{file.name}.{os.getpid()}.{next(_numbers)}")
        try:
            partial.write_bytes(encoded)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()


def encode(key: str, value: Any) -> bytes:
    return codec.dumps(value, "cloudpickle", where=f"state {key!r}")
