"""Where the states of servings lie between two processes. The worker moves the files; it never opens one."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from operator_lib.engine.process import RESTORED, SNAPSHOT
from operator_lib.worker.store.base import VersionRow


class States:
    """One file for each version of a deployment that keeps its state."""

    def __init__(self, folder: Path, replicas: Path) -> None:
        self.folder = folder
        self.replicas = replicas

    def lend(self, version: VersionRow, replica_id: str) -> None:
        """Give a process that is about to start the last snapshot, and note that the next one is its."""
        self.folder.mkdir(exist_ok=True, mode=0o700)
        noted = self._file(version).with_suffix(".holder")
        noted.with_suffix(".partial").write_text(replica_id)
        os.replace(noted.with_suffix(".partial"), noted)
        if self._file(version).exists():
            shutil.copyfile(self._file(version), self.replicas / replica_id / RESTORED)

    def collect(self, version: VersionRow, replica_id: str) -> None:
        """Take what a process has left that has ended."""
        self._take(self._file(version), replica_id)

    def recover(self) -> None:
        """The same for the processes of a worker that was killed."""
        for noted in self.folder.glob("*.holder"):
            self._take(noted.with_suffix(""), noted.read_text())

    def _take(self, file: Path, replica_id: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.replicas / replica_id / SNAPSHOT, file)
        (self.replicas / replica_id / RESTORED).unlink(missing_ok=True)

    def forget(self, deployment_id: str) -> None:
        """The deployment is gone."""
        for file in self.folder.glob(f"{deployment_id}-*"):
            file.unlink(missing_ok=True)

    def _file(self, version: VersionRow) -> Path:
        return self.folder / f"{version.deployment_id}-{version.number}"
