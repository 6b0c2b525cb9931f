"""Blobs and ended runs in object storage: what is damaged, shared, lost and dropped there, or here."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from operator_lib.errors import NotFound
from operator_lib.worker.archive.archive import Archive
from operator_lib.worker.archive.room import IN_USE, trim
from operator_lib.worker.archive.upkeep import Upkeep
from operator_lib.worker.blobs import BlobError
from operator_lib.worker.blobs.mirrored import RENEWED, Mirrored
from operator_lib.worker.objects.base import Away, Objects, Refusing
from operator_lib.worker.objects.directory import Directory
from operator_lib.worker.objects.storage import Storage
from operator_lib.worker.places import Places
from operator_lib.worker.store import SqliteStore
from operator_lib.worker.store.base import RunRow

DATA = os.urandom(100_000)
SHA = hashlib.sha256(DATA).hexdigest()
REF = (SHA, len(DATA))
NAME = f"blobs/{SHA[:2]}/{SHA}"
ROW = RunRow("01run", "d", "job", 1, status="COMPLETED", attempts=2, ended=time.time())


class Half:
    """One worker's side: a home, and storage that others may use, too."""

    def __init__(self, home: Path, objects: Objects) -> None:
        self.storage = Storage(objects)
        self.places = Places(home)
        self.places.make()
        self.blobs = Mirrored(self.places.blobs, self.storage)
        self.archive = Archive(self.storage, self.places)

    def upload(self) -> None:
        assert self.blobs.put(DATA) == SHA
        assert self.blobs.keep([REF]) == set()

    def run(self, row: RunRow = ROW, **files: bytes) -> None:
        """A run that has ended, in its folder."""
        for path, data in {"events": b"{}\n", "2/value": b"v", "2/work/x": b"private", "input": b"i", **files}.items():
            target = self.places.run(row.id) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def ship(self, row: RunRow = ROW) -> None:
        self.archive.bring_there(row.id, row.attempts, row.status, 0.0)

    def files(self, row: RunRow = ROW) -> dict[str, bytes]:
        folder = self.places.run(row.id)
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("archived-"))
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def halves(tmp_path: Path) -> Iterator[tuple[Half, Half]]:
    """Two workers with one storage. What a server adds to this is in test_objects.py and test_worker.py."""
    objects = Directory(tmp_path / "objects")
    both = Half(tmp_path / "one", objects), Half(tmp_path / "two", objects)
    yield both
    for half in both:
        half.storage.close()


def spoil(objects: Objects, name: str, data: bytes) -> None:
    assert objects.look(name) is not None
    objects.put(name, data)


# --- blobs -----------------------------------------------------------------------------------------------------------


def test_what_one_worker_keeps_the_other_has(halves):
    one, two = halves
    assert two.blobs.lacking([REF]) == {SHA: 0}
    assert two.blobs.keep([REF]) == {SHA}
    with pytest.raises(NotFound, match="upload it again"):
        two.blobs.path(SHA)
    one.upload()
    two.upload()
    assert two.blobs.lacking([REF]) == {}
    two.blobs.discard(SHA, time.time() + 60)
    assert two.blobs.lacking([REF]) == {}
    assert two.blobs.keep([REF]) == set()
    assert two.blobs.path(SHA).read_bytes() == DATA
    left = two.blobs.root / "partial" / "fetched-0"
    left.touch()  # by a worker that was killed
    two.blobs.sweep()
    assert left.exists()
    two.blobs.sweep(-60.0)
    assert list(left.parent.iterdir()) == []


@pytest.mark.parametrize("found", [DATA[:-1], bytes([DATA[0] ^ 1]) + DATA[1:], b""])
def test_damage_in_storage_is_found_and_mended(halves, found):
    one, two = halves
    one.upload()
    spoil(one.storage.objects, NAME, found)
    with pytest.raises(BlobError, match="not what its name says, and was removed"):
        two.blobs.path(SHA)
    assert not (two.blobs.root / SHA[:2] / SHA).exists()
    assert two.blobs.lacking([REF]) == {SHA: 0}
    two.upload()
    one.blobs.discard(SHA, time.time() + 60)
    assert one.blobs.path(SHA).read_bytes() == DATA


def test_an_object_that_was_cut_off_is_written_again_from_the_copy(halves):
    one, two = halves
    one.upload()
    spoil(one.storage.objects, NAME, DATA[:10])
    two.blobs.put(DATA)
    assert two.blobs.keep([REF]) == set()
    assert one.storage.objects.read(NAME) == DATA


def test_what_was_named_again_by_another_worker_stays(halves, monkeypatch):
    one, two = halves
    one.upload()
    now = time.time()
    found = one.blobs.older(now + 60)  # what nobody has named for long
    assert found == {SHA}
    monkeypatch.setattr("operator_lib.worker.blobs.mirrored.RENEWED", -60.0)
    two.blobs.keep([REF])
    before = one.storage.objects.look(f"renewed/{SHA[:2]}/{SHA}").written
    assert SHA not in one.blobs._old(SHA[:2], before)
    assert not one.blobs._remove(SHA, before)
    assert one.blobs.remove({SHA}, now + 60) == 1
    assert [each.name for each in one.storage.objects.under("")] == []
    assert RENEWED < 24 * 3600


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_comes_back_as_it_was(halves):
    one, two = halves
    one.run(**{"2/outputs": DATA * 20, "1/failure": b"f", "checkpoints": b"c" * 5000})
    one.ship()
    two.archive.bring_back(ROW)
    expected = one.files()
    for private in ("2/work/x", "input"):
        del expected[private]
    assert two.files() == expected
    names = {each.name for each in one.storage.objects.under("runs")}
    large = hashlib.sha256(DATA * 20).hexdigest()
    assert names == {f"runs/n/01run/{name}" for name in ("pack", large)}
    two.archive.forget([ROW.id])
    assert list(one.storage.objects.under("runs")) == []


def test_a_run_that_another_worker_took_up_again_is_fetched_anew(halves):
    one, two = halves
    one.run()
    one.ship()
    two.archive.bring_back(ROW)
    later = RunRow(**{**{f: getattr(ROW, f) for f in ROW.__slots__}, "attempts": 3})
    with pytest.raises(Away, match="earlier attempt"):
        two.archive.bring_back(later)
    one.archive.reopened(ROW.id)
    one.run(later, **{"3/value": b"new"})
    one.ship(later)
    two.archive.bring_back(later)
    assert two.files()["3/value"] == b"new"


@pytest.mark.parametrize("cut", [slice(0, -1), slice(0, 20), slice(1, None)])
def test_a_damaged_archive_says_so(halves, cut):
    one, two = halves
    one.run()
    one.ship()
    name = "runs/n/01run/pack"
    spoil(one.storage.objects, name, one.storage.objects.read(name)[cut])
    with pytest.raises(Refusing, match="of run 01run is damaged"):
        two.archive.bring_back(ROW)
    assert sorted(os.listdir(two.places.home / "runs")) == []


def test_a_table_does_not_lead_out_of_the_folder(halves):
    one, two = halves
    one.run()
    one.ship()
    name = "runs/n/01run/pack"
    for path in (b"../../x", b"/tmp/x", b".hidden"):
        one.ship()
        spoil(one.storage.objects, name, one.storage.objects.read(name).replace(b'"events"', b'"%b"' % path))
        with pytest.raises(Refusing, match="has the path"):
            two.archive.bring_back(ROW)
        one.archive.reopened(ROW.id)


def test_a_run_that_has_just_ended_elsewhere_is_waited_for(halves):
    _, two = halves
    with pytest.raises(Away, match="not in .* yet"):
        two.archive.bring_back(replace(ROW, ended=time.time()))
    two.archive.bring_back(RunRow("01old", "d", "job", 1, status="FAILED", attempts=1, ended=1.0))


# --- the copies here -------------------------------------------------------------------------------------------------


def test_copies_go_when_there_are_too_many_the_oldest_first_and_never_the_only_one(halves):
    one, _ = halves
    one.upload()
    one.run(checkpoints=DATA)
    one.ship()
    other = RunRow("02run", "d", "job", 1, status="COMPLETED", attempts=2)
    one.run(other, checkpoints=DATA)  # which is nowhere else
    now = time.time()
    args = (one.places, one.blobs, one.archive)
    assert trim(*args, 0.0, now) == 0  # all of it was just used
    later = now + IN_USE + 60
    os.utime(one.blobs.path(SHA), (now - 10, now - 10))
    assert trim(*args, 250_000.0, later) == 0
    assert trim(*args, 150_000.0, later) == len(DATA)
    assert not one.blobs.has(SHA)
    assert trim(*args, 0.0, later) > len(DATA)
    assert sorted(os.listdir(one.places.home / "runs")) == ["02run"]
    one.archive.bring_back(ROW)
    assert one.files()["checkpoints"] == one.blobs.path(SHA).read_bytes() == DATA


def test_a_copy_stays_when_storage_has_lost_it(halves):
    one, _ = halves
    one.upload()
    one.run()
    one.ship()
    objects = one.storage.objects
    for each in list(objects.under("")):
        objects.remove(each.name)
    trim(one.places, one.blobs, one.archive, 0.0, time.time() + IN_USE + 60)
    assert one.blobs.has(SHA)
    assert one.archive.late == {ROW.id}  # it is brought there again
    one.ship()
    assert objects.look("runs/n/01run/pack")


# --- what goes with its run ------------------------------------------------------------------------------------------


def test_runs_that_nobody_knows_any_more_go_a_day_later(tmp_path):
    """Removed with their rows; what a killed worker left of them, when it is old."""

    async def test() -> None:
        store = SqliteStore(tmp_path / "state.db")
        one = Half(tmp_path / "one", Directory(tmp_path / "objects"))
        objects, upkeep = one.storage.objects, Upkeep(one.storage, store, one.places, one.blobs, one.archive, 0.0)
        one.storage.claim(await store.identify())
        job, _, _ = await store.put_version("job", "job", fingerprint="f1")
        rows = [RunRow(f"{n}run", job.id, "job", 1, status="COMPLETED", attempts=2) for n in range(4)]
        for row in rows:
            one.run(row)
            one.ship(row)
        await store.submit_run(RunRow(rows[0].id, job.id, "job", 1))
        await upkeep.forget([rows[1].id])
        there = lambda: {each.name.split("/")[2] for each in objects.under("runs")}  # noqa: E731
        assert there() == {"0run", "2run", "3run"}
        assert await upkeep.sweep() == 0
        for name in ("0run", "2run"):
            os.utime(tmp_path / "objects" / f"runs/n/{name}/pack", (1.0, 1.0))
        assert await upkeep.sweep() == 1
        assert there() == {"0run", "3run"}
        objects.put("owner", b"somebody else")
        os.utime(tmp_path / "objects/runs/n/3run/pack", (1.0, 1.0))
        with pytest.raises(Refusing, match="another store"):
            await upkeep.sweep()
        assert there() == {"0run", "3run"}
        one.storage.close()
        store.close()

    asyncio.run(test())
