"""The workers of one node: threads of this process, each with a handler of its own, that work off requests in batches.

A request waits for a worker, a worker for up to ``batch-size`` requests, and no longer than ``max-batch-delay`` after
the first. ``timeout-ms`` counts from the request's arrival, but not before a first worker is loaded. A handler that
does not come back loses its place: the next request has a new worker.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from typing import Any

from operator_lib.errors import OperatorTimeout
from operator_lib.frontends.torchserve.context import HandlerContext, Reply
from operator_lib.frontends.torchserve.load import Code, Handle, gpu, load
from operator_lib.frontends.torchserve.modules import Modules
from operator_lib.frontends.torchserve.problems import HandlerError
from operator_lib.frontends.torchserve.specification import Settings
from operator_lib.frontends.torchserve.values import to_bytes

log = logging.getLogger("operator_lib.torchserve")

Row = dict[str, Any]


@dataclass(slots=True)
class Job:
    """One request to one node.

    Attributes:
        row: what the handler gets, as Python values.
        handed_over: whether other nodes made them; the input of the workflow is never turned into bytes.
        as_bytes: the one who asks wants handlers to be handed bytes.
        done: the answer, and what the handler said with it.
    """

    row: Row
    handed_over: bool
    headers: Mapping[str, Any]
    as_bytes: bool = False
    done: Future[tuple[Any, Reply]] = field(default_factory=Future[tuple[Any, Reply]])
    around: contextvars.Context = field(default_factory=contextvars.copy_context)

    def given(self, as_bytes: bool) -> Row:
        if not (as_bytes or self.as_bytes) or not self.handed_over:
            return dict(self.row)
        return {name: bytearray(to_bytes(value, name)) for name, value in self.row.items()}


class Workers:
    """Of one node, in one process."""

    def __init__(self, name: str, node: str, code: Code, settings: Settings, as_bytes: bool | None) -> None:
        """`name`: of the workflow, if any. `as_bytes` None: values, until the handler turns out to need bytes."""
        self.name = name or node
        self.label = f"{name}__{node}" if name else node
        self.node = node
        self.code = code
        self.settings = settings
        self.process = os.getpid()
        self.may_ask_for_bytes = as_bytes is None
        self.as_bytes = bool(as_bytes)
        self.waiting: deque[Job] = deque()
        self.workers: list[Worker] = []
        self.idle = 0
        self.closed = False
        self.failure: BaseException | None = None
        self.changed = threading.Condition()

    def call(self, job: Job) -> tuple[Any, Reply]:
        """The answer to one request.

        Raises:
            OperatorTimeout: there was none in time. What the handler raised.
        """
        self.start()
        limit = self.settings.timeout_ms / 1000
        with self.changed:
            self.waiting.append(job)
            if len(self.waiting) > self.idle:
                self._more()
            self.changed.notify()
        try:
            return job.done.result(limit)
        except Late as problem:
            if job.done.done():  # the handler's own TimeoutError
                raise
            if not job.done.cancel():
                self._give_up(job)
            raise OperatorTimeout(f"{self.node} gave no answer in {limit:g} s (timeout-ms)") from problem

    def start(self) -> None:
        """Have the least number of workers; returns when one of them can answer.

        Raises:
            Whatever kept the handler from being loaded.
        """
        with self.changed:
            self.failure = None
            while len(self.workers) < self.settings.min_workers:
                self._add()
            self.changed.wait_for(lambda: self.failure or any(worker.loaded for worker in self.workers))
            if self.failure is not None:
                raise self.failure

    def scale(self, settings: Settings) -> None:
        """Other numbers from now on; workers that are too many end when they are idle."""
        with self.changed:
            self.settings = settings
            self.changed.notify_all()

    def close(self) -> None:
        """Workers end when they have answered."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _more(self) -> None:
        if len(self.workers) < self.settings.max_workers:
            self._add()

    def _add(self) -> None:
        taken = {worker.number for worker in self.workers}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        worker = Worker(self, number)
        self.workers.append(worker)
        worker.start()

    def _give_up(self, job: Job) -> None:
        """The worker that has this request is not counted any more; its thread cannot be stopped from outside."""
        with self.changed:
            for worker in self.workers:
                if job in worker.batch:
                    log.warning("%s: a worker of %s did not answer and is replaced", self.name, self.node)
                    self.workers.remove(worker)
                    break


class Worker(threading.Thread):
    """One handler, and the thread that calls it."""

    def __init__(self, pool: Workers, number: int) -> None:
        super().__init__(name=f"{pool.name}-{pool.node}-{number}", daemon=True)
        self.pool = pool
        self.number = number
        self.loaded = False
        self.batch: list[Job] = []

    def run(self) -> None:
        pool = self.pool
        try:
            handle, context = load(pool.code, Modules(pool.code.bundle.folder), self._context)
        except BaseException as problem:
            problem.add_note(f"while loading {pool.code.handler} for node {pool.node} of {pool.name}")
            self._failed(problem)
            return
        with pool.changed:
            self.loaded = True
            pool.changed.notify_all()
        while self._take():
            try:
                self._work(self.batch, handle, context)
            finally:
                self.batch = []  # an error in it would keep alive what waits for this thread to be closed

    def _context(self) -> HandlerContext:
        pool, code = self.pool, self.pool.code
        size = pool.settings.batch_size
        return HandlerContext(pool.label, str(code.bundle.folder), code.manifest, size, gpu(self.number), code.config)

    def _failed(self, problem: BaseException) -> None:
        """There is no worker to be had: whoever waits for one is told, unless others are there."""
        pool = self.pool
        with pool.changed:
            if self in pool.workers:
                pool.workers.remove(self)
            if not any(worker.loaded for worker in pool.workers):
                pool.failure = problem
                while pool.waiting:
                    job = pool.waiting.popleft()
                    if job.done.set_running_or_notify_cancel():
                        job.done.set_exception(problem)
            pool.changed.notify_all()

    def _take(self) -> list[Job]:
        """The next batch; empty: this worker is not needed any more."""
        pool = self.pool
        with pool.changed:
            pool.idle += 1
            try:
                pool.changed.wait_for(lambda: pool.waiting or self._superfluous())
                if self._superfluous() and not (pool.closed and pool.waiting):
                    return self._leave()
                settings = pool.settings
                until = time.monotonic() + settings.max_batch_delay / 1000
                while len(pool.waiting) < settings.batch_size and settings.batch_size > 1 and not pool.closed:
                    left = until - time.monotonic()
                    if left <= 0 or not pool.changed.wait(left):
                        break
                while pool.waiting and len(self.batch) < settings.batch_size:
                    job = pool.waiting.popleft()
                    if job.done.set_running_or_notify_cancel():
                        self.batch.append(job)
            finally:
                pool.idle -= 1
        return self.batch or self._take()

    def _superfluous(self) -> bool:
        pool = self.pool
        return pool.closed or self not in pool.workers or len(pool.workers) > pool.settings.max_workers

    def _leave(self) -> list[Job]:
        if self in self.pool.workers:
            self.pool.workers.remove(self)
        self.pool.changed.notify_all()
        return []

    # --- one batch -----------------------------------------------------------------------------------------------

    def _work(self, batch: list[Job], handle: Handle, context: HandlerContext) -> None:
        try:
            answers = batch[0].around.run(self._answers, batch, handle, context)
        except BaseException as problem:
            if len(batch) > 1 and isinstance(problem, Exception):
                for job in batch:  # one bad request is not the others' fault
                    self._work([job], handle, context)
                return
            problem.add_note(f"in node {self.pool.node} of {self.pool.name}")
            for job in batch:
                job.done.set_exception(problem)
            return
        for job, answer, request in zip(batch, answers, context.request_processor, strict=True):
            job.done.set_result((answer, request.reply))

    def _answers(self, batch: list[Job], handle: Handle, context: HandlerContext) -> Sequence[Any]:
        """What the handler answers to the rows; asked once more, with bytes, when it cannot do with values."""
        pool = self.pool
        as_bytes = pool.as_bytes
        try:
            return self._ask(batch, as_bytes, handle, context)
        except (TypeError, AttributeError) as problem:
            if as_bytes or not pool.may_ask_for_bytes or not any(j.handed_over and not j.as_bytes for j in batch):
                raise
            try:
                answers = self._ask(batch, True, handle, context)
            except Exception:
                raise problem from None
            log.info("%s takes bytes (%s): it is handed bytes from now on", pool.node, problem)
            pool.as_bytes = True
            return answers

    def _ask(self, batch: list[Job], as_bytes: bool, handle: Handle, context: HandlerContext) -> Sequence[Any]:
        rows = [job.given(as_bytes) for job in batch]
        context.begin([job.headers for job in batch])
        answers = handle(rows, context)
        if not isinstance(answers, list | tuple):
            raise HandlerError(
                f"{self.pool.node} answered {type(answers).__name__}; a handler answers a list with one item for each "
                f"of its {len(rows)} rows"
            )
        if len(answers) != len(rows):
            raise HandlerError(
                f"{self.pool.node} answered {len(answers)} items for {len(rows)} rows; one for each is due"
            )
        return answers
