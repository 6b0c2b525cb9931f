"""Another program has the store's file open and writes to it: who asks the worker waits, and nothing is lost."""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait

import fault_jobs as jobs
from crash import read_lines, told


def test_what_needs_the_store_waits_and_what_reads_it_goes_on(worker, tmp_path):
    counted = jobs.counted.deploy("counted")
    effects, held = tmp_path / "e", tmp_path / "held"
    going = counted.submit(str(held), "going", 0.5)
    told(held)
    with (
        ThreadPoolExecutor(4) as pool,
        contextlib.closing(sqlite3.connect(worker.path / "state.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        asked = [pool.submit(counted.job.trigger, str(effects), str(n), idempotency_key=str(n)) for n in range(4)]
        assert told(held, 2) == ["start going", "done going"], "the run stopped for the store"
        assert [run.id for run in counted.runs()] == [going.id]
        assert not wait(asked, 0.2).done, "acknowledged before it was stored"
        other.execute("ROLLBACK")
        runs = [one.result(20) for one in asked]
    assert going.result(20) == "going"
    assert [run.result(20) for run in runs] == ["0", "1", "2", "3"]
    assert sorted(line for line in read_lines(effects) if line.startswith("done")) == [f"done {n}" for n in range(4)]


def test_a_reader_that_stays_stops_nobody(worker, tmp_path):
    counted = jobs.counted.deploy("counted")
    with contextlib.closing(sqlite3.connect(worker.path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        assert [counted(str(tmp_path / "e"), str(n)) for n in range(5)] == list("01234")
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert len(counted.runs()) == 5
