"""Processes that compute what was proven to depend on nothing but what is sent: the operator, arguments, globals.

They are started when first needed, stay for the next call, and end with this process: their input ends then.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import os
import pickle
import queue
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import cloudpickle

from operator_lib.independence.pending import Pending
from operator_lib.independence.plain import is_fixed

if TYPE_CHECKING:
    from operator_lib.independence.steps import Steps

# Bytes of operator and arguments: what is larger is computed where it is.
LARGE = 16_000_000
_COMMAND = "import operator_lib.independence.beside as b; b.serve()"


class NotThere(Exception):
    """The process did not do it: it failed, gave something that cannot be sent back unchanged, or died."""


class Stays(NotThere):
    """It would not do the next one either."""


class Beside:
    """One process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
        )
        self.last = b""
        """The operator that it holds."""
        self._send(pickle.dumps(list(sys.path)))

    def _send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(len(data).to_bytes(8, "big") + data)
        self.process.stdin.flush()

    def ask(self, data: bytes) -> bytes:
        """The answer to a question.

        Raises:
            OSError, EOFError: the process has died.
        """
        self._send(data)
        assert self.process.stdout is not None
        size = self.process.stdout.read(8)
        if len(size) < 8:
            raise EOFError
        return self.process.stdout.read(int.from_bytes(size, "big"))

    def end(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process.wait()


def _environment() -> dict[str, str]:
    """One thread each for libraries that would have as many as there are processors."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.pathsep.join([root, *([os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [])])
    return {**os.environ, **single, "PYTHONPATH": path}


class _Pool:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.idle: queue.LifoQueue[Beside] = queue.LifoQueue()
        self.all: list[Beside] = []
        self.lock = threading.Lock()

    def take(self) -> Beside:
        try:
            return self.idle.get_nowait()
        except queue.Empty:
            made = Beside()
            with self.lock:
                self.all.append(made)
            return made

    def lose(self, one: Beside) -> None:
        with self.lock:
            self.all.remove(one)
        one.end()

    def end(self) -> None:
        with self.lock:
            while self.pid == os.getpid() and not self.idle.empty():
                one = self.idle.get_nowait()
                self.all.remove(one)
                one.end()


_pool: _Pool | None = None
_making = threading.Lock()


def _processes() -> _Pool:
    global _pool
    with _making:
        if _pool is None or _pool.pid != os.getpid():
            _pool = _Pool()
            atexit.register(_pool.end)
        return _pool


def end() -> None:
    """End those that wait for work; the next call starts others."""
    if _pool is not None:
        _pool.end()


def call(flow: Steps, one: Pending, values: tuple[Any, ...]) -> tuple[Any, float]:
    """What a process gives for a call, and the seconds that it computed.

    Raises:
        NotThere: this process has to do it itself.
    """
    assert one.callee is not None
    callee, names, count = one.callee
    try:
        digest, packed = _packed(flow, callee, one.proof.shipped)
        given = cloudpickle.dumps((values[:count], dict(zip(names, values[count:], strict=True))))
    except Exception as error:
        raise Stays from error
    if len(packed) + len(given) > LARGE:
        raise Stays
    pool = _processes()
    there = pool.take()
    mine = one.proof.fresh or (one.proof.own and all(is_fixed(value) for value in values))
    question = (None if digest == there.last else packed, given, mine)
    one.beside = there
    try:
        answer = there.ask(pickle.dumps(question))
    except (OSError, EOFError) as error:
        pool.lose(there)
        raise NotThere from error
    finally:
        one.beside = None
    done, seconds, value = pickle.loads(answer)
    there.last = digest if done else b""  # it may be that it could not even be loaded there
    pool.idle.put(there)
    if not done:
        raise Stays if seconds else NotThere  # it was computed, and cannot come back as what it is
    return _Careful(io.BytesIO(value)).load(), seconds


def stop(one: Pending) -> None:
    """Nobody wants what a process computes: it ends, and whoever has asked it is told."""
    there = one.beside
    if there is not None:
        there.process.kill()


def _packed(flow: Steps, callee: Any, shipped: list[tuple[str, str]]) -> tuple[bytes, bytes]:
    """The operator as it is now, with the globals that it looks at."""
    found = flow.packed.get(id(callee))
    if found is None:
        state = [(module, name, _value_of(module, name)) for module, name in shipped]
        data = cloudpickle.dumps((callee, state))
        found = flow.packed[id(callee)] = (hashlib.blake2b(data, digest_size=16).digest(), data)
    return found


def _value_of(module: str, name: str) -> Any:
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    return found


class _Careful(pickle.Unpickler):
    """Results are data: classes of the user's would be others there and here."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("builtins", "collections", "datetime", "decimal", "fractions", "numpy"):
            raise NotThere
        return super().find_class(module, name)
