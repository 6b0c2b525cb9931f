"""What all rooms share: a real worker, and the check that the tests leave nothing behind."""

from __future__ import annotations

import gc
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import psutil
import pytest
from hypothesis import settings

from operator_lib import worker as workers
from operator_lib.worker import LocalWorker

# The same examples every time, and no file of those that failed: who looks for more sets OPERATOR_RANDOM.
settings.register_profile("ours", database=None, deadline=None, derandomize="OPERATOR_RANDOM" not in os.environ)
settings.load_profile("ours")

# Travels down to every process that the tests start, those of the worker's children included (XDG_ is passed on).
MARK = "XDG_OPERATOR_LIB_TESTS"
# Seconds that a process may take to follow its parent.
PATIENCE = 5.0


def marked(mark: str) -> list[psutil.Process]:
    """Processes of this session that are running still."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            own = process.environ().get(MARK) == mark and process.pid != os.getpid()
            if own and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):  # it has gone meanwhile
            continue
    return found


def describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}"


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end no process started by a test runs, and no file was written outside of the tests' own folders."""
    mark = uuid.uuid4().hex
    temporary = tmp_path_factory.mktemp("t")
    user_home = Path(platformdirs.user_data_dir("operator_lib"))
    had_home = user_home.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARK, mark)
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", None)
        patch.delenv("OPERATOR_LIB_ADDRESS", raising=False)
        patch.delenv("OPERATOR_LIB_TOKEN", raising=False)
        # A test that forgets to choose a worker must not find, or start, that of the person who runs the tests.
        patch.setenv("OPERATOR_LIB_HOME", str(tmp_path_factory.mktemp("forgotten") / "home"))
        yield
        end = time.monotonic() + PATIENCE
        while (left := marked(mark)) and time.monotonic() < end:
            time.sleep(0.02)  # zombies that nobody collects cannot be waited for
        gc.collect()  # objects that have folders, and are only held by one another
        files = sorted(str(path) for path in temporary.iterdir())
    for process in left:
        process.kill()
    assert not left, "processes are left: " + "; ".join(map(describe, left))
    assert not files, f"temporary files are left: {files}"
    assert user_home.exists() == had_home, f"something was written to {user_home}"


@pytest.fixture(scope="session")
def local_worker(nothing_is_left: None) -> Iterator[LocalWorker]:
    """A real worker, started once for all tests that ask for it; see `worker`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPERATOR_LIB_HOME", "OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN"):
            patch.delenv(name, raising=False)
        started = workers.local()
        running = started.__enter__()
    yield running
    started.__exit__(None, None, None)


@pytest.fixture
def worker(local_worker: LocalWorker, monkeypatch: pytest.MonkeyPatch) -> LocalWorker:
    """The worker that deploys of this test go to when they name no other."""
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(local_worker.home))
    monkeypatch.delenv("OPERATOR_LIB_ADDRESS", raising=False)
    monkeypatch.delenv("OPERATOR_LIB_TOKEN", raising=False)
    return local_worker


@pytest.fixture(scope="session")
def postgres(nothing_is_left: None) -> Iterator[Any]:
    """A PostgreSQL server of the tests' own, started once for all that ask for it; one may restart it."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'operator_lib[postgres]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1]))
        from benchmarks.peers.postgres import Server, binaries
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.close()
