"""``python -m benchmarks.http_load``: the same request again and again from many connections, one thread, no library.

What it spends on a request is little, so that it does not measure itself. Answers whether each was a 200 and whole.
"""

from __future__ import annotations

import gc
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


def load(
    port: int, path: str, body: str, *, callers: int, length: float = 0.0, calls: int = 0, rate: float = 0.0,
    token: str = ""
) -> Load:  # fmt: skip
    """Send it from a process of its own.

    Args:
        length: for so many seconds; or
        calls: so many times.
        rate: so many a second, at even distances: the time of a call is counted from when it was due. 0: as many as
            are answered.

    Raises:
        RuntimeError: a request was not answered with 200.
    """
    asked = map(str, (port, path, body, callers, length, calls, rate, token))
    command = [sys.executable, "-m", "benchmarks.http_load", *asked]
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
        if b"transfer-encoding: chunked" in head:
            return self.heard.endswith(b"\r\n0\r\n\r\n")
        start = head.index(b"content-length:") + 15
        return len(self.heard) >= end + 4 + int(head[start : head.index(b"\r\n", start)])


def main(
    port: int, path: str, body: str, callers: int, length: float, calls: int, rate: float, token: str
) -> Load:  # fmt: skip
    """Do it here."""
    gc.disable()  # its own pauses are not to be found in the figures
    lines = [
        f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json",
        f"Content-Length: {len(body)}", *([f"Authorization: Bearer {token}"] if token else []), "", body,
    ]  # fmt: skip
    request = "\r\n".join(lines).encode()
    all_of_them = [_Caller(port) for _ in range(callers)]
    # epoll counts whole milliseconds: requests would leave in clusters, and late.
    selector = selectors.SelectSelector() if rate else selectors.DefaultSelector()
    taken: list[float] = []
    begun = time.perf_counter()
    free: list[_Caller] = []
    for each in all_of_them:
        selector.register(each.socket, selectors.EVENT_READ, each)
        if rate:
            free.append(each)
        else:
            each.send(request)
    sent = 0
    while (now := time.perf_counter()) < begun + length or len(taken) < max(calls, 1):
        due = begun + sent / rate if rate else now + 1.0
        while rate and free and due <= now:
            each = free.pop()
            each.send(request)
            each.sent, sent = due, sent + 1
            due = begun + sent / rate
        for key, _ in selector.select(max(0.0, due - now) if free else 1.0):
            each: _Caller = key.data
            if each.answered():
                taken.append(time.perf_counter() - each.sent)
                if rate:
                    free.append(each)
                else:
                    each.send(request)
    taken.sort()
    return Load(len(taken) / (now - begun), 1e6 * statistics.median(taken), 1e6 * taken[int(0.99 * len(taken))])


if __name__ == "__main__":
    port, path, body, callers, length, calls, rate, token = sys.argv[1:]
    found = main(int(port), path, body, int(callers), float(length), int(calls), float(rate), token)
    print(json.dumps({"per_second": found.per_second, "p50": found.p50, "p99": found.p99}))
