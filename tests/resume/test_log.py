"""The file of checkpoints: what is read back is what was written, or nothing, whatever has happened to the file."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.engine.checkpoint_log import VALUE, Log, Record, take_over

BODIES = [b"", b"one", b"two" * 100, bytes(range(256)) * 3, b"\xf5\x9aOP looks like a start", b"the last"]

# Bytes that name the file; records come after.
NAMED = 35


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def written(path: Path) -> bytes:
    """A file with `BODIES`, and what is in it."""
    with Log(path) as log:
        for number, body in enumerate(BODIES):
            log.add(Record(VALUE, key(number), number, path=f"steps.{number}"), [body[:2], body[2:]])
    return path.read_bytes()


def read(path: Path) -> dict[int, bytes]:
    """What can be read back; nothing of it may be anything else than what was written."""
    found: dict[int, bytes] = {}
    with Log(path) as log:
        for record in log.found:
            body = log.body(record)
            if body is not None and record.kind == VALUE:
                number = int.from_bytes(record.key, "little")
                assert record.ordinal == number
                assert record.path == f"steps.{number}"
                found[number] = body
    assert all(body == BODIES[number] for number, body in found.items())
    return found


def test_all_of_it_comes_back(tmp_path):
    written(tmp_path / "log")
    assert read(tmp_path / "log") == dict(enumerate(BODIES))


def test_cut_off_anywhere_the_rest_is_there_and_can_be_added_to(tmp_path):
    path = tmp_path / "log"
    whole = written(path)
    counts = []
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        found = read(path)
        assert sorted(found) == list(range(len(found)))  # the first ones
        counts.append(len(found))
        with Log(path) as log:
            log.add(Record(VALUE, key(3), 3, path="steps.3"), [BODIES[3]])
        assert read(path) == found | {3: BODIES[3]}
    assert counts == sorted(counts)
    assert counts[-1] == len(BODIES) - 1


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_anywhere_the_records_elsewhere_are_there(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("log") / "log"
    whole = bytearray(written(path))
    with Log(path) as log:
        ends = [record.offset + record.size for record in log.found]
    begins = [NAMED, *ends]
    start = data.draw(st.integers(NAMED, len(whole) - 1))
    rubbish = data.draw(st.binary(min_size=1, max_size=min(400, len(whole) - start)))
    whole[start : start + len(rubbish)] = rubbish
    path.write_bytes(whole)
    untouched = {n for n in range(len(BODIES)) if ends[n] <= start or begins[n] >= start + len(rubbish)}
    assert untouched <= set(read(path))


@pytest.mark.parametrize("position", [0, 27, 34])
def test_without_its_name_a_file_is_begun_anew(tmp_path, position):
    path = tmp_path / "log"
    whole = bytearray(written(path))
    whole[position] ^= 0xFF
    path.write_bytes(whole)
    assert read(path) == {}
    with Log(path) as log:
        log.add(Record(VALUE, key(1), 1, path="steps.1"), [BODIES[1]])
    assert read(path) == {1: BODIES[1]}


def test_records_of_another_file_are_not_taken_for_its_own(tmp_path):
    written(tmp_path / "a")
    with Log(tmp_path / "b") as log:
        log.add(Record(VALUE, key(5), 5, path="steps.5"), [BODIES[5], b"", b""])
    embedded = (tmp_path / "b").read_bytes() + (tmp_path / "a").read_bytes()
    (tmp_path / "b").write_bytes(embedded)
    assert read(tmp_path / "b") == {5: BODIES[5]}


def test_without_room_nothing_of_a_record_is_kept(tmp_path):
    path = tmp_path / "log"
    size = len(written(path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, limits[1]))
    try:
        with Log(path) as log, pytest.raises(OSError, match="File too large"):
            log.add(Record(VALUE, key(9), 9, path="steps.9"), [os.urandom(1000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == size
    assert len(read(path)) == len(BODIES)


def test_taking_over_leaves_out_what_is_damaged_late_or_not_wanted(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    with Log(old) as log:
        for number, body in enumerate(BODIES):
            log.add(Record(VALUE, key(number), number, begun=float(number), path=f"steps.{number}"), [body])
    whole = bytearray(old.read_bytes())
    whole[whole.index(BODIES[1])] ^= 1
    old.write_bytes(whole)
    assert take_over(old, new, before=4.0, without={"steps.2"}) == 2
    assert old.read_bytes() == whole
    assert set(read(new)) == {0, 3}
