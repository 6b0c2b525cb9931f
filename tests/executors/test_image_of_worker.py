"""The Dockerfile of the project: it builds, and what it makes is a worker that others can use."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contained
import private_engine
import pytest
import requests

from operator_lib.executors.docker.registry import registry

PROJECT = Path(__file__).parent.parent.parent
TAG, NAME = "operator-lib-tests-worker", "operator-lib-tests-worker"
# As in the manifest for Kubernetes: nothing but the home and /tmp can be written.
RUN = ("--rm", "--init", "--network", "host", "--read-only", "--tmpfs", "/tmp:exec", "--name", NAME)


def docker(*command: str) -> str:
    done = subprocess.run(["docker", *command], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def image(engine: Any, tmp_path: Path) -> Iterator[str]:
    """The image, on a base that has this machine's settings of pip."""
    known = asyncio.run(registry())
    (tmp_path / "pip.conf").write_text(known.configuration)
    (tmp_path / "certificates.crt").write_bytes(known.certificates)
    lines = [f"FROM {private_engine.BASE}", "COPY pip.conf /etc/pip.conf"]
    if known.certificates:
        lines += ["COPY certificates.crt /etc/pip.crt", "ENV PIP_CERT=/etc/pip.crt"]
    (tmp_path / "Dockerfile").write_text("\n".join(lines))
    docker("build", "-t", f"{TAG}-base", str(tmp_path))
    docker("build", "--network", "host", "--build-arg", f"BASE={TAG}-base", "-t", TAG, str(PROJECT))
    yield TAG
    docker("image", "rm", "--force", TAG, f"{TAG}-base")


@pytest.mark.large
@pytest.mark.timeout(900)
def test_the_image_is_a_worker(image: str, tmp_path: Path) -> None:
    ports = ("--port", "27070", "--grpc-port", "27071")
    with open(tmp_path / "log", "wb") as log:
        running = subprocess.Popen(
            ["docker", "run", *RUN, image, "worker", "start", "--foreground", *ports], stdout=log, stderr=log
        )
    try:
        while not ready():
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(0.2)
        assert docker("exec", NAME, "id", "-u").strip() == "10001"
        token = docker("exec", NAME, "cat", "/var/lib/operator-lib/home/token").strip()
        found = contained.add.deploy("add", address="127.0.0.1:27071", token=token)
        assert found(2, 3) == contained.add(2, 3)
    finally:
        docker("stop", "--time", "30", NAME)
        running.wait(60)
    assert running.returncode == 0


def ready() -> bool:
    try:
        return requests.get("http://127.0.0.1:27070/readyz", timeout=10).ok
    except requests.ConnectionError:
        return False
