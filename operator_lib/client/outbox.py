"""What is on its way to a replica. Whoever has something to say sends it himself: nothing is handed to another thread.
What the connection does not take at once is sent by a thread of its own.
"""

from __future__ import annotations

import socket
import threading

from operator_lib.wire import stream
from operator_lib.wire.frames import Buffer

# How often a caller sends what others have said meanwhile, before he leaves that to the thread.
TURNS = 4
# So many callers are a crowd.
CROWD = 4
# Messages up to so many bytes together are joined: copying them takes less time than a system call with many buffers.
JOINED = 1 << 18


class Outbox:
    """Messages leave in the order in which they were put in."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._lock = threading.Lock()
        self._waiting: list[Buffer] = []
        self._sending = False  # somebody does
        self._thread: threading.Thread | None = None
        self._left = threading.Semaphore(0)  # times that the thread is to send what waits
        self._closed = False

    def put(self, message: list[Buffer]) -> bool:
        """Have it leave after what is there; whether it is for the caller to `send` now."""
        with self._lock:
            self._waiting += message
            mine, self._sending = not self._sending, True
        return mine

    def send(self, crowd: int = 0) -> None:
        """Send what waits, soon. A connection that is lost is for its reader to notice.

        Args:
            crowd: how many others are waiting for answers. Where there are several the thread sends what they say in
                one go: each system call of theirs would cost all of them Python's lock.
        """
        if crowd >= CROWD:
            self._leave()
            return
        for _ in range(TURNS):
            if not self._send(socket.MSG_DONTWAIT):
                return
        self._leave()

    def close(self) -> None:
        """Nothing will be sent any more."""
        self._closed = True
        self._left.release()

    def _send(self, flags: int) -> bool:
        """Send what waits; False when nothing did, and nobody is sending any more."""
        with self._lock:
            going, self._waiting = self._waiting, []
            self._sending = bool(going)
        if not going:
            return False
        if len(going) > 1 and sum(map(len, going)) <= JOINED:
            going = [b"".join(going)]
        try:
            left = stream.send(self._socket, going, flags)
        except OSError:
            return True
        if left:
            with self._lock:
                self._waiting[:0] = left
        return True

    def _leave(self) -> None:
        """Have the thread send the rest."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
            self._thread.start()
        self._left.release()

    def _work(self) -> None:
        while not self._closed:
            self._left.acquire()
            while self._send(0):
                pass
