"""The process that runs the user's code: its surroundings, then a run or a replica."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import itertools
import os
import resource
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import cloudpickle

from operator_lib import tree
from operator_lib.engine.masking import Mask
from operator_lib.engine.process import ProcessSpec
from operator_lib.executors import groups
from operator_lib.package import entry
from operator_lib.runner import apart, leftovers
from operator_lib.runner.stdio import NodeStream, Story
from operator_lib.runner.waiting import told
from operator_lib.wire import failure


def wait(order: int, out: int, err: int, story_fd: int) -> NoReturn:
    """Be the child, once it is told what to run: never returns."""
    code = 70
    try:
        settle(out, err)
        spec = told(order)
        if spec is None:
            os._exit(0)
        surround(spec)
        story = Story(story_fd)
        mask = failure.mask = Mask(spec.secrets) if spec.secrets else None
        streams = NodeStream("stdout", story, 1, mask), NodeStream("stderr", story, 2, mask)
        sys.stdout, sys.stderr = streams
        sys.__stdout__, sys.__stderr__ = streams
        from operator_lib.runner import job, part, replica

        code = {"run": job.run, "replica": replica.run, "part": part.run, "check": job.check}[spec.kind](spec, story)
        leave()
        for stream in streams:
            stream.finish()
    except BaseException:
        with contextlib.suppress(BaseException):
            import traceback

            os.write(2, traceback.format_exc().encode())
    os._exit(code)


def settle(out: int, err: int) -> None:
    """What is the same for all: a process group, standard streams, signals."""
    os.setpgid(0, 0)
    leftovers.go_first()
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
        if source > 2:
            os.close(source)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler if name == signal.SIGINT else signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable(file=2)


def surround(spec: ProcessSpec) -> None:
    """Limits, current directory, environment, temporary folder, import path."""
    groups.enter(spec.groups)
    if spec.cores:
        os.sched_setaffinity(0, spec.cores)
    if not spec.directory:
        os.umask(0o077)
    folder = Path(spec.folder)
    os.environ.clear()
    os.environ.update(spec.env)
    named = (*spec.resources.get("secrets", ()), *spec.variables)
    os.environ.update({name: value for name, value in spec.secrets.items() if name in named})
    os.environ["TMPDIR"] = str(folder / "tmp")
    os.environ["OPERATOR_LIB_RUN"] = spec.id
    tempfile.tempdir = None
    os.chdir(spec.directory or folder / "work")
    sys.path[:] = spec.paths or (spec.source, *sys.path)
    sys.argv = [spec.name]
    sys.modules["__main__"] = types.ModuleType("__main__")


def unpack(spec: ProcessSpec) -> Any:
    """The user's operator, as it was when it was sent here."""
    packed = Path(spec.entry).read_bytes()
    return cloudpickle.loads(packed) if spec.directory else entry.unpack(packed, spec.source)


def load(spec: ProcessSpec, story: Story, number: Callable[[], int] | None = None) -> Any:
    """The user's operator, ready: constructed, and ``__remote_init__`` called over what of its tree lives here."""
    op = unpack(spec)
    if tree.is_operator(op):
        apart.prepare(op, spec, story, number or itertools.count(1).__next__)
    return op


def leave() -> None:
    """What an interpreter does at its end: wait for the user's threads, run the user's exit handlers."""
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
