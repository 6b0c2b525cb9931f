"""A worker's history made long by copies of one run: rows in its store, and the folders of the newest."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

# What no two runs share.
OWN = ("seq", "id", "idempotency_key")


def fill(home: Path, count: int, *, folders: int = 100, status: str = "COMPLETED") -> None:
    """`count` copies of the newest run, as rows; the newest `folders` of them with all that it stored."""
    name = "printf('00copy%020d', {})".format
    with contextlib.closing(sqlite3.connect(home / "state.db", timeout=30)) as store, store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(runs)") if row[1] not in OWN]
        taken = ", ".join("?2" if column == "status" else column for column in columns)
        (original,) = store.execute("SELECT id FROM runs ORDER BY seq DESC LIMIT 1").fetchone()
        store.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
            f"INSERT INTO runs (id, {', '.join(columns)}) SELECT {name('i')}, {taken} FROM n, runs WHERE id = ?3",
            (count, status, original),
        )
        copies = [row[0] for row in store.execute("SELECT id FROM runs ORDER BY seq DESC LIMIT ?", (folders,))]
    for copy in copies:
        shutil.copytree(home / "runs" / original, home / "runs" / copy)
