from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "project")]
sys.dont_write_bytecode = True

from crash import Home, alive, until  # noqa: E402


def _listing() -> set[str]:
    """What is in the user's folder."""
    return {
        f"{path.relative_to(HERE)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in (HERE / "project").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _use(home: Home) -> Iterator[Home]:
    """Calls without an address go to this home; afterwards nothing of it is left but its files."""
    names = ("OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN", "OPERATOR_LIB_HOME")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ["OPERATOR_LIB_HOME"] = str(home.path)
    listing, here = _listing(), set(os.listdir())
    try:
        yield home
    finally:
        os.environ.pop("OPERATOR_LIB_HOME", None)
        os.environ.update({name: value for name, value in before.items() if value is not None})
        home.clean()
    until(lambda: not home.processes(), 3, f"orphans of {home.path}: {_described(home)}")
    assert _listing() == listing, "something was written into the user's folder"
    assert set(os.listdir()) == here, "something was written into the current directory"


def _described(home: Home) -> list[str]:
    found: list[str] = []
    for pid in home.processes():
        with contextlib.suppress(OSError):  # it has just ended
            found.append(f"{pid} {Path(f'/proc/{pid}/cmdline').read_bytes()!r}")
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home of one's own, without a worker yet."""
    yield from _use(Home(tmp_path / "home"))


@pytest.fixture
def worker(home: Home) -> Home:
    """A worker of one's own, to be killed."""
    home.start()
    return home


@pytest.fixture(scope="module")
def _shared_home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="operator-lib-test-") as folder:
        home = Home(Path(folder) / "home")
        home.start()
        yield from _use(home)


@pytest.fixture
def shared(_shared_home: Home) -> Iterator[Home]:
    """A worker for all tests of the file. After each it has no process but its zygote and live replicas."""
    os.environ["OPERATOR_LIB_HOME"] = str(_shared_home.path)
    yield _shared_home
    os.environ["OPERATOR_LIB_HOME"] = str(_shared_home.path)
    assert alive(_shared_home.pid), "the worker died"
    from operator_lib.client.connect import connect
    from operator_lib.wire.proto import deploy_pb2

    connection = connect()
    for found in connection.call(connection.deployments.List, deploy_pb2.ListRequest()).deployments:
        connection.call(connection.deployments.Delete, deploy_pb2.DeleteRequest(name=found.name), timeout=40)
    until(lambda: len(_shared_home.busy()) <= 1, 3, f"left over: {_described(_shared_home)}")
