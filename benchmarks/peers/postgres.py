"""A PostgreSQL server of one's own, in a temporary folder: started, cut off, restarted."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

NOBODY = "nobody"


def binaries() -> Path | None:
    """Where PostgreSQL's programs are, the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    there = shutil.which("postgres")
    return found[-1].parent if found else Path(there).resolve().parent if there else None


class Server:
    """One server on 127.0.0.1, with its data in a temporary folder. It refuses to be root, and is nobody then."""

    def __init__(self) -> None:
        root = os.geteuid() == 0
        # Nobody comes into a temporary folder of root's.
        self.folder = Path(tempfile.mkdtemp(prefix="operator-lib-pg-", dir="/tmp" if root else None))
        self.data = self.folder / "data"
        self.port = _free_port()
        self._as: dict[str, Any] = {}
        if root:
            nobody = pwd.getpwnam(NOBODY)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._call("initdb", "-D", str(self.data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(binaries() / program), *arguments], cwd=self.folder, capture_output=True, text=True, **self._as
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Come up; when this returns it answers."""
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c max_connections=60"
        log = str(self.folder / "log")
        self._call("pg_ctl", "start", "-D", str(self.data), "-w", "-t", "60", "-l", log, "-o", settings)

    def stop(self, how: str = "immediate") -> None:
        """End it; "immediate" is how it ends when it crashes: without a word to anybody."""
        self._call("pg_ctl", "stop", "-D", str(self.data), "-m", how, "-w")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def database(self, name: str) -> str:
        """The URL of a new, empty one."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def close(self) -> None:
        with contextlib.suppress(AssertionError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    """Below those that connections get: while the server is away, nobody's connection is to take its port."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return probe.getsockname()[1]
