from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from operator_lib.worker import LocalWorker

PIPE = """
    import time

    from operator_lib import Operator, operator

    print("importing pipe")


    class Other(Operator):
        def forward(self, y):
            print("other got", y)
            if y < 0:
                raise ValueError(f"negative: {y}")
            return y * 2


    class Tree(Operator):
        def __init__(self, a: int):
            self.a = a
            self.b = Other()

        def forward(self, x: int) -> int:
            y = self.a + x
            return self.b(y) + x


    job = Tree(1)


    @operator
    def greet(name: str, times: int = 1) -> dict:
        return {"hello": name, "times": times}


    @operator
    def upto(n: int):
        yield from range(n)


    @operator
    def slow(seconds: float):
        print("waiting")
        time.sleep(seconds)


    @operator
    class Counter:
        def __init__(self, value: int = 0):
            self.value = value

        def add(self, by: int = 1) -> int:
            print("adding", by)
            self.value += by
            return self.value

        def upto(self, n: int):
            yield from range(n)

        def fail(self):
            raise KeyError("nothing there")


    def plain():
        pass
"""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Done]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with one file."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pipe.py").write_text(textwrap.dedent(PIPE))
    return folder


def call(*args: str, cwd: Path, env: Mapping[str, str], check: int | None = None) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "operator_lib", *args],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=110,
        stdin=subprocess.DEVNULL,
    )
    if check is not None:
        assert done.returncode == check, (args, done.returncode, done.stdout, done.stderr)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def operator_lib_cli(project: Path, local_worker: LocalWorker) -> Cli:
    """Runs ``operator-lib``, in the project, with the worker of these tests as the local one."""

    def run(*args: str, cwd: Path = project, check: int | None = None, **env: str) -> Done:
        return call(*args, cwd=cwd, env={"OPERATOR_LIB_HOME": str(local_worker.home), **env}, check=check)

    return run


@pytest.fixture
def cli(operator_lib_cli: Cli) -> Cli:
    return operator_lib_cli


@pytest.fixture(scope="session")
def deployed(operator_lib_cli: Cli) -> Cli:
    """The same, once there are the jobs ``tree``, ``upto`` and ``slow`` and the serving ``counter``."""
    operator_lib_cli("deploy", "pipe.py:job", "--name", "tree", check=0)
    operator_lib_cli("deploy", "pipe.py:upto", "--name", "upto", check=0)
    operator_lib_cli("deploy", "pipe.py:slow", "--name", "slow", "-o", "timeout=60", check=0)
    operator_lib_cli("deploy", "pipe.py:Counter", "--name", "counter", check=0)
    return operator_lib_cli


@pytest.fixture
def terminal(project: Path, local_worker: LocalWorker) -> Callable[..., str]:
    """Runs ``operator-lib`` on a terminal of 80 columns; everything it showed, escape sequences included."""

    def run(*args: str, **env: str) -> str:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "OPERATOR_LIB_HOME": str(local_worker.home), "TERM": "xterm", "COLUMNS": "80"}
        environment.pop("NO_COLOR", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "operator_lib", *args],
            cwd=project, env={**environment, **env}, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not data:
                break
            shown += data
        os.close(ours)
        assert process.wait(30) == 0, shown.decode(errors="replace")
        return shown.decode(errors="replace")

    return run
