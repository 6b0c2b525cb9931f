"""Blobs: resumable, checked, durable, whoever else is uploading."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from operator_lib.errors import NotFound
from operator_lib.worker.blobs import BlobError, BlobMismatch, Blobs, WrongOffset
from operator_lib.worker.blobs.mirrored import Mirrored
from operator_lib.worker.objects.directory import Directory
from operator_lib.worker.objects.storage import Storage

ROOT = Path(__file__).resolve().parents[2]
DATA = random.Random(1).randbytes(200_000)
SHA = hashlib.sha256(DATA).hexdigest()
SIZE = len(DATA)


@pytest.fixture(params=["here", "mirrored"])
def blobs(request, tmp_path):
    """In a folder alone, and in one that is in front of object storage."""
    if request.param == "here":
        yield Blobs(tmp_path / "blobs")
        return
    storage = Storage(Directory(tmp_path / "objects"))
    yield Mirrored(tmp_path / "blobs", storage)
    storage.close()


def upload(blobs, data=DATA, sha=SHA, step=65_536, start=0):
    for offset in range(start, len(data), step):
        blobs.append(sha, offset, data[offset : offset + step], len(data))
    return blobs.commit(sha, len(data))


def test_a_blob_is_there_once_it_is_committed(blobs):
    assert not blobs.has(SHA)
    with pytest.raises(NotFound, match="upload it again"):
        blobs.path(SHA)
    assert blobs.append(SHA, 0, DATA, SIZE) == SIZE
    assert not blobs.has(SHA, SIZE)
    place = blobs.commit(SHA)
    assert place == blobs.path(SHA) == blobs.root / SHA[:2] / SHA
    assert place.read_bytes() == DATA
    assert blobs.has(SHA, SIZE)
    assert not blobs.has(SHA, SIZE - 1)
    assert blobs.verify(SHA)
    assert place.stat().st_mode & 0o077 == 0
    assert list((blobs.root / "partial").iterdir()) == []


def test_an_upload_goes_on_where_it_broke_off(blobs):
    assert blobs.received(SHA) == 0
    blobs.append(SHA, 0, DATA[:1000], SIZE)
    assert blobs.received(SHA) == 1000
    with pytest.raises(WrongOffset, match="send from 1000 on") as gap:
        blobs.append(SHA, 1001, DATA[1001:2000], SIZE)
    assert gap.value.expected == 1000
    with pytest.raises(WrongOffset):
        blobs.commit(SHA)
    assert upload(blobs, start=1000).read_bytes() == DATA
    assert blobs.received(SHA) == SIZE


def test_an_upload_goes_on_after_a_restart(blobs):
    blobs.append(SHA, 0, DATA[:70_000], SIZE)
    later = Blobs(blobs.root)
    assert later.received(SHA) == 70_000
    assert upload(later, start=70_000).read_bytes() == DATA


def test_damage_before_a_restart_is_found(blobs):
    blobs.append(SHA, 0, DATA[:70_000], SIZE)
    partial = blobs.root / "partial" / SHA
    partial.write_bytes(b"?" + partial.read_bytes()[1:])
    later = Blobs(blobs.root)
    with pytest.raises(BlobMismatch):
        upload(later, start=70_000)
    assert later.received(SHA) == 0
    assert upload(later).read_bytes() == DATA


def test_content_that_is_not_what_the_name_says_is_thrown_away(blobs):
    wrong = b"x" + DATA[1:]
    with pytest.raises(BlobMismatch, match="do not hash to that"):
        upload(blobs, wrong)
    assert not blobs.has(SHA)
    assert blobs.received(SHA) == 0
    assert upload(blobs).read_bytes() == DATA


@pytest.mark.parametrize("sha", ["", "ab", "x" * 64, SHA.upper(), "../" + SHA[3:], SHA + "\n", SHA[:63] + "/"])
def test_only_hashes_are_names(blobs, sha):
    for action in (
        lambda: blobs.append(sha, 0, b"x", 1),
        lambda: blobs.received(sha),
        lambda: blobs.commit(sha),
        lambda: blobs.has(sha),
        lambda: blobs.path(sha),
    ):
        with pytest.raises(BlobError, match="64 lower-case hex digits"):
            action()


@pytest.mark.parametrize(("offset", "data", "size"), [(0, b"abc", 2), (-1, b"a", 2), (0, b"", -1), (3, b"a", 3)])
def test_more_than_announced_is_refused(blobs, offset, data, size):
    with pytest.raises(BlobError, match="do not fit"):
        blobs.append(SHA, offset, data, size)


def test_the_announced_size_stays(blobs):
    blobs.append(SHA, 0, DATA[:10], SIZE)
    with pytest.raises(BlobError, match=f"announced with {SIZE} bytes, now with 20"):
        blobs.append(SHA, 10, DATA[10:20], 20)


def test_two_uploaders_in_step(blobs):
    for offset in range(0, SIZE, 50_000):
        for _ in range(2):
            blobs.append(SHA, offset, DATA[offset : offset + 50_000], SIZE)
    first, second = blobs.commit(SHA), blobs.commit(SHA)
    assert first == second
    assert blobs.append(SHA, 0, DATA[:10], SIZE) == SIZE
    assert first.read_bytes() == DATA


def test_many_uploaders_at_random(blobs):
    failures: list[BaseException] = []
    begin = threading.Barrier(6)

    def work(step):
        begin.wait()
        try:
            upload(blobs, step=step)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(step,)) for step in (997, 4096, 10_000, 65_536, 1500, 30_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert blobs.path(SHA).read_bytes() == DATA
    assert list((blobs.root / "partial").iterdir()) == []


def test_put_and_the_empty_blob(blobs):
    assert blobs.put(DATA) == SHA
    assert blobs.put(DATA) == SHA
    empty = hashlib.sha256(b"").hexdigest()
    assert blobs.append(empty, 0, b"", 0) == 0
    assert blobs.commit(empty, 0).read_bytes() == b""
    assert blobs.has(empty, 0)
    with pytest.raises(NotFound):
        blobs.commit("0" * 64)


def test_a_blob_changed_by_hand_is_noticed(blobs):
    place = upload(blobs)
    place.chmod(0o600)
    place.write_bytes(b"?" + DATA[1:])
    assert blobs.has(SHA, SIZE)
    assert not blobs.verify(SHA)
    assert not blobs.verify("0" * 64)


def test_a_partial_that_vanished_is_sent_again(blobs):
    blobs.append(SHA, 0, DATA[:50_000], SIZE)
    (blobs.root / "partial" / SHA).unlink()
    with pytest.raises(WrongOffset) as lost:
        blobs.append(SHA, 50_000, DATA[50_000:], SIZE)
    assert lost.value.expected == 0
    assert upload(blobs).read_bytes() == DATA


def test_a_link_in_the_way_is_not_followed(blobs, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"")
    (blobs.root / "partial" / SHA).symlink_to(outside)
    with pytest.raises(BlobError):
        blobs.append(SHA, 0, DATA, SIZE)
    assert outside.read_bytes() == b""


def test_old_partials_are_swept(blobs):
    other = hashlib.sha256(b"other").hexdigest()
    blobs.append(SHA, 0, DATA[:10], SIZE)
    blobs.append(other, 0, b"ot", 5)
    os.utime(blobs.root / "partial" / SHA, (0, 0))
    assert blobs.sweep() == 1
    assert (blobs.received(SHA), blobs.received(other)) == (0, 2)
    assert upload(blobs).read_bytes() == DATA
    assert Blobs(blobs.root).sweep(older_than=-10) == 1
    assert list((blobs.root / "partial").iterdir()) == []


FILLER = """
import hashlib, resource, sys
from operator_lib.worker.blobs import Blobs, BlobError
data = bytes(range(256)) * 1000
sha = hashlib.sha256(data).hexdigest()
blobs = Blobs(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
blobs.append(sha, 0, data[:90_000], len(data))
try:
    blobs.append(sha, 90_000, data[90_000:], len(data))
except BlobError as error:
    assert "full" in str(error) and "kept" in str(error), error
else:
    raise SystemExit("was taken")
assert blobs.received(sha) == 90_000, blobs.received(sha)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
blobs.append(sha, 90_000, data[90_000:], len(data))
assert blobs.commit(sha).read_bytes() == data
"""


def test_a_full_disk_keeps_what_was_sent(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(tmp_path / "b")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
