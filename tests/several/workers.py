"""Several workers on one database and one home."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operator_lib import endpoint


def until(condition: Any, seconds: float = 30.0, about: str = "") -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, about or f"not within {seconds:g} s"
        time.sleep(0.02)
    return found


@dataclass
class One:
    """One of the workers."""

    popen: subprocess.Popen[bytes]
    log: Path
    found: endpoint.Endpoint

    @property
    def address(self) -> str:
        return self.found.grpc_address

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()


class Cluster:
    """Workers that share `home` and the database of `url`."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self.workers: list[One] = []

    def start(self, *options: str) -> One:
        """One worker more; when this returns it answers."""
        endpoint.make_private(self.home)
        log = self.home.with_name(f"worker{len(self.workers)}.log")
        with open(log, "ab") as file:
            popen = subprocess.Popen(
                [sys.executable, "-P", "-m", "operator_lib.worker", "--home", str(self.home), *options],
                env=os.environ | {"OPERATOR_LIB_STORE": self.url}, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True, cwd="/",
            )  # fmt: skip

        def up() -> endpoint.Endpoint | None:
            assert popen.poll() is None, log.read_text()
            found = endpoint.last(self.home)
            return found if found is not None and found.pid == popen.pid else None

        self.workers.append(One(popen, log, until(up, 60)))
        return self.workers[-1]

    def answers(self, one: One) -> str:
        """The address of a worker that has started anew in its process; "" while it has not."""
        found = endpoint.last(self.home)
        again = one.log.read_text().count(", gRPC ") == 2
        return found.grpc_address if again and found is not None and found.pid == one.popen.pid else ""

    @property
    def token(self) -> str:
        return endpoint.read_token(self.home)

    def close(self) -> None:
        for one in self.workers:
            with contextlib.suppress(ProcessLookupError):
                one.signal(signal.SIGCONT)
                one.signal(signal.SIGTERM)
        for one in self.workers:
            try:
                one.popen.wait(30)
            except subprocess.TimeoutExpired:
                one.kill()


def told(path: Path, count: int = 0) -> list[str]:
    """The lines that programs have noted, once there are so many."""
    return until(lambda: path.exists() and len(lines := path.read_text().splitlines()) >= count and (lines or [""]))


def owners(url: str) -> dict[str, int]:
    """How many runs each worker has had."""
    import psycopg

    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT owner, count(*) FROM operator_lib.runs GROUP BY owner").fetchall()
    return {str(owner): int(count) for owner, count in found}
