"""Commands of other tools: their output line by line, their process group gone when the caller goes."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from operator_lib.executors import children

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+@")


async def listen(
    command: Sequence[str],
    folder: Path,
    tell: Callable[[str], None],
    environment: Mapping[str, str],
    stdin: IO[bytes] | None = None,
) -> tuple[int, list[str]]:
    """The exit status of a command and its lines; its process group is gone when the caller goes."""
    process = await children.start(
        *leashed(command),
        cwd=folder,
        env=environment,
        stdin=stdin or children.DEVNULL,
        stdout=children.PIPE,
        stderr=children.STDOUT,
        start_new_session=True,
        limit=1 << 20,
    )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = masked(_COLOUR.sub("", raw.decode(errors="replace")).rstrip())
            lines.append(line)
            tell(line)
        status = await process.wait()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return status, lines


# Asks the kernel to be killed with its parent, makes sure that this is still the parent, becomes the command.
_LEASH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
os.getppid() == int(sys.argv[1]) and os.execv(sys.argv[2], sys.argv[2:])
"""


def leashed(command: Sequence[str]) -> list[str]:
    """`command`, its program given by path, so that it does not outlive this process, ``kill -9`` included (Linux)."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-ISc", _LEASH, str(os.getpid()), *command]


def masked(text: str) -> str:
    """`text` with the credentials in URLs hidden.

    >>> masked("https://me:secret@example.org/simple")
    'https://****@example.org/simple'
    """
    return _CREDENTIALS.sub("****@", text)
