"""The small parent of one process of the user's code: leash, log, clock, and the broom at the end.

It is a fork of the zygote with a session of its own. It forks the child that runs the user's code, and both wait until
they are told what that is. It turns what the child prints into events on disk, kills it when the time is up or the
worker is gone, and lets nothing outlive it: stray descendants are re-parented to it (Linux) and killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import time
from dataclasses import asdict
from typing import NoReturn

from operator_lib.engine import blame
from operator_lib.engine.clock import Overdue, Watch
from operator_lib.engine.journal import Journal
from operator_lib.engine.masking import Mask
from operator_lib.engine.process import CLOCK, Exit, ProcessSpec
from operator_lib.executors import groups
from operator_lib.runner import handed, leftovers
from operator_lib.runner.guard import Guard, Limit
from operator_lib.runner.waiting import Waiting

# How long output of a process that has ended is waited for, in seconds: a stray descendant may hold the pipe.
DRAIN = 0.5
# Seconds between looks at the clocks of the calls that are going on.
LOOK = 0.1


def wait(orders: socket.socket) -> NoReturn:
    """Be a shim, once its order comes: the path of a spec, with the socket to report to. Never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        leftovers.adopt_orphans()
        child = Waiting(orders)
        spec_path, channels, _, _ = socket.recv_fds(orders, 8192, 1)
        if channels:  # else it is not needed
            if not child.waits():
                child = Waiting(orders)
            channel = socket.socket(fileno=channels[0])
            Shim(handed.complete(ProcessSpec.read(spec_path.decode()), channel), channel, child).work()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(70)
    os._exit(0)


class Shim:
    """The state of one shim."""

    def __init__(self, spec: ProcessSpec, channel: socket.socket, child: Waiting) -> None:
        child.begin(spec)
        self.spec = spec
        self.channel = channel
        self.child = child.pid
        self.pipes = {child.out: "stdout", child.err: "stderr", child.story: ""}
        self.journal = Journal(spec.events, mask=Mask(spec.secrets) if spec.secrets else None)
        self.stopped = ""
        self.kill_at: float | None = None
        self.started = time.monotonic()
        # Until the first call with a limit has begun, everything together has the run's own.
        self.deadline = self.started + spec.timeout if spec.timeout else None
        # Where there are several workers: when this one counts as gone, unless it is heard of before.
        self.lapse: float | None = None
        self.watch: Watch | None = None
        self.overdue: Overdue | None = None
        self.guard = Guard(spec)
        self.exceeded: Limit | None = None
        self.status: int | None = None
        self.usage: resource.struct_rusage | None = None
        self.selector = selectors.DefaultSelector()
        self.heard = b""

    def work(self) -> None:
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write, *self.pipes):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for fd in self.pipes:
            self.selector.register(fd, selectors.EVENT_READ, lambda fd=fd: self.on_pipe(fd))
        self.tell({"started": self.child})
        self.selector.register(self.channel, selectors.EVENT_READ, self.on_channel)
        self.selector.register(wake_read, selectors.EVENT_READ, lambda: os.read(wake_read, 4096))
        self.reap()  # it may have ended before anybody listened
        while self.status is None:
            self.step()
        leftovers.sweep(self.child)
        self.account()
        self.drain()
        self.finish()

    def step(self) -> None:
        """Wait for something to happen, and deal with it."""
        due = self.guard.due if self.exceeded is None else None
        moments = [m for m in (self.deadline, self.kill_at, self.lapse, due) if m is not None]
        timeout = max(0.0, min(moments) - time.monotonic()) if moments else None
        if self.watch is not None:
            timeout = min(timeout, LOOK) if timeout is not None else LOOK
        for key, _ in self.selector.select(timeout):
            key.data()
        self.report()
        self.reap()
        self.look()
        now = time.monotonic()
        if self.status is None and self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.stop("timeout", grace=0)
        if self.lapse is not None and now >= self.lapse:  # it is frozen or cut off, and another may do this anew
            self.lapse = None
            self.stop("worker", grace=0)
        if self.status is None and self.kill_at is not None and now >= self.kill_at:
            self.kill_at = now + 1.0  # again, should it not be enough
            leftovers.kill_tree(self.child)

    def look(self) -> None:
        """Kill the process when one of its calls takes too long, or it uses more than it may."""
        if self.status is not None or self.exceeded is not None:
            return
        self.exceeded = self.guard.look()
        if self.exceeded is not None:
            self.stop(self.exceeded.name, grace=0)
        elif self.watch is not None and not self.stopped:
            self.overdue = self.watch.overdue()
            if self.overdue is not None:
                self.stop("timeout", grace=0)

    def reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child:
                self.status, self.usage = status, usage

    # --- from the child ------------------------------------------------------------------------------------------

    def on_pipe(self, fd: int) -> bool:
        """Read what is there; False at the end."""
        try:
            data = os.read(fd, 1 << 18)
        except BlockingIOError:
            return True
        stream = self.pipes[fd]
        if not data:
            self.selector.unregister(fd)
            os.close(fd)
            del self.pipes[fd]
        if stream:
            self.journal.raw(stream, data)
        else:
            for message in self.journal.story(data):
                if "timed" in message:
                    self.deadline, self.watch = None, Watch(os.path.join(self.spec.folder, CLOCK))
                else:
                    self.tell(message)
        return bool(data)

    def drain(self) -> None:
        end = time.monotonic() + DRAIN
        with contextlib.suppress(KeyError):
            self.selector.unregister(self.channel)
        while self.pipes and time.monotonic() < end:
            for key, _ in self.selector.select(0.05):
                key.data()
            self.reap()

    def report(self) -> None:
        seq = self.journal.flush()
        if seq:  # a hint: a worker that does not listen (frozen) does not hold up the run
            with contextlib.suppress(OSError):
                self.channel.send(json.dumps({"events": seq}).encode() + b"\n")

    # --- from and to the worker ----------------------------------------------------------------------------------

    def on_channel(self) -> None:
        try:
            data = self.channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the worker is gone: so is everything here
            self.selector.unregister(self.channel)
            self.stop("worker", grace=0)
            return
        *lines, self.heard = (self.heard + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "lease" in order:
                self.lapse = time.monotonic() + order["lease"]
            else:
                self.stop(order["stop"], grace=order.get("grace", 0))

    def stop(self, cause: str, grace: float) -> None:
        self.stopped = self.stopped or cause
        now = time.monotonic()
        if grace > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGTERM)
            self.kill_at = min(self.kill_at or now + grace, now + grace)
        else:
            self.kill_at = now + 1.0
            leftovers.kill_tree(self.child)

    def tell(self, message: dict[str, object]) -> None:
        with contextlib.suppress(OSError):
            self.channel.setblocking(True)
            self.channel.sendall(json.dumps(message).encode() + b"\n")
        self.channel.setblocking(False)

    def account(self) -> None:
        """Whether the kernel has killed it for its memory; then its groups are of no more use."""
        if not self.stopped and self.status is not None and os.WIFSIGNALED(self.status):
            self.exceeded = self.guard.kept()
            self.stopped = self.exceeded.name if self.exceeded else ""
        self.let_go()

    def let_go(self) -> None:
        """Its groups are empty."""
        for folder in self.spec.groups:
            groups.remove(folder)

    def finish(self) -> None:
        self.journal.end()
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        peak = self.usage.ru_maxrss if self.usage else 0
        ended = Exit(
            code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            stopped=self.stopped,
            peak_rss=peak // 1024 if sys.platform == "darwin" else peak,
            elapsed=self.overdue.elapsed if self.overdue else time.monotonic() - self.started,
            last_seq=self.journal.seq,
            overdue=self.overdue.call if self.overdue else "",
            limit=self.overdue.limit if self.overdue else self.spec.timeout or 0.0,
            blamed=self.overdue is not None and blame.note(self.spec, self.overdue),
            allowed=self.exceeded.allowed if self.exceeded else 0,
            mark=self.overdue.mark.hex() if self.overdue else "",
        )
        self.tell({"exit": asdict(ended)})
        if self.stopped == "worker" and self.spec.directory:  # nobody comes back to clear this up
            shutil.rmtree(os.path.dirname(self.spec.folder), ignore_errors=True)
