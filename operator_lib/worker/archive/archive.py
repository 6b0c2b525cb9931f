"""Ended runs, brought to object storage and back. The folder of a run stays what everybody reads.

A run that has ended has a note in its folder, `archived-ATTEMPTS-STATUS`, once storage has all of it; a folder without
one is the only copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from operator_lib.worker.archive import pack as packs
from operator_lib.worker.archive.pack import NOTE, Damaged, File
from operator_lib.worker.objects.base import Away, Objects, ObjectsError, Refusing
from operator_lib.worker.objects.storage import Storage
from operator_lib.worker.places import Places
from operator_lib.worker.store.base import RunRow

log = logging.getLogger("operator_lib.worker")

# Seconds that the end of a run waits for storage before it is told all the same.
PROMPT = 5.0
# Seconds after the end of a run in which another worker may still be bringing it.
FRESH = 600.0
LOCKS = 256
# What was fetched in part; the next worker removes it as it does with all folders that no run has.
_PARTIAL = ".fetched-"


class Archive:
    """Runs below ``runs/`` of `storage`, and their folders in `where`."""

    def __init__(self, storage: Storage, where: Places) -> None:
        self.storage = storage
        self._places = where
        # One for each run would be many: those that share one wait for one another.
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        self.late: set[str] = set()
        """Runs whose end was told before storage had them."""

    # --- there ---------------------------------------------------------------------------------------------------

    async def take(self, run_id: str, attempts: int, status: str) -> None:
        """Bring a run to storage that is about to be told as ended. Where that is away, it is done later."""
        if not self.storage.trouble:
            try:
                async with asyncio.timeout(PROMPT):
                    await self.storage.aside(self.bring_there, run_id, attempts, status, PROMPT)
                    return
            except TimeoutError:
                self.storage.slow(f"has not taken run {run_id} within {PROMPT:g} s")
            except (ObjectsError, OSError, Damaged) as problem:
                log.warning("worker: run %s is brought to storage later: %s", run_id, problem)
        self.late.add(run_id)

    def bring_there(self, run_id: str, attempts: int, status: str, patience: float) -> None:
        """The same, now.

        Raises:
            ObjectsError: storage is away or refuses.
            Damaged: something still writes into the folder.
        """
        folder = self._places.run(run_id)
        with self._alone(run_id):
            if not folder.is_dir() or (folder / _note(attempts, status)).exists():
                return
            pack = packs.survey(folder, attempts, status)
            data = packs.write(pack, folder)
            for file in pack.apart:
                self._put(_name(run_id, file.sha256), folder / file.path, patience)
            # Last: who reads it finds the others.
            self._put(_name(run_id, "pack"), data, patience)
            self.reopened(run_id)
            (folder / _note(attempts, status)).touch()

    def reopened(self, run_id: str) -> None:
        """What storage has of the run is no longer all of it."""
        for note in self._places.run(run_id).glob(f"{NOTE}*"):
            note.unlink(missing_ok=True)

    def _put(self, name: str, source: Path | bytes, patience: float) -> None:
        self.storage.insist(lambda objects: objects.put(name, source), patience)

    # --- and back ------------------------------------------------------------------------------------------------

    def here(self, row: RunRow) -> bool:
        """Whether all that there is of a run lies in its folder."""
        folder = self._places.run(row.id)
        if not row.terminal or (folder / _note(row.attempts, row.status)).exists():
            return True
        return folder.is_dir() and not any(name.startswith(NOTE) for name in os.listdir(folder))

    async def bring(self, row: RunRow) -> None:
        """Have the files of an ended run in its folder.

        Raises:
            Away: storage does not answer, or the worker that had the run has not brought it there yet.
            Refusing: storage refuses, or what it has is damaged.
        """
        if not self.here(row):
            await self.storage.aside(self.bring_back, row)
        elif row.terminal:
            with contextlib.suppress(FileNotFoundError):
                os.utime(self._places.run(row.id) / _note(row.attempts, row.status))  # used: it stays for a while

    def bring_back(self, row: RunRow) -> None:
        """The same, now."""
        with self._alone(row.id):
            if self.here(row):
                return
            partial = self._places.home / "runs" / f"{_PARTIAL}{secrets.token_hex(8)}"
            try:
                for last in (False, True):  # what was damaged on its way is whole the second time
                    try:
                        if self._fetch(row, partial):
                            self._replace(row.id, partial)
                        return
                    except Damaged as damage:
                        shutil.rmtree(partial, ignore_errors=True)
                        if last:
                            where = f"{self.storage.where}/{_name(row.id, '')}"
                            raise Refusing(f"what {where} has of run {row.id} is damaged: {damage}") from None
            finally:
                shutil.rmtree(partial, ignore_errors=True)

    def _fetch(self, row: RunRow, partial: Path) -> bool:
        """All files of a run into a new folder; False when storage never had any."""
        data = self.storage.insist(lambda objects: objects.read(_name(row.id, "pack")))
        if data is None:
            if time.time() - (row.ended or 0.0) < FRESH:
                raise Away(f"the files of run {row.id} are not in {self.storage.where} yet; try again in a moment")
            return False
        pack, small = packs.read(data)
        if pack.attempts < row.attempts:
            raise Away(f"what {self.storage.where} has of run {row.id} is of an earlier attempt; try again in a moment")
        partial.mkdir(mode=0o700)
        for path, content in small.items():
            _make(partial / path)
            (partial / path).write_bytes(content)
        for file in pack.apart:
            _make(partial / file.path)
            self._get(row.id, file, partial / file.path)
        (partial / _note(row.attempts, row.status)).touch()
        return True

    def _get(self, run_id: str, file: File, target: Path) -> None:
        def get(objects: Objects) -> bool:
            target.unlink(missing_ok=True)  # of a try before that broke off
            return objects.get(_name(run_id, file.sha256), target)

        if not self.storage.insist(get):
            raise Damaged(f"{file.path} is not there")
        with target.open("rb") as reading:
            if hashlib.file_digest(reading, "sha256").hexdigest() != file.sha256:
                raise Damaged(f"{file.path} is not what was written")

    def _replace(self, run_id: str, partial: Path) -> None:
        folder, old = self._places.run(run_id), partial.with_name(partial.name + ".old")
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, old)
        os.rename(partial, folder)
        shutil.rmtree(old, ignore_errors=True)

    def drop(self, run_id: str) -> bool:
        """Remove the copy that is here, unless it is the only one."""
        with self._alone(run_id):
            if self.storage.insist(lambda objects: objects.look(_name(run_id, "pack"))) is None:
                self.reopened(run_id)
                self.late.add(run_id)
                return False
            shutil.rmtree(self._places.run(run_id), ignore_errors=True)
            return True

    # --- gone ----------------------------------------------------------------------------------------------------

    def forget(self, run_ids: Iterable[str]) -> None:
        """Remove runs from storage. What is left for whatever reason goes with `collect`.

        Raises:
            ObjectsError: storage is away or refuses.
        """
        self.storage.each(self._forget, run_ids)

    def _forget(self, run_id: str) -> None:
        objects = self.storage.objects
        for found in list(objects.under(_name(run_id, "").rstrip("/"))):
            objects.remove(found.name)

    def older(self, last: str, before: float) -> list[str]:
        """Runs with ids that end in `last` to which storage has added nothing since then, by its clock."""
        newest: dict[str, float] = {}
        for found in self.storage.insist(lambda objects: list(objects.under(f"runs/{last}"))):
            run_id = found.name.split("/")[2]
            newest[run_id] = max(found.written, newest.get(run_id, 0.0))
        return [run_id for run_id, written in newest.items() if written < before]

    def _alone(self, run_id: str) -> threading.Lock:
        """While it is held nobody else moves the files of this run."""
        return self._locks[hash(run_id) % LOCKS]


def notes(folder: Path) -> list[str]:
    """What says that storage has all of the run in `folder`."""
    try:
        return [name for name in os.listdir(folder) if name.startswith(NOTE)]
    except OSError:
        return []


def _note(attempts: int, status: str) -> str:
    return f"{NOTE}{attempts}-{status}"


def _name(run_id: str, name: str) -> str:
    return f"runs/{run_id[-1:]}/{run_id}/{name}"


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
