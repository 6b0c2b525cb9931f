"""A worker to be killed, frozen and started again, and what is left of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from operator_lib import endpoint
from operator_lib.engine import marks
from operator_lib.wire.proto import deploy_pb2_grpc, runs_pb2_grpc, serving_pb2_grpc


def until(condition: Callable[[], Any], seconds: float = 10.0, about: str = "") -> Any:
    """What `condition` gives as soon as that is true."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {about or condition}")
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """There is such a process, and it is not just waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def gone(pid: int, seconds: float = 2.0) -> None:
    until(lambda: not alive(pid), seconds, f"process {pid} is still there")


def told(path: str | Path, count: int = 1) -> list[str]:
    """The first lines of a file, once there are so many."""
    return until(lambda: read_lines(path) if len(read_lines(path)) >= count else None, 20, f"{count} lines in {path}")


def read_lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except FileNotFoundError:
        return []


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Home:
    """The home of a worker, and whatever runs in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        # Not the usual ports: while a worker is dead, that of another test would take them.
        self.options = {"port": free_port(), "grpc-port": free_port()}

    def start(self, **options: str) -> endpoint.Endpoint:
        self.options |= {name.replace("_", "-"): value for name, value in options.items()}
        return endpoint.ensure(self.path, self.options)

    @property
    def found(self) -> endpoint.Endpoint:
        found = endpoint.running(self.path)
        assert found is not None, "no worker is running"
        return found

    @property
    def pid(self) -> int:
        return self.found.pid

    @property
    def token(self) -> str:
        return endpoint.read_token(self.path)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and collect it."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        reap(pid)

    def terminate(self, seconds: float = 30) -> int:
        """SIGTERM; its exit code."""
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        return wait(pid, seconds)

    def restart(self) -> endpoint.Endpoint:
        self.kill()
        return self.start()

    def processes(self) -> list[int]:
        """Everything that belongs to this home but the worker itself: zygotes, shims, user code, its descendants."""
        return [pid for pid in marks.marked(marks.HOME, str(self.path)) if alive(pid)]

    def busy(self) -> list[int]:
        """Those without the spare processes that wait to be told what to run (see runner/zygote.py)."""
        found = self.processes()
        spare = [pid for pid in found if _is_a_spare(pid, found)]
        return [pid for pid in found if pid not in spare and parent(pid) not in spare]

    def clean(self) -> None:
        """End the worker, however it is."""
        found = endpoint.running(self.path)
        if found is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGCONT)
                os.kill(found.pid, signal.SIGKILL)
            reap(found.pid)


def _is_a_spare(pid: int, of: list[int]) -> bool:
    """It is the child of a zygote, and has no events to wait for yet."""
    with contextlib.suppress(OSError):  # it has just ended
        zygote = parent(pid)
        if zygote in of and parent(zygote) not in of:
            return not any("eventpoll" in os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir())
    return False


def reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    until(lambda: not alive(pid), 5, f"worker {pid} is still there")


def wait(pid: int, seconds: float) -> int:
    """The exit code of a child of ours."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGABRT)  # with PYTHONFAULTHANDLER its log tells where its threads are
    raise AssertionError(f"{pid} has not ended within {seconds:g} s")


class Raw:
    """gRPC as another language would speak it: nothing is checked before it is sent."""

    def __init__(self, home: Home, token: str | None = None) -> None:
        self.channel = grpc.insecure_channel(home.found.grpc_address, [("grpc.max_receive_message_length", -1)])
        self.metadata = (("authorization", f"Bearer {home.token if token is None else token}"),)
        self.deployments: Any = deploy_pb2_grpc.DeploymentsStub(self.channel)
        self.runs: Any = runs_pb2_grpc.RunsStub(self.channel)
        self.servings: Any = serving_pb2_grpc.ServingsStub(self.channel)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *args: object) -> None:
        self.channel.close()


def client(home: Home, script: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Another Python process that uses the worker."""
    import sys

    project = Path(__file__).parent / "project"
    path = os.pathsep.join([str(project), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "OPERATOR_LIB_HOME": str(home.path), "PYTHONPATH": path}
    return subprocess.Popen([sys.executable, "-c", script, *arguments], env=env, start_new_session=True)


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
