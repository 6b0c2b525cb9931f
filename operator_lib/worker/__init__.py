"""The service that takes an uploaded folder and runs it. `local` gives tests a real one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from operator_lib import endpoint


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """A running worker of this machine, and what is needed to use it."""

    url: str
    grpc_address: str
    home: Path
    pid: int
    token: str = field(repr=False)


@contextlib.contextmanager
def local(home: str | os.PathLike[str] | None = None, **options: str) -> Generator[LocalWorker]:
    """A real worker for the length of a block; calls without an address go to it. Stopped and cleaned at the end.

    Args:
        home: where it lives; by default a temporary folder that is removed afterwards.
        options: of ``operator-lib worker start``, such as ``max_runs="2"``.
    """
    folder = Path(home) if home is not None else Path(tempfile.mkdtemp(prefix="operator-lib-"))
    names = ("OPERATOR_LIB_HOME", "OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN")
    before = {name: os.environ.get(name) for name in names}
    try:
        settings = {name.replace("_", "-"): value for name, value in options.items()}
        running = endpoint.ensure(folder.resolve(), settings, leash=True)
        os.environ["OPERATOR_LIB_HOME"] = str(folder)
        os.environ.pop("OPERATOR_LIB_ADDRESS", None)
        os.environ.pop("OPERATOR_LIB_TOKEN", None)
        token = endpoint.read_token(folder)
        yield LocalWorker(running.url, running.grpc_address, folder, running.pid, token)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        stop(folder)
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def stop(home: Path, *, wait: float = 60.0) -> bool:
    """End the worker of `home`, which finishes what it can; False when none runs.

    Raises:
        TimeoutError: it did not end in time.
    """
    found = endpoint.running(home.resolve())
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    end = time.monotonic() + wait
    while endpoint.alive(found.pid):
        _reap(found.pid)
        if time.monotonic() > end:
            raise TimeoutError(f"worker {found.pid} did not stop within {wait:g} s")
        time.sleep(0.01)
    return True


def _reap(pid: int) -> None:
    """When the worker is our own child, collect it."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    subprocess._cleanup()  # type: ignore[attr-defined]
