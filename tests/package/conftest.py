from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

Files = Callable[[Mapping[str, str]], Path]
Python = Callable[..., str]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Caches of this test alone."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(folder))
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Files:
    """Writes files below a fresh folder, and returns it."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(text))
        return root

    return write


@pytest.fixture
def python() -> Python:
    """Runs a fresh interpreter: a script's path, or code; what it prints."""

    def run(code: str | Path, *args: object, seed: int = 0, cwd: Path = REPOSITORY, fails: bool = False) -> str:
        what = [str(code)] if isinstance(code, Path) else ["-c", textwrap.dedent(code)]
        env = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, *what, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env)
        if not fails:
            assert done.returncode == 0, done.stderr
        return done.stdout + (done.stderr if fails else "")

    return run
