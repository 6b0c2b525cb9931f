from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from operator_lib.worker import LocalWorker

PROGRAM = """
    import os
    from operator_lib import Operator, operator

    @operator
    def foo(i: float = 4):
        "Squares."
        return i * i

    @operator
    class Bar:
        def __init__(self, x: int = 1):
            self.x = x

        def inc(self):
            self.x += 1
            return self.x

    class Node(Operator):
        def __init__(self, n=1):
            self.n = n

        def forward(self, x):
            return x + self.n

    class Tree(Operator):
        def __init__(self, n):
            self.first = Node(n)
            self.rest = [Node(1), Node(2)]

        def forward(self, x):
            x = self.first(x)
            for each in self.rest:
                x = each(x)
            return x

    @operator
    def needs(i, *, j):
        return i, j

    @operator
    def fails():
        raise LookupError("told you")
"""

Write = Callable[[Mapping[str, str]], Path]
Load = Callable[..., Any]
Script = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a project, and returns its folder."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "project"
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(text))
        return root

    return write


@pytest.fixture
def load(write: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Writes a project and imports its module `program` (or another)."""
    before = set(sys.modules)

    def load(code: str, files: Mapping[str, str] | None = None, module: str = "program") -> Any:
        root = write({f"{module.replace('.', '/')}.py": code, **(files or {})})
        monkeypatch.syspath_prepend(str(root))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        return importlib.import_module(module)

    yield load
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if "/project/" in file:
            del sys.modules[name]


@pytest.fixture
def script(worker: LocalWorker) -> Script:
    """Runs ``python ...`` in a folder; deploys go to the tests' worker. What it prints."""

    def run(folder: Path, *command: str) -> str:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        env |= {"OPERATOR_LIB_HOME": str(worker.home), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its time and size."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        found[path.relative_to(folder).as_posix()] = (status.st_mtime_ns, status.st_size)
    return found


@pytest.fixture
def untouched_after() -> Callable[[Path], Any]:
    """A block after which nothing in the folder has been made, changed or removed."""

    @contextlib.contextmanager
    def block(folder: Path) -> Iterator[None]:
        before = snapshot(folder)
        yield
        assert snapshot(folder) == before

    return block


@pytest.fixture
def program(load: Load, worker: LocalWorker) -> Any:
    """A module with a function, classes and a tree; deploys go to the tests' worker."""
    return load(PROGRAM)
