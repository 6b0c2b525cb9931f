"""Operators of a program that ask for resources of their own: each in a part, for as long as this process lives."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
import os
import secrets
import select
import threading
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import cloudpickle

from operator_lib import tree
from operator_lib.engine import elsewhere, record, requests, scope
from operator_lib.engine.process import HEARD, PARTS, ProcessSpec
from operator_lib.engine.scope import Scope
from operator_lib.errors import OperatorTimeout, OutOfMemory, WorkerDied
from operator_lib.options import Options
from operator_lib.runner.relay import Relay
from operator_lib.runner.stdio import Story
from operator_lib.runner.synced import Synced
from operator_lib.wire import failure

ENDS: dict[str, type[Exception]] = {"memory": OutOfMemory, "timeout": OperatorTimeout}
# Seconds for a part to end when it is not needed any more.
GOING = 5.0


_parts: list[Part] = []


def prepare(op: Any, spec: ProcessSpec, story: Story, number: Callable[[], int]) -> None:
    """Call ``__remote_init__`` over the tree below `op`, but for what has a part: that it is called in.

    Beside the program that has made the operators, they are as that has left them.

    Args:
        number: gives ids to calls that are made in parts.
    """
    process = Options.from_json(spec.resources)
    found = {id(node): Part(node, path, own, spec, story, number) for path, node, own in elsewhere.members(op, process)}
    inside = {id(node) for part in found.values() for _, node in tree.named_operators(part.op)}
    for _, node in () if spec.directory else tree.named_operators(op, memo=inside):
        hook = getattr(type(node), "__remote_init__", None)
        if hook is not None:
            hook(node)
    if found:
        elsewhere.find = lambda asked: part.forward if (part := found.get(id(asked))) is not None else None
        _parts.extend(found.values())


def close() -> None:
    """Let all parts of this process go."""
    for part in _parts:
        part.close()


class Part:
    """The process of one operator, as the process around sees it. It is started by the first call."""

    def __init__(
        self, op: Any, path: str, own: Options, spec: ProcessSpec, story: Story, number: Callable[[], int]
    ) -> None:
        self.op = op
        self._path = path
        self._options = own
        self._spec = spec
        self._story = story
        self._number = number
        self._turn = threading.Lock()
        self._made = Synced(op)  # as it was constructed, here and there
        self._state = self._made
        self._channel: Connection | None = None
        self._heard = -1
        self._rest = b""
        self._relay: Relay | None = None

    @property
    def forward(self) -> Callable[..., Any]:
        """What stands for the operator's own one."""
        if inspect.iscoroutinefunction(self.op.forward):
            return functools.partial(asyncio.to_thread, self.call)
        if inspect.isgeneratorfunction(self.op.forward):
            return self._items
        return self.call

    def _items(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """One call over there.

        Raises:
            WorkerDied, OutOfMemory, OperatorTimeout: its process ended. The next call starts another one.
        """
        inside = scope.here()
        attempt = requests.here().attempt
        if self._options.use_ctx:
            args = args[1:]
        with self._turn:
            if self._channel is None:
                with _paused(inside):
                    self._start()
            assert self._channel is not None
            assert self._relay is not None
            self._relay.begin(record.here(), inside)
            around = inside.options if inside is not None else self._options
            asked = cloudpickle.dumps((self._state.changes(), args, kwargs, around, attempt))
            try:
                self._channel.send_bytes(asked)
                kind, value, changes = cloudpickle.loads(self._channel.recv_bytes())
            except (EOFError, OSError):
                raise self._died() from None
            self._relay.finish()
            self._state.apply(changes)
        if kind == "error":
            raise failure.decode_failure(value)
        return value

    def _start(self) -> None:
        folder = Path(self._spec.folder) / PARTS / secrets.token_hex(4)
        for made in (folder, folder / "work", folder / "tmp"):
            made.mkdir(parents=True, mode=0o700)
        for entry in os.scandir(self._spec.source):
            os.symlink(entry.path, folder / "work" / entry.name)
        os.mkfifo(folder / HEARD, 0o600)
        self._heard, self._rest = os.open(folder / HEARD, os.O_RDWR | os.O_NONBLOCK), b""
        self._relay = Relay(folder / "events", self._path, self._story, self._number)
        token = secrets.token_urlsafe(24)
        wanted = {
            "kind": "part",
            "folder": str(folder),
            "operator": self._place(),
            "options": self._options.to_json(),
            "token": token,
        }
        self._story.emit(wanted)
        said = self._hear()
        if "exit" in said:
            raise self._ended(said)
        host, _, port = said["address"].rpartition(":")
        self._channel = Client((host, int(port)), authkey=token.encode())
        self._state = self._made.copy()  # it has been made anew over there

    def _place(self) -> str:
        """In the whole program: this process may be a part itself."""
        return f"{self._spec.operator}.{self._path}" if self._spec.operator else self._path

    def _hear(self, patience: float | None = None) -> dict[str, Any]:
        """The next line of the executor, without one an empty message."""
        while b"\n" not in self._rest:
            if not select.select([self._heard], [], [], patience)[0]:
                return {}
            self._rest += os.read(self._heard, 65536)
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def _died(self) -> Exception:
        said = self._hear()
        while "exit" not in said:
            said = self._hear()
        return self._ended(said)

    def _ended(self, said: dict[str, Any]) -> Exception:
        """The part is gone: how that is said to whoever has called it."""
        why, words = said.get("exit", ("", "it is unknown how"))
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        os.close(self._heard)
        if self._relay is not None:
            self._relay.end()
        return ENDS.get(why, WorkerDied)(f"the process of {self._path} ended before it answered: {words}")

    def close(self) -> None:
        """Let it go, when all it has told is told."""
        with self._turn:
            if self._channel is not None:
                self._channel.close()
                self._channel = None
                self._ended(self._hear(GOING) or {})


@contextlib.contextmanager
def _paused(inside: Scope | None) -> Generator[None]:
    """The time in which a process is started is not that of the call."""
    timer = inside.running() if inside is not None else None
    if timer is not None:
        timer.pause()
    try:
        yield
    finally:
        if timer is not None:
            timer.resume()
