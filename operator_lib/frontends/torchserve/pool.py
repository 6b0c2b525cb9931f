"""The workers of one node, and the calls that wait for them.

A call that gets a worker takes others along, up to ``batch-size`` and for no longer than ``max-batch-delay``, asks the
worker for all of them, and hands it to the next that waits: there is no thread in between. ``timeout-ms`` counts from
the call's arrival, but not before a first worker is loaded. A worker that does not answer in time, or dies, is
replaced; calls that were in its batch through no fault of theirs are tried again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from operator_lib.errors import OperatorTimeout, WorkerDied
from operator_lib.frontends.torchserve.handler import Answered, Asked, Row, Wanted
from operator_lib.frontends.torchserve.specification import Settings
from operator_lib.frontends.torchserve.values import to_bytes

log = logging.getLogger("operator_lib.torchserve")


class Late(Exception):
    """There was no answer in time."""


class Gone(Exception):
    """The worker ended before it answered; says how."""


class Worker(Protocol):
    """One handler, wherever it lives. Used by one call at a time."""

    def load(self) -> None:
        """Make it ready. Raises what the handler's code raises."""
        ...

    def ask(self, asked: Asked, seconds: float) -> list[Answered] | Exception:
        """What it answers, or what its code raised. Raises Late, Gone; it cannot be asked again then."""
        ...

    def end(self) -> None:
        """It is not needed any more, whatever it does."""
        ...


class Making(Protocol):
    """Makes workers."""

    def worker(self, number: int) -> Worker:
        """One that is not loaded yet."""
        ...


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Job:
    """One call.

    Attributes:
        row: what the handler gets, as Python values.
        handed_over: whether other nodes made them; the input of the workflow is never turned into bytes.
        wanted: how the answer is wanted; where as bytes, handlers are handed bytes too.
    """

    row: Row
    handed_over: bool
    headers: Mapping[str, Any]
    wanted: Wanted = ""
    arrived: float = 0.0
    turn: threading.Lock = field(default_factory=_held)
    """Let go when there is a worker for it, or an outcome."""
    worker: Worker | None = None
    alone: bool = False
    outcome: Answered | BaseException | None = None

    def joins(self, other: Job) -> bool:
        """Whether both may be in one batch."""
        return not self.alone and self.wanted == other.wanted

    def given(self, as_bytes: bool) -> Row:
        if not (as_bytes or self.wanted) or not self.handed_over:
            return self.row
        return {name: bytearray(to_bytes(value, name)) for name, value in self.row.items()}


class Pool:
    """Of one node, in one process."""

    def __init__(
        self,
        name: str,
        node: str,
        source: str,
        settings: Settings,
        making: Making,
        as_bytes: bool | None,
    ) -> None:
        """Makes no worker yet.

        Args:
            name: of the workflow.
            source: the handler's file, for messages.
            as_bytes: whether handlers are handed bytes; None: values, until this one turns out to need bytes.
        """
        self.name = name
        self.node = node
        self.source = source
        self.settings = settings
        self.making = making
        self.may_ask_for_bytes = as_bytes is None
        self.as_bytes = bool(as_bytes)
        self.process = os.getpid()
        self.waiting: deque[Job] = deque()
        self.workers: dict[int, Worker] = {}
        self.idle: list[Worker] = []
        self.ready = 0  # workers that are loaded
        self.gathering = False  # somebody waits for others to come along
        self.failure: BaseException | None = None
        self.changed = threading.Condition()
        weakref.finalize(self, _end, self.workers, self.process)

    # --- calls ---------------------------------------------------------------------------------------------------

    def call(self, job: Job) -> Answered:
        """The answer to one request.

        Raises:
            OperatorTimeout: there was none in time. WorkerDied. What the handler raised.
        """
        self.start()
        job.arrived = time.monotonic()
        due = job.arrived + self.settings.timeout_ms / 1000
        with self.changed:
            self.waiting.append(job)
            if self.gathering:
                self.changed.notify_all()
            self._dispatch()
        while job.outcome is None:
            if not job.turn.acquire(timeout=max(0.0, due - time.monotonic())):
                self._withdraw(job)
            elif job.worker is not None:
                self._lead(job, job.worker, due)
        if isinstance(job.outcome, BaseException):
            raise job.outcome
        return job.outcome

    def _withdraw(self, job: Job) -> None:
        """It has waited long enough, unless something has come of it in this moment."""
        with self.changed:
            if job.outcome is None and job.worker is None:
                if job in self.waiting:
                    self.waiting.remove(job)
                job.outcome = self._late()

    def _late(self) -> OperatorTimeout:
        limit = self.settings.timeout_ms / 1000
        problem = OperatorTimeout(f"{self.node} gave no answer in {limit:g} s (timeout-ms)")
        problem.add_note(f"in node {self.node} of {self.name}")
        return problem

    def _lead(self, job: Job, worker: Worker, due: float) -> None:
        """Ask the worker, for those as well that have come along."""
        job.worker = None
        batch = self._gather(job, due)
        try:
            found = self._ask(worker, batch, due)
        except Late:
            log.warning("%s: a worker of %s did not answer and is replaced", self.name, self.node)
            job.outcome = self._late()
            self._lost(worker, batch[1:])
            return
        except Gone as gone:
            log.warning("%s: a worker of %s has died (%s) and is replaced", self.name, self.node, gone)
            if len(batch) == 1:
                job.outcome = WorkerDied(f"the process of node {self.node} ended before it answered: {gone}")
                job.outcome.add_note(f"in node {self.node} of {self.name}")
            self._lost(worker, _alone(batch) if len(batch) > 1 else ())
            return
        except BaseException:  # an interrupt: the worker is still at it
            self._lost(worker, batch[1:])
            raise
        if isinstance(found, Exception) and len(batch) > 1:
            self._release(worker, _alone(batch))  # one bad request is not the others' fault
            return
        self._tell(job, batch, found)
        self._release(worker)

    def _tell(self, leader: Job, batch: list[Job], found: list[Answered] | Exception) -> None:
        if isinstance(found, Exception):
            found.add_note(f"in node {self.node} of {self.name}")
            leader.outcome = found
            return
        for job, answer in zip(batch, found, strict=True):
            job.outcome = answer
            if job is not leader:
                job.turn.release()

    def _gather(self, job: Job, due: float) -> list[Job]:
        settings, batch = self.settings, [job]
        if settings.batch_size == 1 or job.alone:
            return batch
        until = min(due, job.arrived + settings.max_batch_delay / 1000)
        with self.changed:
            while len(self.waiting) + 1 < settings.batch_size:
                left = until - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    break
            while self.waiting and len(batch) < settings.batch_size and self.waiting[0].joins(job):
                batch.append(self.waiting.popleft())
            self.gathering = False
            self._dispatch()
        return batch

    def _ask(self, worker: Worker, batch: list[Job], due: float) -> list[Answered] | Exception:
        """What comes of the batch; asked once more, with bytes, when the handler cannot do with values."""
        as_bytes = self.as_bytes
        found = self._asked(worker, batch, due, as_bytes)
        if (
            isinstance(found, TypeError | AttributeError)
            and self.may_ask_for_bytes
            and not as_bytes
            and any(job.handed_over and not job.wanted for job in batch)
        ):
            again = self._asked(worker, batch, due, True)
            if not isinstance(again, Exception):
                log.info("%s takes bytes (%s): it is handed bytes from now on", self.node, found)
                self.as_bytes = True
                return again
        return found

    def _asked(self, worker: Worker, batch: list[Job], due: float, as_bytes: bool) -> list[Answered] | Exception:
        try:
            rows = [job.given(as_bytes) for job in batch]
        except Exception as problem:  # a value that has no form as bytes
            return problem
        return worker.ask(Asked(rows, [job.headers for job in batch], batch[0].wanted), due - time.monotonic())

    # --- workers -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Have the least number of workers; returns when one of them can answer.

        Raises:
            Whatever kept the handler from being loaded.
        """
        if self.ready:
            return
        self.begin()
        with self.changed:
            self.changed.wait_for(lambda: self.failure or self.ready)
            if self.failure is not None and not self.ready:
                raise self.failure

    def begin(self) -> None:
        """Have the least number of workers loaded; does not wait for them."""
        with self.changed:
            self.failure = None
            self._fill()

    def _fill(self) -> None:
        while len(self.workers) < self.settings.min_workers:
            self._add()

    def _add(self) -> None:
        number = next(n for n in range(len(self.workers) + 1) if n not in self.workers)
        worker = self.workers[number] = self.making.worker(number)
        name = f"{self.name}-{self.node}-{number}-load"
        threading.Thread(target=self._load, args=(number, worker), name=name, daemon=True).start()

    def _load(self, number: int, worker: Worker) -> None:
        try:
            worker.load()
        except BaseException as problem:
            problem.add_note(f"while loading {self.source} for node {self.node} of {self.name}")
            self._failed(number, problem)
            return
        with self.changed:
            self.ready += 1
        self._release(worker)

    def _failed(self, number: int, problem: BaseException) -> None:
        """Whoever waits for a worker is told, unless there are others."""
        with self.changed:
            del self.workers[number]
            if not self.ready:
                self.failure = problem
                while self.waiting:
                    job = self.waiting.popleft()
                    job.outcome = problem
                    job.turn.release()
            self.changed.notify_all()

    def _release(self, worker: Worker, again: Sequence[Job] = ()) -> None:
        """It can be asked by others now; those of `again` first."""
        with self.changed:
            self.waiting.extendleft(reversed(again))
            self.idle.append(worker)
            self._dispatch()
            self.changed.notify_all()

    def _lost(self, worker: Worker, again: Sequence[Job]) -> None:
        worker.end()
        with self.changed:
            del self.workers[next(number for number, other in self.workers.items() if other is worker)]
            self.ready -= 1
            self.waiting.extendleft(reversed(again))
            self.failure = None
            self._fill()
            self._dispatch()

    def _dispatch(self) -> None:
        """Workers to those that wait; more workers, as far as that is allowed. Under the lock."""
        while self.waiting and self.idle and not self.gathering:
            job = self.waiting.popleft()
            job.worker = self.idle.pop()
            self.gathering = self.settings.batch_size > 1 and not job.alone
            job.turn.release()
        loading = len(self.workers) - self.ready
        if len(self.waiting) > loading and not self.gathering and len(self.workers) < self.settings.max_workers:
            self._add()


def _end(workers: dict[int, Worker], process: int) -> None:
    """When nobody can ask them any more."""
    for worker in workers.values() if os.getpid() == process else ():
        worker.end()


def _alone(batch: list[Job]) -> list[Job]:
    for job in batch:
        job.alone = True
    return batch
