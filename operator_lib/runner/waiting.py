"""A process that will run the user's code, and waits to be told what: forking takes longer than telling."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import socket
import sys

from operator_lib.engine.process import ProcessSpec
from operator_lib.runner import leftovers

# Bytes that the process may be ahead with its story.
STORY = 1 << 20


class Waiting:
    """A fork of this process: its pid, and our ends of its pipes."""

    def __init__(self, *ours: socket.socket) -> None:
        """`ours`: sockets of this process that are not for the fork."""
        out, err, story, order = (os.pipe() for _ in range(4))
        if sys.platform == "linux":  # so that a burst of events does not hold up the user's code
            with contextlib.suppress(OSError):
                fcntl.fcntl(story[1], fcntl.F_SETPIPE_SZ, STORY)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            leftovers.die_with_parent()
            for fd in (out[0], err[0], story[0], order[1]):
                os.close(fd)
            for channel in ours:
                channel.close()
            from operator_lib.runner import child

            child.wait(order[0], out[1], err[1], story[1])
        for fd in (out[1], err[1], story[1], order[0]):
            os.close(fd)
        self.out, self.err, self.story = out[0], err[0], story[0]
        self._order = order[1]

    def waits(self) -> bool:
        """Whether it is still there; asked by its parent, before it is told anything."""
        return os.waitpid(self.pid, os.WNOHANG)[0] == 0

    def begin(self, spec: ProcessSpec) -> None:
        """Tell it what to run."""
        with contextlib.suppress(BrokenPipeError), open(self._order, "wb") as pipe:  # it has died, as will be noticed
            pickle.dump(spec, pipe)


def told(order: int) -> ProcessSpec | None:
    """In the fork: what to run; None if the other end went away without a word."""
    with open(order, "rb") as pipe:
        data = pipe.read()
    return pickle.loads(data) if data else None
