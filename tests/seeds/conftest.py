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
