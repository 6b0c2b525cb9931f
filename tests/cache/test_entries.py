"""Stored outputs as files: what is damaged is never used, what is old goes, one process at a time computes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import Program

from operator_lib import operator
from operator_lib.engine import entries

SLOW = {
    "slow.py": """\
import os, sys
from operator_lib import operator

@operator(cacheable=True)
def slow(x):
    with open("computed", "a") as told:
        told.write("x")
    print("computing", flush=True)
    if os.environ.get("WAIT"):
        sys.stdin.readline()
    return [x, "done"]
"""
}
CALL = "from slow import slow; print(slow(1))"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def program(tmp_path: Path, home: Path) -> Program:
    return Program(tmp_path / "project", home, SLOW)


def files(home: Path) -> list[Path]:
    return sorted(p for p in (home / "cache" / "calls").glob("??/*"))


def waits_for_the_lock(pid: int, home: Path) -> bool:
    """Whether a process has opened the lock of a call."""
    links = Path(f"/proc/{pid}/fd")
    try:
        return any("/calls/locks/" in os.readlink(link) for link in links.iterdir())
    except FileNotFoundError:
        return False


def until(condition, what: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_two_processes_that_race_compute_once(program: Program, home: Path):
    first = program.start(CALL, WAIT="1")
    assert first.stdout is not None
    assert first.stdout.readline() == "computing\n"
    second = program.start(CALL, WAIT="1")
    until(lambda: waits_for_the_lock(second.pid, home), "the second one does not wait")
    out, problem = first.communicate("go on\n", timeout=30)
    assert (first.returncode, out) == (0, "[1, 'done']\n"), problem
    out, problem = second.communicate(timeout=30)
    assert (second.returncode, out) == (0, "[1, 'done']\n"), problem
    assert program.computed() == 1


def test_killed_while_it_computes_another_takes_over(program: Program, home: Path):
    first = program.start(CALL, WAIT="1")
    assert first.stdout is not None
    assert first.stdout.readline() == "computing\n"
    second = program.start(CALL, WAIT="1")
    until(lambda: waits_for_the_lock(second.pid, home), "the second one does not wait")
    first.kill()
    first.communicate()
    out, problem = second.communicate("go on\n", timeout=30)
    assert (second.returncode, out) == (0, "computing\n[1, 'done']\n"), problem
    assert program.run(CALL) == "[1, 'done']"
    assert program.computed() == 2
    assert not list((home / "cache" / "calls" / "locks").iterdir())


def test_a_failure_is_not_stored(program: Program, home: Path):
    program.write("fails.py", SLOW["slow.py"].replace('return [x, "done"]', "raise ValueError(x)"))
    call = "from fails import slow\ntry: slow(1)\nexcept ValueError as error: print(error)"
    assert program.run(call) == program.run(call) == "computing\n1"
    assert files(home) == []


# What is on the disk --------------------------------------------------------------------------------------------------

calls: list[int] = []


@operator(cacheable=True)
def listed(x: int) -> list[int]:
    calls.append(x)
    return list(range(x))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_noticed(home: Path, data: st.DataObject):
    entries.clear()
    calls.clear()
    assert listed(3) == [0, 1, 2]
    (file,) = files(home)
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1), "at")
    how = data.draw(st.sampled_from(["flip", "cut", "insert", "append", "zeros"]), "how")
    damaged = {
        "flip": whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :],
        "cut": whole[:at],
        "insert": whole[:at] + b"\0" + whole[at:],
        "append": whole + whole[: at + 1],
        "zeros": whole[:at] + bytes(len(whole) - at),
    }[how]
    file.write_bytes(damaged)
    assert listed(3) == [0, 1, 2]
    assert calls == ([3, 3] if damaged != whole else [3])
    assert file.read_bytes()[56:] == whole[56:], "and it is stored again, but for when it was made"
    assert listed(3) == [0, 1, 2]
    assert len(calls) <= 2


def test_every_single_byte_counts(home: Path):
    listed(2)
    (file,) = files(home)
    whole = file.read_bytes()
    for at in range(len(whole)):
        assert entries.parse(whole[:at]) is None
        assert entries.parse(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]) is None


def test_an_entry_under_the_name_of_another_is_not_used(home: Path):
    listed(1)
    (one,) = files(home)
    listed(2)
    (two,) = set(files(home)) - {one}
    two.write_bytes(one.read_bytes())
    assert listed(2) == [0, 1]


def test_what_others_could_have_written_is_not_used(home: Path):
    calls.clear()
    listed(4)
    (file,) = files(home)
    file.chmod(0o666)
    listed(4)
    assert calls == [4, 4]


def test_nobody_else_can_read_it(home: Path):
    listed(4)
    (file,) = files(home)
    assert file.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in file.parents if folder.is_relative_to(home)} == {0o700}


def test_it_is_used_until_its_time_is_over(home: Path):
    lasting = listed.with_options(cacheable=True, cache_ttl=1000)
    calls.clear()
    lasting(5)
    (file,) = files(home)
    entry = entries.parse(file.read_bytes())
    assert entry is not None
    assert entries.read(entry.key, ttl=1000) is not None
    older(file, 999)
    assert lasting(5) == lasting(5)
    assert calls == [5]
    older(file, 10)
    lasting(5)
    assert calls == [5, 5]


def test_one_from_the_future_has_had_its_time(home: Path):
    calls.clear()
    lasting = listed.with_options(cacheable=True, cache_ttl=1000)
    lasting(6)
    older(files(home)[0], -3600)
    lasting(6)
    assert calls == [6, 6]


def older(file: Path, seconds: float) -> None:
    """As if it had been made that much earlier."""
    found = entries.parse(file.read_bytes())
    assert found is not None
    real = time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries.time, "time", lambda: real() if seconds is None else found.made - seconds)
        entries.write(found.key, found.name, found.fingerprint, found.body)


def test_the_least_recently_used_go_first(home: Path):
    for x in range(6):
        listed(x)
        os.utime(max(files(home), key=lambda f: f.stat().st_mtime_ns), (1000 + x, 1000 + x))
    calls.clear()
    listed(0)  # used again
    assert calls == []
    assert entries.evict(most_bytes=10**9, most=2) == 4
    for x in (0, 5):
        listed(x)
    assert calls == []
    listed(1)
    assert calls == [1]
    assert entries.evict(most_bytes=0, most=100) == 3
    assert files(home) == []


def test_the_folder_stays_within_its_size(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPERATOR_LIB_CACHE_SIZE", "20000")
    for x in range(200):
        listed(400 + x)
    assert sum(file.stat().st_size for file in files(home)) < 40_000


def test_one_that_is_too_large_is_returned_and_not_stored(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPERATOR_LIB_CACHE_SIZE", "2000")
    with pytest.warns(UserWarning, match="listed is not stored: .* more than a quarter"):
        assert len(listed(1000)) == 1000
    assert files(home) == []


def test_where_nothing_can_be_written_the_value_is_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="cannot be written to"):
        assert listed(2) == [0, 1]


def test_on_a_full_disk_the_value_is_returned(program: Program, home: Path):
    full = """
import resource, signal, warnings
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from slow import slow
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    print(slow("y" * 50)[1], *(w.message for w in said))
"""
    assert "done an output of slow is not stored" in program.run(full)
    assert files(home) == []


def test_entries_can_be_listed_and_cleared(home: Path):
    listed(1)
    listed(2)
    assert [(e.name, len(e.key)) for e in entries.listed()] == [("listed", 64)] * 2
    assert entries.clear() == 2
    assert list(entries.listed()) == []


def test_the_command_line_lists_and_clears(program: Program, home: Path):
    program.run(CALL)
    listed(1)
    command = "import sys; from operator_lib.cli.main import main; sys.argv[1:] = {!r}; main()"
    shown = json.loads(program.run(command.format(["cache", "list", "--json"])))
    assert [(row["name"], row["outputs"]) for row in shown] == [("listed", 1), ("slow", 1)]
    assert program.run(command.format(["cache", "clear", "slow"])) == "removed 1"
    assert "listed" in program.run(command.format(["cache", "list"]))
    assert program.run(command.format(["cache", "clear", "--json"])) == '{\n  "removed": 1\n}'
    assert files(home) == []
