"""``python -m benchmarks.http_load``: the same request again and again from many connections, one thread, no library.

What it spends on a request is little, so that it does not measure itself. Answers whether each was a 200 and whole.
"""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What one length of it found."""

    per_second: float
    p50: float
    """Microseconds."""
    p99: float


def load(port: int, path: str, body: str, *, callers: int, length: float, token: str = "") -> Load:
    """Send it for `length` seconds from a process of its own.

    Raises:
        RuntimeError: a request was not answered with 200.
    """
    command = [sys.executable, "-m", "benchmarks.http_load", str(port), path, body, str(callers), str(length), token]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the load on {path} failed: {done.stderr.strip()[-500:]}")
    return Load(**json.loads(done.stdout))


class _Caller:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""
        self.sent = 0.0

    def send(self, request: bytes) -> None:
        self.heard, self.sent = b"", time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Whether the answer is whole. Raises RuntimeError when it is no good one."""
        more = self.socket.recv(1 << 16)
        self.heard += more
        end = self.heard.find(b"\r\n\r\n")
        if not more or (end > 0 and not self.heard.startswith(b"HTTP/1.1 200")):
            raise RuntimeError(f"answered {self.heard[:300]!r}")
        if end < 0:
            return False
        head = self.heard[:end].lower() + b"\r\n"
        start = head.index(b"content-length:") + 15
        return len(self.heard) >= end + 4 + int(head[start : head.index(b"\r\n", start)])


def main(port: int, path: str, body: str, callers: int, length: float, token: str) -> Load:
    """Do it here."""
    lines = [
        f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json",
        f"Content-Length: {len(body)}", *([f"Authorization: Bearer {token}"] if token else []), "", body,
    ]  # fmt: skip
    request = "\r\n".join(lines).encode()
    all_of_them = [_Caller(port) for _ in range(callers)]
    selector = selectors.DefaultSelector()
    taken: list[float] = []
    begun = time.perf_counter()
    for each in all_of_them:
        selector.register(each.socket, selectors.EVENT_READ, each)
        each.send(request)
    while (now := time.perf_counter()) < begun + length:
        for key, _ in selector.select(1.0):
            each: _Caller = key.data
            if each.answered():
                taken.append(time.perf_counter() - each.sent)
                each.send(request)
    taken.sort()
    return Load(len(taken) / (now - begun), 1e6 * statistics.median(taken), 1e6 * taken[int(0.99 * len(taken))])


if __name__ == "__main__":
    port, path, body, callers, length, token = sys.argv[1:]
    found = main(int(port), path, body, int(callers), float(length), token)
    print(json.dumps({"per_second": found.per_second, "p50": found.p50, "p99": found.p99}))
