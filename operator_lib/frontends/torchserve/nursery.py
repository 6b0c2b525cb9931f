"""Where the processes of nodes come from: a fork of this process, made before it has threads, that forks on demand.

What handlers will import anyway is imported there once (`preload`), and shared by all its forks. It holds no threads,
so that forking it is sound, and it alone ends and reaps its forks, so that no process is ended by the number of another
one. When this process goes, the sockets close, and all of them go.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import struct
import threading
from typing import NoReturn

from operator_lib.engine.marks import RUN
from operator_lib.engine.process import Exit
from operator_lib.errors import FatalException
from operator_lib.frontends.torchserve import child

_FORK, _END, _PRELOAD = b"f", b"e", b"p"
_NUMBER = struct.Struct("<q")
_ENDED = "the process that starts the nodes of workflows has ended"


class Nursery:
    """The process that forks, as this process sees it."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._turn = threading.Lock()
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            self._socket.close()
            _tend(other)
        other.close()

    def preload(self, names: list[str]) -> None:
        """Import modules there, if they are to be had; does not wait for it."""
        with self._turn:
            self._socket.send(_PRELOAD + " ".join(names).encode())

    def fork(self) -> tuple[int, socket.socket]:
        """A new process: the number to `end` it by, and the socket on which it serves one handler, see `child.serve`.

        Raises:
            FatalException: there is nobody any more to fork. OSError: the system has no room for a process.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._turn:
            try:
                socket.send_fds(self._socket, [_FORK], [theirs.fileno()])
                number = self._heard()
            except OSError:
                ours.close()
                raise FatalException(_ENDED) from None
        if number < 0:
            ours.close()
            raise OSError(-number, os.strerror(-number))
        return number, ours

    def end(self, number: int) -> str:
        """Kill a process and what it has started, if it has not ended; in words how it did."""
        with self._turn:
            self._socket.send(_END + _NUMBER.pack(number))
            code = os.waitstatus_to_exitcode(self._heard())
        return Exit(signal=-code).words() if code < 0 else Exit(code=code).words()

    def _heard(self) -> int:
        answer = self._socket.recv(_NUMBER.size)
        if not answer:
            raise OSError(_ENDED)
        return _NUMBER.unpack(answer)[0]


_nursery: Nursery | None = None


def on_a_worker() -> Nursery | None:
    """That of this process, made the first time; None where this is no process that a worker has started."""
    global _nursery
    if find() is None and RUN in os.environ:
        _nursery = Nursery()
    return _nursery


def find() -> Nursery | None:
    """That of this process, if there is one."""
    return _nursery if _nursery is not None and _nursery.process == os.getpid() else None


# --- over there ------------------------------------------------------------------------------------------------------


def _tend(control: socket.socket) -> NoReturn:
    """Do what is asked, until nobody is left to ask."""
    with contextlib.suppress(BaseException):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        forks = Forks()
        while True:
            message, fds, _, _ = socket.recv_fds(control, 4096, 1)
            if not message:
                break
            kind, rest = message[:1], message[1:]
            if kind == _FORK:
                control.send(_NUMBER.pack(forks.make(control, fds[0])))
            elif kind == _END:
                control.send(_NUMBER.pack(forks.end(*_NUMBER.unpack(rest))))
            else:
                for name in rest.decode().split():
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)
            forks.reap()
    os._exit(0)


class Forks:
    """Processes by a number that none had before: the system gives theirs to others when they have ended."""

    def __init__(self) -> None:
        self._made = 0
        self._going: dict[int, int] = {}  # number by pid
        self._ended: dict[int, int] = {}  # status by number

    def make(self, control: socket.socket, channel: int) -> int:
        """The number of a new one; less than 0: the error that the system gives."""
        try:
            pid = os.fork()
        except OSError as problem:
            os.close(channel)
            return -(problem.errno or 1)
        if pid == 0:
            control.close()
            os.setpgid(0, 0)
            child.serve(channel)
        with contextlib.suppress(OSError):  # it has done so itself
            os.setpgid(pid, pid)
        os.close(channel)
        self._made += 1
        self._going[pid] = self._made
        return self._made

    def end(self, number: int) -> int:
        """The status of one that has ended, or is ended now. It is told once."""
        self.reap()
        if number not in self._ended:
            pid = next(pid for pid, other in self._going.items() if other == number)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            self._note(*os.waitpid(pid, 0))
        return self._ended.pop(number)

    def reap(self) -> None:
        """Those that have ended take no place in the table of processes."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                self._note(pid, status)

    def _note(self, pid: int, status: int) -> None:
        if pid in self._going:
            self._ended[self._going.pop(pid)] = status
