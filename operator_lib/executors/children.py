"""Processes of other programs, for the event loop. As `asyncio.create_subprocess_exec`, but alike on all loops.

Other event loops have ways of their own to start a process, which run code between fork and exec. With the threads of
gRPC around, that code has been seen to crash; `subprocess` starts it by vfork.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

DEVNULL, PIPE, STDOUT = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT


class Child:
    """A process that was started here. What goes through a pipe is read as it comes."""

    def __init__(
        self, popen: subprocess.Popen[bytes], stdout: asyncio.StreamReader | None, stderr: asyncio.StreamReader | None
    ) -> None:
        self._popen = popen
        self.pid = popen.pid
        self.stdout = stdout
        self.stderr = stderr

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    async def wait(self) -> int:
        """Its exit status. Takes a thread for as long: read its output to the end first."""
        return await asyncio.to_thread(self._popen.wait)

    async def communicate(self) -> tuple[bytes, bytes]:
        """All that it writes to its pipes, once it has ended."""
        out, err = await asyncio.gather(_all(self.stdout), _all(self.stderr))
        await self.wait()
        return out, err

    def kill(self) -> None:
        self._popen.kill()


async def start(
    *command: str,
    stdin: int | IO[bytes] = DEVNULL,
    stdout: int = DEVNULL,
    stderr: int = DEVNULL,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    start_new_session: bool = False,
    limit: int = 1 << 16,
) -> Child:
    """Start a program, from this thread: it may ask to be told of its end.

    Args:
        limit: bytes that one line of its output may have.

    Raises:
        OSError: it cannot be started.
    """
    popen = subprocess.Popen(
        command, bufsize=0, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, env=env,
        start_new_session=start_new_session,
    )  # fmt: skip
    return Child(popen, await _reader(popen.stdout, limit), await _reader(popen.stderr, limit))


async def _reader(pipe: Any, limit: int) -> asyncio.StreamReader | None:
    if pipe is None:
        return None
    reader = asyncio.StreamReader(limit)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


async def _all(reader: asyncio.StreamReader | None) -> bytes:
    return await reader.read() if reader is not None else b""
