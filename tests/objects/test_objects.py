"""What every object storage has to do: a folder, and a server that speaks S3."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from seaweed import BUCKET, READER, Seaweed

from operator_lib.worker.objects import chosen
from operator_lib.worker.objects.base import Away, ObjectsError, Refusing
from operator_lib.worker.objects.directory import PARTIAL, Directory
from operator_lib.worker.objects.remote import PART, Remote
from operator_lib.worker.objects.storage import Storage


def test_objects_are_written_found_read_and_removed(objects, tmp_path):
    assert objects.look("a/b/one") is None
    assert objects.read("a/b/one") is None
    assert not objects.get("a/b/one", tmp_path / "none")
    assert list(objects.under("a")) == []
    source = tmp_path / "source"
    source.write_bytes(b"from a file")
    objects.put("a/b/one", b"bytes")
    objects.put("a/b/two", source)
    objects.put("ab/three", b"")
    assert objects.read("a/b/one") == b"bytes"
    assert objects.get("a/b/two", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"from a file"
    found = objects.look("a/b/two")
    assert (found.name, found.size) == ("a/b/two", 11)
    assert abs(found.written - time.time()) < 60
    assert sorted((each.name, each.size) for each in objects.under("a")) == [("a/b/one", 5), ("a/b/two", 11)]
    objects.put("a/b/one", b"others")
    assert objects.read("a/b/one") == b"others"
    objects.remove("a/b/one")
    objects.remove("a/b/one")
    assert [each.name for each in objects.under("a")] == ["a/b/two"]
    assert objects.look("ab/three").size == 0


def test_two_that_write_the_same_at_once(objects, tmp_path):
    data = os.urandom(300_000)
    threads = [threading.Thread(target=objects.put, args=("same", data)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert objects.read("same") == data
    assert [each.name for each in objects.under("")] == ["same"]


def test_a_large_object_travels_in_parts(objects, tmp_path):
    data = os.urandom(1 << 20) * (2 * PART // (1 << 20) + 3)
    (tmp_path / "large").write_bytes(data)
    objects.put("large", tmp_path / "large")
    assert objects.look("large").size == len(data)
    assert objects.get("large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data


def test_a_storage_that_works_says_nothing(objects):
    storage = Storage(objects)
    storage.check()
    assert abs(storage.clock() - time.time()) < 60
    assert list(objects.under("check")) == list(objects.under("clock")) == []
    storage.close()


def test_what_broken_off_uploads_have_left_goes_when_it_is_old(objects, tmp_path):
    objects.put("whole", b"x")
    begun = objects.where.startswith("s3") or isinstance(objects, Directory)  # elsewhere such things go by themselves
    if isinstance(objects, Directory):
        (objects.root / PARTIAL / "begun").write_bytes(b"half")
    elif begun:
        path = f"{objects.where.removeprefix('s3://')}/begun"
        bucket, _, key = path.partition("/")
        objects._files.call_s3("create_multipart_upload", Bucket=bucket, Key=key)
    assert objects.tidy(3600.0) == 0
    assert objects.tidy(-60.0) == int(begun)
    assert objects.tidy(-60.0) == 0
    assert objects.read("whole") == b"x"


def test_a_server_that_was_away_is_waited_for_and_one_that_stays_away_is_named(seaweed: Seaweed):
    storage = Storage(Remote("s3", f"{BUCKET}/away"))
    seaweed.kill()
    back = threading.Thread(target=seaweed.start)
    try:
        with pytest.raises(Away, match=f"cannot write one in s3://{BUCKET}/away: .*127.0.0.1"):
            storage.insist(lambda objects: objects.put("one", b"1"), 0.5)
        assert storage.trouble
    finally:
        back.start()
    storage.insist(lambda objects: objects.put("one", b"1"))
    back.join()
    assert storage.objects.read("one") == b"1"
    assert not storage.trouble
    storage.close()


def test_who_waits_when_it_is_closed_returns(seaweed: Seaweed):
    """In whichever moment of a request that is."""
    for _ in range(10):
        storage = Remote("s3", f"{BUCKET}/closed")
        storage.put("one", b"1")
        closed = threading.Event()

        def ask(storage: Remote = storage, closed: threading.Event = closed) -> None:
            while not closed.is_set():
                with contextlib.suppress(ObjectsError):
                    storage.look("one")

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(20)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        closed.set()
        storage.close()
        for thread in threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in threads)


def test_names_are_no_reason(seaweed: Seaweed):
    storage = Remote("s3", f"{BUCKET}/quota-507")
    seaweed.kill()
    try:
        with pytest.raises(Away, match="cannot write no-space-507 in"):
            storage.put("no-space-507", b"1")
    finally:
        seaweed.start()


class Full(BaseHTTPRequestHandler):
    """A server that has no room."""

    protocol_version = "HTTP/1.1"
    code = b""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(507 if self.code == b"Unknown" else 403)
        answer = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>No.</Message></Error>" % self.code
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize("code", ["QuotaExceeded", "XMinioStorageFull", "Unknown"])
def test_storage_that_is_full_says_so(seaweed: Seaweed, monkeypatch, code):
    monkeypatch.setattr(Full, "code", code.encode())
    with ThreadingHTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        storage = Remote("s3", BUCKET)
        with pytest.raises(Refusing, match=f"cannot write one in s3://{BUCKET}: it is full, or over its quota"):
            storage.put("one", b"1")
        storage.close()
        server.shutdown()


@pytest.mark.parametrize(
    ("key", "bucket", "words"),
    [
        (READER, BUCKET, "permission denied"),
        ("nobody", BUCKET, "permission denied"),
        (None, "none", "the bucket is not there"),
    ],
)
def test_a_bucket_that_refuses_is_refused_at_start(seaweed: Seaweed, monkeypatch, key, bucket, words):
    for name, value in seaweed.environment(*[key] if key else []).items():
        monkeypatch.setenv(name, value)
    storage = Storage(Remote("s3", f"{bucket}/x"))
    with pytest.raises(Refusing, match=words) as refused:
        storage.check()
    assert "of-the-tests-only" not in str(refused.value)
    if bucket != BUCKET:
        for ask in (storage.objects.look, storage.objects.read):
            with pytest.raises(Refusing, match=words):
                ask("x")
    storage.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://", "names no bucket"),
        ("s3://key:secret@bucket/x", "AWS_ACCESS_KEY_ID"),
        ("s3://bucket?sig=abc", "AWS_ACCESS_KEY_ID"),
        ("memory://x", "nothing is kept"),
        ("what://x", "nothing is kept"),
        ("relative", "absolute path"),
        ("{home}", "part of the home"),
        ("{home}/blobs", "part of the home"),
    ],
)
def test_places_that_cannot_be_used_are_refused_in_words(text, words, tmp_path):
    with pytest.raises(ValueError, match=words) as refused:
        chosen.check(text.format(home=tmp_path), tmp_path)
    assert "secret" not in str(refused.value).replace("AWS_SECRET_ACCESS_KEY", "")


def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for text, extra in (("s3://b", "s3"), ("gs://b/p", "gcs"), ("abfs://c@a.dfs.core.windows.net/p", "azure")):
        with pytest.raises(ValueError, match=rf"operator_lib\[{extra}\]"):
            chosen.check(text, tmp_path)


def test_a_place_belongs_to_one_store(objects):
    first, second = Storage(objects), Storage(objects)
    first.claim("one")
    first.claim("one")
    with pytest.raises(Refusing, match="another store.*--store.*'owner'"):
        second.claim("two")
    objects.put("owner", b"two")  # both at once: the later one has it
    with pytest.raises(Refusing, match="another store"):
        first.clock()
    first.close()
    second.close()
