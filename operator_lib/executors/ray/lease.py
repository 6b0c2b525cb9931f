"""The tasks and actors of Ray that stand for our processes: Ray schedules them, they do nothing but hold what they were
given until the outpost on their node lets them go.

They meet the outpost at a socket in the node's file system, under a name that both of them can tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Seconds for the outpost of a node that has just joined to be there.
OUTPOST = 120.0


def meeting(session: str, node: str) -> str:
    """The socket of a node's outpost. Short: the names of sockets may have about a hundred bytes.

    `session`: a folder, or what tells one apart.
    """
    folder = session if session.startswith("/") else f"/tmp/operator-lib-{os.getuid()}-{session}"
    return f"{folder}/{node[:16]}"


def hold(path: str, lease: str, cards: list[str]) -> None:
    """In a task or an actor: hold what it has been given.

    Raises:
        TimeoutError: there is no outpost on this node.
    """
    end = time.monotonic() + OUTPOST
    with socket.socket(socket.AF_UNIX) as channel:
        while True:
            try:
                channel.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise TimeoutError(f"no process of operator_lib answers on this node, at {path}") from None
                time.sleep(0.05)
        channel.sendall(json.dumps({"lease": lease, "cards": cards}).encode() + b"\n")
        channel.recv(1)


class Leases:
    """Those of one node, as its outpost sees them."""

    def __init__(self, say: Callable[[dict[str, Any]], None], lost: Callable[[str], None]) -> None:
        """`say` tells the worker; `lost` is called with a lease that has ended without our doing."""
        self._say = say
        self._lost = lost
        self._held: dict[str, asyncio.StreamWriter] = {}

    async def listen(self, path: str) -> asyncio.AbstractServer:
        """Wait for them."""
        folder = Path(path).parent
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to somebody else")
        Path(path).unlink(missing_ok=True)
        return await asyncio.start_unix_server(self._come, path)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            told: dict[str, Any] = json.loads(await reader.readline())
            lease = told["lease"]
            self._held[lease] = writer
            self._say({"say": "held", "id": lease, "cards": told["cards"]})
            await reader.read()
            if self._held.pop(lease, None) is not None:
                self._say({"say": "lost", "id": lease})
                self._lost(lease)
        writer.close()

    def free(self, lease: str) -> None:
        """It is not needed any more."""
        writer = self._held.pop(lease, None)
        if writer is not None:
            writer.close()
