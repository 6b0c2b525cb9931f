"""What no version and no run names any more goes a day later; what is named, or about to be, stays."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from stores import a_run, opened

from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.blobs import Blobs
from operator_lib.worker.blobs.mirrored import Mirrored
from operator_lib.worker.collection import GRACE, Collection
from operator_lib.worker.objects.directory import Directory
from operator_lib.worker.objects.storage import Storage
from operator_lib.worker.places import Places

LATER = GRACE + 60.0


class Home:
    """A store with uploads and folders, looked at by a clock that can be moved."""

    def __init__(self, store, folder, storage) -> None:
        self.store = store
        self.places = Places(folder)
        self.places.make()
        self.storage = storage
        self.blobs = Mirrored(self.places.blobs, storage) if storage else Blobs(self.places.blobs)
        self.now = time.time()
        self.collection = Collection(store, self.blobs, self.places, lambda: self.now)

    async def deploy(self, name: str, fingerprint: str):
        """A version with a file, an entry, a folder and an environment; its blobs."""
        file, entry = self.put(f"file {fingerprint}".encode()), self.put(f"entry {fingerprint}".encode())
        manifest = pb.Manifest(files=[pb.File(path="a.py", sha256=file)]).SerializeToString()
        row, version, _ = await self.store.put_version(
            name, "job", fingerprint=fingerprint, manifest=manifest, entry_sha256=entry, env_key=f"env-{fingerprint}"
        )
        for folder in (self.places.source(fingerprint), self.places.environments / f"env-{fingerprint}"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "a.py").write_text("x = 1")
        await self.store.set_version_status(row.id, version.number, "ready")
        return await self.store.make_live(row.id, version.number), {file, entry}

    def put(self, data: bytes) -> str:
        sha = self.blobs.put(data)
        assert not self.blobs.keep([(sha, len(data))])
        return sha

    def there(self) -> set[str]:
        """What there is of blobs, the same here and in storage."""
        found = Blobs.older(self.blobs, time.time() + 1e9)
        assert self.blobs.older(time.time() + 1e9) == found
        if self.storage:
            assert {one.name.rpartition("/")[2] for one in self.storage.objects.under("blobs")} == found
        return found

    def folders(self) -> list[str]:
        return sorted(os.listdir(self.places.sources)) + sorted(os.listdir(self.places.environments))


@pytest.fixture(params=["here", "mirrored"])
def home(request, path, tmp_path):
    """With blobs in the home alone, and in object storage."""
    storage = Storage(Directory(tmp_path / "objects")) if request.param == "mirrored" else None
    with opened(path) as store:
        yield Home(store, tmp_path / "home", storage)
    if storage:
        storage.close()


def test_what_a_version_or_a_run_names_stays(home):
    async def test():
        job, first = await home.deploy("job", "f1")
        _, second = await home.deploy("job", "f2")
        given = home.put(b"arguments")
        await home.store.submit_run(a_run(job, "r1", input_ref=given))
        lost = home.put(b"nobody's")
        assert await home.collection.sweep() == 0
        home.now += LATER
        assert await home.collection.sweep() == 1
        assert home.there() == first | second | {given}
        assert lost not in home.there()
        assert home.folders() == ["f1", "f2", "env-f1", "env-f2"]

    asyncio.run(test())


def test_what_was_deleted_goes_a_day_later_unless_a_run_is_left(home):
    async def test():
        await home.deploy("gone", "f1")
        row, kept = await home.deploy("ran", "f2")
        await home.store.submit_run(a_run(row, "r1", input_ref="inline"))
        for name in ("gone", "ran"):
            await home.store.delete_deployment(name, "job")
        assert await home.collection.sweep() == 0
        home.now += LATER
        assert await home.collection.sweep() == 4
        assert home.there() == kept
        assert home.folders() == ["f2", "env-f2"]

    asyncio.run(test())


def test_an_upload_that_somebody_asked_for_just_now_stays(home):
    async def test():
        sha = home.put(b"old")
        os.utime(home.blobs.path(sha), (1.0, 1.0))
        assert home.blobs.renew(sha, 3)
        assert await home.collection.sweep() == 0
        assert not home.blobs.renew("0" * 64, 3)
        assert not home.blobs.renew(sha, 4)

    asyncio.run(test())


def test_what_a_killed_worker_left_half_removed_goes(home):
    async def test():
        (home.places.sources / ".gone-f9").mkdir()
        home.now += LATER
        assert await home.collection.sweep() == 1
        assert home.folders() == []

    home.places.environments.mkdir()
    asyncio.run(test())


def test_a_version_that_comes_back_is_unpacked_again(home):
    async def test():
        await home.deploy("job", "f1")
        await home.store.delete_deployment("job", "job")
        home.now += LATER
        await home.collection.sweep()
        assert home.folders() == []
        await home.deploy("job", "f1")
        home.now += LATER
        assert await home.collection.sweep() == 0
        assert home.folders() == ["f1", "env-f1"]

    asyncio.run(test())
