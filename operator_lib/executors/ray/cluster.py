"""The worker's end of the process that speaks to Ray."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any

from operator_lib.engine import marks
from operator_lib.executors.ray.driver import Held, Setup

# Seconds for Ray to come up, or to answer; and to go.
START, GOING = 120.0, 15.0
LOG, KEY = "ray.log", "ray.token"
# What all processes of a cluster of our own have in their environment, and no others: where its token is.
OWN_CLUSTER = "RAY_AUTH_TOKEN_PATH"
# Ray tells nobody of its use, and does not run what it starts through `uv`.
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_gcs_server_port_wait_time_s": "60",  # a busy machine needs more than the default
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "PYTHONUNBUFFERED": "1",
}


class Cluster:
    """One driver, and what it says."""

    def __init__(self, home: Path, address: str, hear: Callable[[dict[str, Any]], None]) -> None:
        """`address`: as ``ray.init`` takes it; empty for a cluster of our own."""
        self._home = home
        self._address = address
        self._hear = hear
        self.token = token_urlsafe(24)
        # Short, for Ray has sockets in it, and found again by the next worker of the home.
        self.folder = Path(f"/tmp/operator-lib-{os.getuid()}-{hashlib.sha256(str(home).encode()).hexdigest()[:10]}")
        self.gone = asyncio.Event()
        self._popen: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Come into the cluster.

        Raises:
            OSError: that was not possible; the message says why.
        """
        if not self._address:
            await asyncio.to_thread(self._clear)
        ours, theirs = socket.socketpair()
        with open(self._home / LOG, "ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-m", "operator_lib.executors.ray.driver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                start_new_session=True,
            )
        theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 22)
        self._say(asdict(self._setup()))
        try:
            async with asyncio.timeout(START):
                line = await reader.readline()
        except TimeoutError:
            await self.close()
            raise OSError(f"Ray has not answered within {START:g} s; {self._home / LOG} has its words") from None
        said: dict[str, Any] = json.loads(line or b"{}")
        if "ready" not in said:
            await self.close()
            raise OSError(said.get("failed") or f"Ray did not start; {self._home / LOG} has its words")
        self._listening = asyncio.create_task(self._listen(reader))

    def _clear(self) -> None:
        """What a cluster that was killed has left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    def _environment(self) -> dict[str, str]:
        """That of the driver. Of a cluster of our own, whoever reaches its ports must show a token."""
        found = {**os.environ, **SETTINGS, marks.HOME: str(self._home)}
        if not self._address:
            key = self._home / KEY
            with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(token_hex(32))
            found |= {"RAY_AUTH_MODE": "token", OWN_CLUSTER: str(key)}
            found.pop("RAY_AUTH_TOKEN", None)
        return found

    def _setup(self) -> Setup:
        own = not self._address
        outpost = {
            "base": str(self._home / "ray") if own else "",
            "host": "127.0.0.1" if own else "",
            "owner": str(self._home) if own else "",
            "token": hashlib.sha256(self.token.encode()).hexdigest(),
        }
        # Ray lets everybody into its folder.
        folder, session = (str(self.folder / "r"), str(self.folder / "s")) if own else ("", token_hex(4))
        return Setup(self._address, session, folder, outpost)

    def hold(self, asked: Held) -> None:
        """Ask for room."""
        self._say({"hold": asdict(asked)})

    def drop(self, lease: str) -> None:
        """It is not wanted any more."""
        self._say({"drop": lease})

    def _say(self, message: dict[str, Any]) -> None:
        if self._writer is None or self._writer.is_closing():  # it is gone, and what is waited for is asked for anew
            return
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                self._hear(json.loads(line))
        self.gone.set()

    async def close(self) -> None:
        """Leave the cluster; end it, if it is our own."""
        if self._writer is not None:
            self._writer.close()
        popen = self._popen
        if popen is None:
            return
        try:
            await asyncio.to_thread(popen.wait, GOING)
        except subprocess.TimeoutExpired:
            popen.kill()
            await asyncio.to_thread(popen.wait)
