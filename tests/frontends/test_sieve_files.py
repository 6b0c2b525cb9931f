"""Files are handed on by reference: sent once, and read where somebody opens them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import requests
import sieve_media as media

import operator_lib.frontends.sieve as sieve
from operator_lib import errors
from operator_lib.worker import LocalWorker

TEXT = "one two three"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def web(text: Path) -> Iterator[tuple[str, list[str]]]:
    """A server of that folder, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(text.parent))

        def log_message(self, *args: object) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def test_a_file_here(text: Path) -> None:
    for file in (sieve.File(str(text)), sieve.File(text), sieve.File(path=str(text)), sieve.Video(str(text))):
        assert (file.path, file.url, file.size, file.name) == (str(text), None, len(TEXT), "text.txt")
        assert Path(file).read_text() == TEXT
    with sieve.local():
        assert media.words.run(sieve.File(text)) == 3


def test_what_is_no_file() -> None:
    for mistake in ({}, {"path": "a", "url": "http://b"}, {"url": "ftp://b"}):
        with pytest.raises(errors.OptionError):
            sieve.File(**mistake)
    with pytest.raises(FileNotFoundError, match="no file /not/there"):
        sieve.File("/not/there").path


def test_a_file_of_the_web_is_fetched_when_it_is_opened(web: tuple[str, list[str]]) -> None:
    url, asked = web
    file = sieve.File(f"{url}/text.txt")
    assert (file.url, file.name, file.size, asked) == (f"{url}/text.txt", "text.txt", None, [])
    assert Path(file.path).read_text() == TEXT
    assert file.path == file.path
    assert asked == ["/text.txt"]
    with pytest.raises(errors.NotFound, match=r"missing\.txt"):
        sieve.File(f"{url}/missing.txt").path


@pytest.mark.usefixtures("worker")
def test_a_file_goes_there_and_back(text: Path) -> None:
    file = sieve.File(text)
    assert media.words.run(file) == 3
    made = media.upper.run(file)
    assert (type(made), made.name, made.size, made.language) == (sieve.File, "upper-text.txt", len(TEXT), "en")
    assert Path(made.path).read_text() == Path(media.upper.run(file).path).read_text() == TEXT.upper()
    assert media.words.push(made).result(60) == 3


@pytest.mark.usefixtures("worker")
def test_files_inside_of_values_travel_too(text: Path) -> None:
    answer = media.handed_on.run({"some": [sieve.File(text)]})
    (report,) = answer["reports"]
    assert (report.words, Path(report.file.path).read_text()) == (3, TEXT.upper())
    assert Path(answer["first"].path).read_text() == TEXT


def test_the_same_content_is_sent_once(worker: LocalWorker, text: Path) -> None:
    copy = text.with_name("copy.txt")
    copy.write_text(TEXT)
    first, second = (media.described.run(sieve.File(path)) for path in (text, copy))
    assert (first["name"], second["name"], first["size"]) == ("text.txt", "copy.txt", len(TEXT))
    assert not first["local"]
    assert first["url"] == second["url"]
    with requests.Session() as api:
        assert api.get(first["url"]).status_code == 401
        api.headers["Authorization"] = f"Bearer {worker.token}"
        assert api.get(first["url"]).text == TEXT
        assert api.get(first["url"], headers={"Range": "bytes=4-6"}).text == "two"
        assert api.get(f"{worker.url}/v1/files/{'0' * 64}").status_code == 404
        assert api.get(f"{worker.url}/v1/files/..%2ftoken").status_code == 404


def test_callers_without_python_name_a_url(worker: LocalWorker, web: tuple[str, list[str]]) -> None:
    handle = media.upper.deploy()
    with requests.Session() as api:
        api.headers["Authorization"] = f"Bearer {worker.token}"
        answer = api.post(handle.url, json={"file": {"url": f"{web[0]}/text.txt"}}).json()
        assert answer["name"] == "upper-text.txt"
        assert api.get(answer["url"]).text == TEXT.upper()
        refused = api.post(handle.url, json={"file": {"path": "/etc/passwd"}})
        assert refused.status_code == 422


@pytest.mark.usefixtures("worker")
def test_a_file_beside_the_code() -> None:
    assert media.beside_the_code.run() == "some text\n"


@pytest.mark.usefixtures("worker")
def test_pictures_are_arrays_too() -> None:
    pixels = numpy.arange(18, dtype=numpy.uint8).reshape(2, 3, 3)
    picture = sieve.Image(array=pixels)
    assert (picture.array == pixels).all()
    made = media.inverted.run(picture)
    assert (type(made), made.frame) == (sieve.Image, 7)
    assert (made.array == 255 - pixels).all()
