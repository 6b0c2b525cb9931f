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
from operator_lib.frontends.torchserve import child

_FORK, _END, _PRELOAD = b"f", b"e", b"p"
_NUMBER = struct.Struct("<q")


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
        """A new process, and the socket on which it serves one handler: see `child.serve`."""
        ours, theirs = socket.socketpair()
        with theirs, self._turn:
            socket.send_fds(self._socket, [_FORK], [theirs.fileno()])
            (pid,) = _NUMBER.unpack(self._heard())
        return pid, ours

    def end(self, pid: int) -> str:
        """Kill a process and what it has started, if it has not ended; in words how it did."""
        with self._turn:
            self._socket.send(_END + _NUMBER.pack(pid))
            (status,) = _NUMBER.unpack(self._heard())
        code = os.waitstatus_to_exitcode(status)
        return Exit(signal=-code).words() if code < 0 else Exit(code=code).words()

    def _heard(self) -> bytes:
        answer = self._socket.recv(_NUMBER.size)
        if not answer:
            raise OSError("the process that starts the nodes of workflows has ended")
        return answer


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
        ended: dict[int, int] = {}
        while True:
            message, fds, _, _ = socket.recv_fds(control, 4096, 1)
            if not message:
                break
            kind, rest = message[:1], message[1:]
            if kind == _FORK:
                pid = _forked(control, fds[0])
                ended.pop(pid, None)  # of an earlier process of this number
                control.send(_NUMBER.pack(pid))
            elif kind == _END:
                (pid,) = _NUMBER.unpack(rest)
                control.send(_NUMBER.pack(_ended(pid, ended)))
            else:
                for name in rest.decode().split():
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)
            _reap(ended)
    os._exit(0)


def _forked(control: socket.socket, channel: int) -> int:
    pid = os.fork()
    if pid == 0:
        control.close()
        os.setpgid(0, 0)
        child.serve(channel)
    with contextlib.suppress(OSError):  # it has done so itself
        os.setpgid(pid, pid)
    os.close(channel)
    return pid


def _ended(pid: int, ended: dict[int, int]) -> int:
    """The status of a process that has ended, or is ended now."""
    _reap(ended)
    if pid not in ended:  # so its number is still its own
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        ended[pid] = os.waitpid(pid, 0)[1]
    return ended.pop(pid)


def _reap(ended: dict[int, int]) -> None:
    """Forks that have ended take no place in the table of processes."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = status
