"""What a process gets over its socket because it must not lie on the disk: the values of its secrets."""

from __future__ import annotations

import json
import socket
from dataclasses import replace

from operator_lib.engine.process import ProcessSpec


def complete(spec: ProcessSpec, channel: socket.socket) -> ProcessSpec:
    """The spec with the secrets that the worker sends first. What follows them stays in the socket.

    Raises:
        EOFError: the worker went away before it had sent them.
    """
    if not spec.secrets:
        return spec
    heard = bytearray()
    while not heard.endswith(b"\n"):
        there = channel.recv(1 << 16, socket.MSG_PEEK)
        if not there:
            raise EOFError("the worker is gone")
        end = there.find(b"\n")
        heard += channel.recv(len(there) if end < 0 else end + 1)
    return replace(spec, secrets=json.loads(heard))
