"""The process of one worker of a node: loads one handler, and answers batch after batch."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import NoReturn

import cloudpickle

from operator_lib.engine import record
from operator_lib.frontends.torchserve.handler import Handler, Order
from operator_lib.frontends.torchserve.modules import Alone
from operator_lib.wire import failure


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
        with Connection(channel) as connection, contextlib.suppress(EOFError, BrokenPipeError):
            _answer_all(connection)
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


def _answer_all(connection: Connection) -> None:
    order: Order = pickle.loads(connection.recv_bytes())
    told: list[tuple[str, str, float]] = []
    modules = Alone(order.code.bundle.folder)
    try:
        handler = Handler(order, modules, lambda *metric: told.append(metric))
    except Exception as problem:
        connection.send_bytes(_failed(problem))
        return
    connection.send_bytes(b"")
    modules.by_value()
    while True:
        asked, path, call = pickle.loads(connection.recv_bytes())
        record.process_frame = Line(path, call)  # type: ignore[assignment]  # all that is looked at
        told.clear()
        try:
            # Bytes need no description of classes that only this process has.
            dumps = pickle.dumps if asked.wanted else cloudpickle.dumps
            answer = dumps((True, handler.answer(asked), told), pickle.HIGHEST_PROTOCOL)
        except Exception as problem:
            answer = _failed(problem)
        connection.send_bytes(answer)


def _failed(problem: Exception) -> bytes:
    return pickle.dumps((False, failure.encode_failure(problem), []))
