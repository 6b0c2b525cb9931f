"""Whatever is printed, in whatever pieces: no value gets through, and all other text does."""

from __future__ import annotations

import json
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.engine.events import from_lines
from operator_lib.engine.journal import Journal
from operator_lib.engine.masking import Mask
from operator_lib.engine.process import LINE_LIMIT
from operator_lib.runner.stdio import NodeStream, Story
from operator_lib.wire import failure

KEY = "k€y-of-the-house"
MASK = Mask({"KEY": KEY})

# Text that brings values to the places where lines are cut.
FILLERS = st.one_of(
    st.integers(LINE_LIMIT - 40, LINE_LIMIT + 40).map(lambda size: "x" * size),
    st.integers(0, 80).map(lambda size: "é" * size),
    st.text("abc ", max_size=20),
)
PARTS = st.lists(st.one_of(FILLERS, st.just(KEY), st.just("\n")), max_size=8)
CUTS = st.lists(st.integers(0, 2**31), max_size=12)


def pieces(data, cuts):
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def lines_of(events) -> list[str]:
    """Lines as they were printed, put together again."""
    lines, line = [], ""
    for event in events:
        line += event["text"]
        if not event.get("more"):
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines


def assert_as_printed(lines: list[str], text: str) -> None:
    printed = text.split("\n")
    if printed[-1] == "":
        printed.pop()
    assert lines == [line.replace(KEY, "***KEY***") for line in printed]


@given(parts=PARTS, cuts=CUTS)
@settings(max_examples=150)
def test_what_is_written_past_python(tmp_path_factory, parts, cuts):
    text = "".join(parts)
    path = tmp_path_factory.mktemp("journal") / "events"
    journal = Journal(str(path), mask=MASK)
    for piece in pieces(text.encode(), cuts):
        if piece:
            journal.raw("stdout", piece)
    journal.end()
    journal.close()
    assert_as_printed(lines_of(from_lines(path.read_bytes())), text)


@given(parts=PARTS, cuts=CUTS)
@settings(max_examples=150)
def test_what_is_printed(parts, cuts):
    text = "".join(parts)
    read, write = os.pipe()
    heard = bytearray()

    def listen():
        while data := os.read(read, 1 << 20):
            heard.extend(data)

    reader = threading.Thread(target=listen)
    reader.start()
    stream = NodeStream("stdout", Story(write), 1, MASK)
    for piece in pieces(text, cuts):
        stream.write(piece)
    stream.finish()
    os.close(write)
    reader.join()
    os.close(read)
    lines = lines_of(from_lines(bytes(heard)))
    assert_as_printed(lines, text)


def test_the_longest_of_several_counts():
    mask = Mask({"SHORT": "house", "LONG": "house-of-cards"})
    assert mask.text("house house-of-cards houses") == "***SHORT*** ***LONG*** ***SHORT***s"


@pytest.mark.parametrize(
    "value", ['quo"te', "back\\slash", "tab\tbed", "new\nline", "a/b c?d=e&f", "ümläut", "'single'"]
)
def test_as_others_write_it(value):
    from urllib.parse import quote

    mask = Mask({"KEY": value})
    for written in (json.dumps([value]), json.dumps([value], ensure_ascii=False), repr([value]), quote(value)):
        assert value not in mask.text(written)
        assert json.dumps(value)[1:-1] not in mask.text(written)
        assert "***KEY***" in mask.text(written)
        assert "***KEY***" in mask.data(written.encode()).decode()


def test_events_keep_their_shape():
    event = {"kind": "progress", "current": 1, "attributes": {KEY: [KEY, 2, None, True]}, "text": KEY.encode().hex()}
    assert MASK.value(event) == {
        "kind": "progress",
        "current": 1,
        "attributes": {"***KEY***": ["***KEY***", 2, None, True]},
        "text": KEY.encode().hex(),
    }


def test_an_error_whose_arguments_cannot_be_looked_into(monkeypatch):
    np = pytest.importorskip("numpy")
    monkeypatch.setattr(failure, "mask", MASK)
    inner = KeyError(np.array([KEY.encode()]))
    error = ExceptionGroup("several", [ValueError(f"with {KEY}", np.array([KEY.encode()]))])
    error.__cause__ = inner
    encoded = failure.encode_failure(error)
    assert KEY.encode() not in encoded
    found = failure.decode_failure(encoded)
    assert isinstance(found, ExceptionGroup)
    assert "with ***KEY***" in str(found.exceptions[0])
