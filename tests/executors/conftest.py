from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from operator_lib import worker as workers
from operator_lib.worker import LocalWorker

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "project")]
sys.dont_write_bytecode = True

import contained  # noqa: E402
import private_engine  # noqa: E402

# The fixture with a worker, by its executor.
WORKERS = {"local": "local", "docker": "started", "ray": "clustered"}
# Seconds for the first of them, which waits for a root, an engine and an image.
PATIENCE = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and {"engine", "executor"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(PATIENCE))


@dataclass(frozen=True)
class Engine:
    address: str
    folder: Path


@pytest.fixture(scope="session")
def engine(nothing_is_left: None) -> Iterator[Engine]:
    """An engine of the tests' own; all processes of one pytest share it. ``DOCKER_HOST`` names it meanwhile."""
    name = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    folder = Path("/tmp") / f"operator-lib-engine-{name[:16]}"
    with ExitStack() as stack:
        try:
            address = stack.enter_context(private_engine.using(folder))
        except private_engine.NoEngine as why:
            pytest.skip(f"no Docker engine: {why}")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DOCKER_HOST", address)
        yield Engine(address, folder)


@pytest.fixture(scope="session")
def started(engine: Engine) -> Iterator[LocalWorker]:
    """A worker with containers, its image built: once for all that share the engine."""
    with workers.local(executor="docker", docker_base=private_engine.BASE) as running:
        with open(engine.folder / "building", "w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            contained.add.deploy("first", timeout=500)
        yield running


@pytest.fixture(scope="session")
def local(nothing_is_left: None) -> Iterator[LocalWorker]:
    """A worker with processes of this machine."""
    with workers.local() as running:
        yield running


@pytest.fixture(scope="session")
def clustered(nothing_is_left: None) -> Iterator[LocalWorker]:
    """A worker with a Ray cluster of its own: a node, started once."""
    pytest.importorskip("ray")
    with workers.local(executor="ray") as running:
        yield running


@pytest.fixture(params=["local", "docker", "ray"])
def executor(request: pytest.FixtureRequest) -> str:
    """Every behaviour is shown of every executor: add one here."""
    return request.param


@pytest.fixture
def worker(executor: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalWorker:
    """A running worker with that executor; calls of the test go to it."""
    running: LocalWorker = request.getfixturevalue(WORKERS[executor])
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(running.home))
    monkeypatch.delenv("OPERATOR_LIB_ADDRESS", raising=False)
    return running


@pytest.fixture
def docker(started: LocalWorker, monkeypatch: pytest.MonkeyPatch) -> LocalWorker:
    """The worker with containers."""
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(started.home))
    return started


@pytest.fixture
def options(executor: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Of ``worker.local``, for a worker of the test's own."""
    if executor != "docker":
        return {"executor": executor}
    request.getfixturevalue("started")
    return {"executor": "docker", "docker_base": private_engine.BASE}
