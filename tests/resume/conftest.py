from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "project"), str(HERE.parent / "faults")]
sys.dont_write_bytecode = True

from crash import Home, until  # noqa: E402


def _use(home: Home) -> Iterator[Home]:
    """Calls without an address go to this home; afterwards no process of it is left."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("OPERATOR_LIB_HOME", str(home.path))
        try:
            yield home
        finally:
            home.clean()
        until(lambda: not home.processes(), 3, f"orphans of {home.path}")


@pytest.fixture(scope="module")
def _shared_home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="operator-lib-test-") as folder:
        home = Home(Path(folder) / "home")
        home.start()
        yield from _use(home)


@pytest.fixture
def shared(_shared_home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A worker for all tests of the file."""
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(_shared_home.path))
    return _shared_home


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Home]:
    """A worker of one's own, to be killed."""
    home = Home(tmp_path / "home")
    home.start()
    yield from _use(home)


@pytest.fixture
def effects(tmp_path: Path) -> str:
    """A file in which bodies say that they have run."""
    assert os.listdir(tmp_path) in ([], ["home"])
    return str(tmp_path / "effects")
