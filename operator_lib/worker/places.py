"""The worker's home: which folder holds what, and what of a process's private one goes with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from operator_lib.engine.process import CHECKPOINTS, PARTS, VALUE
from operator_lib.executors.folders import remove
from operator_lib.package.materialise import clean_partials
from operator_lib.worker.store.base import StoreError

# What goes from the folder of a process with its end.
PRIVATE = ("work", "tmp", "spec.json", PARTS)


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below the home. Ids are made by the worker; no path is built from what a caller sent."""

    home: Path

    @property
    def store(self) -> Path:
        return self.home / "state.db"

    @property
    def blobs(self) -> Path:
        return self.home / "blobs"

    def blob(self, sha256: str) -> Path:
        """A finished upload, for the processes that read it."""
        return self.blobs / sha256[:2] / sha256

    @property
    def sources(self) -> Path:
        return self.home / "sources"

    def source(self, fingerprint: str) -> Path:
        """Files of a version, read by its processes."""
        return self.sources / fingerprint

    @property
    def environments(self) -> Path:
        return self.home / "envs"

    def run(self, run_id: str) -> Path:
        return self.home / "runs" / run_id

    def events(self, run_id: str) -> Path:
        return self.run(run_id) / "events"

    def checkpoints(self, run_id: str) -> Path:
        """What its calls have returned."""
        return self.run(run_id) / CHECKPOINTS

    def input(self, run_id: str) -> Path:
        return self.run(run_id) / "input"

    def attempt(self, run_id: str, attempt: int) -> Path:
        return self.run(run_id) / str(attempt)

    def replica(self, replica_id: str) -> Path:
        return self.home / "replicas" / replica_id

    @property
    def states(self) -> Path:
        """What servings have left to their next process."""
        return self.home / "states"

    def identity(self) -> str:
        """Of this home, wherever it is mounted; made once, by whoever has the lock."""
        path = self.home / "id"
        if not path.exists():
            _write(path, token_hex(16))
        return path.read_text().strip()

    def belongs(self, store: str) -> None:
        """From now on what lies here is told of by the store of that identity.

        Raises:
            StoreError: it was another one. That one knows which runs there were: here they would be strays.
        """
        path = self.home / "store.id"
        if not path.exists():
            _write(path, store)
        elif path.read_text() != store:
            raise StoreError(
                f"what lies in {self.home} is known to another store: start with the --store (or OPERATOR_LIB_STORE) "
                f"that this home was used with, or with another --home. To begin anew, without its runs, remove {path}"
            )

    def make(self) -> None:
        for folder in (self.home, self.blobs, self.sources, self.home / "runs", self.home / "replicas"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def tidy(self) -> None:
        """After a start: remove what processes and deploys of the last worker have left half-way."""
        clean_partials(self.sources)
        for folder in (self.home / "replicas").iterdir():
            remove([folder])


def _write(path: Path, text: str) -> None:
    """All of it, or nothing."""
    partial = path.with_name(f"{path.name}.{token_hex(4)}.partial")
    partial.write_text(text)
    partial.replace(path)


async def clear(folder: Path, *, keep: bool) -> None:
    """Remove what was private to a process; with `keep` its outcome and its events stay."""
    targets = [folder / name for name in PRIVATE] if keep else [folder]
    await asyncio.to_thread(remove, targets)


def value_size(folder: Path) -> int:
    """Bytes of the stored value, -1 without one. A generator that failed has stored the items before."""
    try:
        return (folder / VALUE).stat().st_size
    except FileNotFoundError:
        return -1
