"""The process of one worker of a node: loads one handler, and answers batch after batch."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
import traceback
from typing import NoReturn

import cloudpickle

from operator_lib.engine import record
from operator_lib.frontends.torchserve import failures
from operator_lib.frontends.torchserve.channel import Channel
from operator_lib.frontends.torchserve.handler import Asked, Handler, Order
from operator_lib.frontends.torchserve.modules import Alone


class Line:
    """What a line that is printed belongs to: the call that is being answered."""

    def __init__(self, path: str, call: int) -> None:
        self.path = path
        self.call = call


def serve(channel: int) -> NoReturn:
    """Over a socket: an `Order` comes, then batches with what they belong to; until it is closed."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        connected = Channel(socket.socket(fileno=channel))  # closed by the end of the process: that is how it is told
        with contextlib.suppress(EOFError, ConnectionError):
            _answer_all(connected)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            for stream in (sys.stdout, sys.stderr):
                stream.finish() if hasattr(stream, "finish") else stream.flush()  # type: ignore[attr-defined]
        os._exit(code)


def _answer_all(channel: Channel) -> None:
    order: Order = pickle.loads(channel.receive())
    told: list[tuple[str, str, float]] = []
    modules = Alone(order.code.bundle.folder)
    try:
        handler = Handler(order, modules, lambda *metric: told.append(metric))
    except Exception as problem:
        channel.send(_failed(problem, modules))
        return
    channel.send(b"")
    modules.by_value()
    while True:
        rows, headers, wanted, path, call = pickle.loads(channel.receive())
        record.process_frame = Line(path, call)  # type: ignore[assignment]  # all that is looked at
        told.clear()
        try:
            # Bytes need no description of classes that only this process has.
            dumps = pickle.dumps if wanted else cloudpickle.dumps
            answer = dumps((True, handler.answer(Asked(rows, headers, wanted)), told), pickle.HIGHEST_PROTOCOL)
        except Exception as problem:
            answer = _failed(problem, modules)
        channel.send(answer)


def _failed(problem: Exception, modules: Alone) -> bytes:
    return pickle.dumps((False, failures.told(problem, modules.names), []))
