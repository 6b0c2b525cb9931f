"""A small warm parent: it has imported the runner, and forks a process per run or replica within milliseconds.

While nothing is asked of it, it has one spare at hand: a shim and its child that only have to be told what to run.

It holds no threads and no gRPC objects (only the import), so that a fork of it is sound. Started as
``python -m operator_lib.runner.zygote FD``; over the socket FD it receives, with each line (the path of a spec), the
socket that the new process's shim will report to. When the worker goes away the socket closes and the zygote ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import signal
import socket
import sys

# What every run or replica needs anyway: imported once here, shared by all forks.
PRELOAD = (
    "asyncio",
    "cloudpickle",
    "ctypes",
    "decimal",
    "fractions",
    "grpc",
    "inspect",
    "linecache",
    "logging",
    "pathlib",
    "random",
    "tempfile",
    "traceback",
    "uuid",
    "operator_lib.containers",
    "operator_lib.engine.map",
    "operator_lib.engine.progress",
    "operator_lib.trace.source",
    "operator_lib.wire.proto.serving_pb2_grpc",
)
ROOMS = ("options", "engine", "package", "runner", "wire")
# Seconds without an order until there is a spare, so that it does not take the processor from what was just started;
# and until it is let go, so that an idle worker has no more processes than it needs.
CALM, LONG = 0.02, 60.0


def preload() -> None:
    """Import it all. A part whose own requirements are missing will be missed where it is used, and say so there."""
    names = list(PRELOAD)
    for room in ROOMS:
        package = importlib.import_module(f"operator_lib.{room}")
        names += [found.name for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # shims are reaped by the kernel
    preload()
    gc.collect()
    gc.freeze()
    control.sendall(b"ready\n")
    serve(control)


def serve(control: socket.socket) -> None:
    """Have a shim work for every request, until the worker is gone."""
    waiting = b""
    channels: list[int] = []
    spare: socket.socket | None = None
    control.settimeout(CALM)
    while True:
        heard = _heard(control)
        if heard is None:
            control.settimeout(LONG if spare is None else None)
            spare = _spare(control) if spare is None else spare.close()
            continue
        control.settimeout(CALM)
        data, fds = heard
        if not data:
            return
        channels += fds
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            if spare is None or not _hand(spare, line, channels[0]):
                _hand(_raise(control, channels), line, channels[0])
            spare = None
            os.close(channels.pop(0))


def _heard(control: socket.socket) -> tuple[bytes, list[int]] | None:
    """None when nothing comes in time."""
    # Nothing is forked while that is handled: it would be the context of all exceptions in the fork.
    try:
        data, fds, _, _ = socket.recv_fds(control, 4096, 8)
    except TimeoutError:
        return None
    return data, fds


def _spare(control: socket.socket) -> socket.socket | None:
    """None where there is no room for one, which is not needed either."""
    with contextlib.suppress(OSError):
        return _raise(control, [])
    return None


def _raise(control: socket.socket, channels: list[int]) -> socket.socket:
    """Fork a shim, to which none of these belongs; the socket on which it waits for its order."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        control.close()
        ours.close()
        for channel in channels:
            os.close(channel)
        from operator_lib.runner import shim

        shim.wait(theirs)
    theirs.close()
    return ours


def _hand(shim: socket.socket, order: bytes, channel: int) -> bool:
    """Whether the shim was there to take the order."""
    with shim, contextlib.suppress(OSError):
        socket.send_fds(shim, [order], [channel])
        return True
    return False


if __name__ == "__main__":
    main()
