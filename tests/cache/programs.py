"""Small programs, run for real: each in a process of its own that shares the cache of a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


class Program:
    """A folder with source, run with a home of its own choice."""

    def __init__(self, folder: Path, home: Path, files: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.home = home
        for name, text in (files or {}).items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join((str(self.folder), str(self.folder / "site-packages")))
        return {
            **os.environ,
            "OPERATOR_LIB_HOME": str(self.home),
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def start(self, code: str, **more: str) -> subprocess.Popen[str]:
        """The program, running; its output is there for reading."""
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=self.environment(**more),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, code: str, **more: str) -> str:
        """What it prints."""
        process = self.start(code, **more)
        out, problem = process.communicate(timeout=60)
        assert process.returncode == 0, problem
        return out.strip()

    def computed(self) -> int:
        """How often a forward of it has run: each writes an ``x`` into a file."""
        try:
            return len((self.folder / "computed").read_text())
        except FileNotFoundError:
            return 0
