"""A small warm parent: it has imported the runner, and forks a process per run or replica within milliseconds.

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
    """Fork a shim for every request, until the worker is gone."""
    waiting = b""
    channels: list[int] = []
    while True:
        data, fds, _, _ = socket.recv_fds(control, 4096, 8)
        if not data:
            return
        channels += fds
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            channel = channels.pop(0)
            if os.fork() == 0:
                control.close()
                for other in channels:
                    os.close(other)
                from operator_lib.runner import shim

                shim.run(line.decode(), channel)
            os.close(channel)


if __name__ == "__main__":
    main()
