"""What programs around a server share: started in a process of its own, on a free port, ended with all that it started.

Answers the line ``port`` with the port on which it listens, and ``start`` with the seconds from starting another one to
its first answer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from http.client import HTTPConnection, HTTPException

# Seconds in which a server answers for the first time.
PATIENCE = 90.0
# Seconds in which it ends.
FAREWELL = 10.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def answers(port: int, path: str, body: str) -> bool:
    """Whether a request is answered with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def server(path: str, body: str) -> Generator[int]:
    """The program itself with ``serve PORT``, from its first answer on; its port."""
    port = free_port()
    # In a session of its own: its processes outlive a SIGTERM, and are ended together.
    process = subprocess.Popen([sys.executable, sys.argv[0], "serve", str(port)], start_new_session=True)
    end = time.monotonic() + PATIENCE
    try:
        while not answers(port, path, body):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server did not start")
            time.sleep(0.005)
        yield port
    finally:
        process.terminate()  # some have processes in sessions of their own, which they alone know
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(FAREWELL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main(path: str, body: str) -> None:
    """Serve what is asked for on stdin."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `server`: nothing that was started is left
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the server prints is no answer
    with server(path, body) as port:
        for line in sys.stdin:
            if line.strip() == "start":
                begun = time.perf_counter()
                with server(path, body):
                    taken = time.perf_counter() - begun
                print(taken, file=out, flush=True)
            else:
                print(float(port), file=out, flush=True)
