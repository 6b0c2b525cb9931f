"""The warm parent of one interpreter: it forks a shim for each process that is asked for."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from pathlib import Path

from operator_lib.engine import marks

# Of the worker's environment, only this reaches the user's code.
PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TZDIR", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHASHSEED", "PYTHONUTF8"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
        *("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE", "TORCH_HOME"),
    }
)
PASSED_ON_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "OPENBLAS_", "XDG_")
# Seconds for a zygote to import what it shares.
ZYGOTE_START = 60.0


def base_environment(home: Path) -> dict[str, str]:
    """What the user's processes inherit of the worker's environment, and whose they are."""
    kept = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith(PASSED_ON_PREFIXES)}
    return {**kept, marks.HOME: str(home)}


class Zygote:
    """The warm parent of one interpreter."""

    def __init__(self, python: str, home: Path, owner: str) -> None:
        self.control, theirs = socket.socketpair()
        self.control.setblocking(False)
        self.log = home / "zygote.log"
        own = {"GRPC_ENABLE_FORK_SUPPORT": "0"}
        with open(self.log, "ab") as file:
            self.popen = subprocess.Popen(
                [python, "-P", "-m", "operator_lib.runner.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd="/",
                env={**base_environment(home), marks.HOME: owner, **own},
                start_new_session=True,
            )
        theirs.close()

    async def ready(self) -> None:
        """Wait until it has imported everything.

        Raises:
            OSError: it ended instead; the message has the end of its log.
        """
        async with asyncio.timeout(ZYGOTE_START):
            heard = await asyncio.get_running_loop().sock_recv(self.control, 16)
        if heard != b"ready\n":
            self.popen.wait()
            raise OSError(f"the interpreter could not load operator_lib:\n{self.log.read_text()[-2000:]}")

    def fork(self, spec_path: Path) -> socket.socket:
        """Ask for one process; the socket to its shim.

        Raises:
            BlockingIOError: it has too many requests waiting.
            OSError: it is gone.
        """
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.control, [str(spec_path).encode() + b"\n"], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def close(self) -> None:
        self.control.close()
        try:
            self.popen.wait(2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
