#!/usr/bin/env python3
"""The project's task runner: needs nothing but Python 3.11+.

    python3 tasks.py demo     install everything into .venv, run the main job end to end
    python3 tasks.py test     install everything into .venv, run the tests
    python3 tasks.py check    lint, types, layers, generated code, documentation
    python3 tasks.py docs     the documentation as a site, into build/site; a broken link is an error
    python3 tasks.py proto    regenerate operator_lib/wire/proto from protos/
    python3 tasks.py install X only install .[X] into .venv: dev, models, bench, ...
    python3 tasks.py bench    benchmarks beside their peers: a table and a picture

What follows the task's name is passed on to it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STUBS = ROOT / "operator_lib" / "wire" / "proto"


def sh(*command: str | Path, **env: str) -> None:
    # Thousands of processes are started: without bytecode on disk each would compile everything again.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([str(c) for c in command], cwd=ROOT, env={**kept, **env})
    if done.returncode:
        raise SystemExit(done.returncode)


def install(*extras: str) -> None:
    """Bring .venv up to date with pyproject.toml; does nothing when it already is."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    for extra in extras:
        stamp = VENV / f".installed-{extra}"
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        if not PYTHON.exists():
            sh(sys.executable, "-m", "venv", VENV)
        print(f"installing operator_lib[{extra}] into {VENV.name} ...", flush=True)
        # Of what is installed a fraction is ever imported: bytecode is written then.
        quiet = ("-q", "--disable-pip-version-check", "--no-compile")
        sh(PYTHON, "-m", "pip", "install", *quiet, "-e", f".[{extra}]")
        stamp.write_text(wanted)


def demo(*args: str) -> None:
    install("demo")
    sh(VENV / "bin" / "operator-lib", "demo", *args)


def test(*args: str) -> None:
    install("dev")
    sh(PYTHON, "-m", "pytest", *(args or ("-n", "3")))


def generate(target: Path) -> None:
    """protos/*.proto to modules of the package operator_lib.wire.proto, under `target`."""
    sources = sorted(f"operator_lib/wire/proto/{p.name}" for p in (ROOT / "protos").glob("*.proto"))
    sh(
        PYTHON, "-m", "grpc_tools.protoc", f"-Ioperator_lib/wire/proto={ROOT / 'protos'}",
        f"--python_out={target}", f"--pyi_out={target}", f"--grpc_python_out={target}", *sources,
    )  # fmt: skip


def proto() -> None:
    install("dev")
    generate(ROOT)


def docs() -> None:
    install("docs")
    sh(VENV / "bin" / "zensical", "build", "--strict", PYTHONPATH=str(ROOT))


def check() -> None:
    install("dev")
    bin_ = VENV / "bin"
    sh(bin_ / "ruff", "check", ".")
    sh(bin_ / "ruff", "format", "--check", ".")
    sh(bin_ / "lint-imports")
    sh(bin_ / "pyright")
    with tempfile.TemporaryDirectory() as fresh:
        generate(Path(fresh))
        for made in sorted((Path(fresh) / "operator_lib/wire/proto").iterdir()):
            if made.read_text() != (STUBS / made.name).read_text():
                raise SystemExit(f"{made.name} differs from protos/: run python3 tasks.py proto")
    docs()


def bench(*args: str) -> None:
    install("dev", "bench")
    sh(PYTHON, "-m", "benchmarks", *args)


TASKS = {f.__name__: f for f in (install, demo, test, check, docs, proto, bench)}

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036  # it may be run by whatever python3 is
        raise SystemExit(f"operator_lib needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if len(sys.argv) < 2 or sys.argv[1] not in TASKS:
        raise SystemExit(__doc__)
    TASKS[sys.argv[1]](*sys.argv[2:])
