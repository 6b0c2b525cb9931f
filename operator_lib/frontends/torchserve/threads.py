"""A worker that is a thread of this process: where a workflow is called without a server around it."""

from __future__ import annotations

import contextvars
import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Waited

from operator_lib.frontends.torchserve.handler import Answered, Asked, Handler, Order
from operator_lib.frontends.torchserve.modules import Modules
from operator_lib.frontends.torchserve.problems import HandlerError
from operator_lib.frontends.torchserve.worker import Late, not_loaded

Outcome = Future[list[Answered] | Exception]
Task = tuple[Order | Asked, contextvars.Context, Outcome]


class ThreadWorker:
    """Loads the handler and calls it, always in the same thread. One that is late goes on until the handler returns."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._outcome: Outcome | None = None
        name = f"{order.label.replace('__', '-')}-{order.number}"
        self.thread = threading.Thread(target=_work, args=(self.tasks,), name=name, daemon=True)

    def load(self, seconds: float) -> None:
        self.thread.start()
        outcome: Outcome = Future()
        self.tasks.put((self.order, contextvars.copy_context(), outcome))
        try:
            problem = outcome.result(seconds)
        except Waited:
            raise not_loaded(seconds) from None
        if isinstance(problem, Exception):
            raise problem

    def ask(self, asked: Asked, seconds: float) -> list[Answered] | Exception:
        self._outcome = Future()
        self.tasks.put((asked, contextvars.copy_context(), self._outcome))
        return self.wait(seconds)

    def wait(self, seconds: float) -> list[Answered] | Exception:
        assert self._outcome is not None, "it has been asked"
        try:
            found = self._outcome.result(max(0.0, seconds))
        except Waited:
            raise Late from None
        self._outcome = None  # what is in it may hold what waits for this worker to be ended
        return found

    def end(self) -> None:
        self.tasks.put(None)


def _work(tasks: queue.SimpleQueue[Task | None]) -> None:
    """Holds nothing of what is asked between two tasks: that may be what waits for this thread to be ended."""
    handler: Handler | None = None
    while (task := tasks.get()) is not None:
        asked, around, outcome = task
        try:
            if isinstance(asked, Order):
                handler = Handler(asked, Modules(asked.code.bundle.folder))
                outcome.set_result([])
            elif handler is not None:
                outcome.set_result(around.run(handler.answer, asked))
        except Exception as problem:
            outcome.set_result(problem)
        except BaseException as problem:  # SystemExit of a handler is its failure, not ours
            outcome.set_result(HandlerError(f"it raised {type(problem).__name__}: {problem}"))
        del task, asked, around, outcome
