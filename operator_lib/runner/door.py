"""The port of a replica for its sockets: who shows the token is passed on to what he has come for."""

from __future__ import annotations

import contextlib
import hmac
import socket
import threading
import time
from collections.abc import Callable, Mapping

from operator_lib.engine.process import ProcessSpec
from operator_lib.wire import stream

# Seconds for the greeting.
GREETING = 10.0
# Connections that may wait to be accepted.
BACKLOG = 1024

# Serves a connection for as long as it lasts, in a thread of its own. It gets the number of the session, too.
Serve = Callable[[socket.socket, int], None]


class Door:
    """Listens from the start on; `open` lets in. `serve` has what answers, by the kinds of protos/line.proto."""

    def __init__(self, spec: ProcessSpec, serve: Mapping[str, Serve]) -> None:
        self._token = spec.token.encode()
        self._tls = spec.tls
        self._serve = serve
        family = socket.AF_INET6 if ":" in spec.host else socket.AF_INET
        self._listener = socket.create_server((spec.host, 0), family=family, backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]

    def open(self) -> None:
        """Accept connections from now on."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:  # out of descriptors, or whoever connected has gone
                time.sleep(0.1)
                continue
            threading.Thread(target=self._greet, args=(accepted,), name="session", daemon=True).start()

    def _greet(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):
            stream.prepare(accepted)
            if self._tls:
                from operator_lib.wire import tls

                accepted = tls.secured(accepted, tls.server_context(self._tls), server=True)
            with accepted:
                accepted.settimeout(GREETING)
                try:
                    kind, session, token = stream.greeted(accepted)
                except ValueError:
                    return
                if kind in self._serve and hmac.compare_digest(token, self._token):
                    accepted.settimeout(None)
                    self._serve[kind](accepted, session)
