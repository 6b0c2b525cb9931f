"""The workers of one node, and the calls that wait for them.

A call that gets a worker takes others along, up to ``batch-size`` and for no longer than ``max-batch-delay``, asks the
worker for all of them, and hands it to the next that waits: there is no thread in between. ``timeout-ms`` counts from
the call's arrival, but not before a first worker is loaded. A worker that has had all that time without an answer, or
dies, is replaced; one that had less, as its call had to wait for it, is left to its work. Calls that were in a batch
with a bad one, or whose worker had ended before it began, are tried again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError

from operator_lib.errors import OperatorTimeout, WorkerDied
from operator_lib.frontends.torchserve.handler import Answered, Asked
from operator_lib.frontends.torchserve.job import Job
from operator_lib.frontends.torchserve.specification import Settings
from operator_lib.frontends.torchserve.worker import Gone, Late, Making, Worker

log = logging.getLogger("operator_lib.torchserve")
# Part of its time: a call that had to wait no longer than that has its worker replaced when its time is over; one that
# has no more than that left does not begin.
BRIEF = 0.1


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
            OperatorTimeout: there was none in time. WorkerDied. CancelledError: it was given up before it began. What
                the handler raised.
        """
        self.start()
        job.arrived = time.monotonic()
        job.due = job.arrived + self.settings.timeout_ms / 1000
        try:
            with self.changed:
                self.waiting.append(job)
                if self.gathering:
                    self.changed.notify_all()
                self._dispatch()
            while job.outcome is None:
                if not job.turn.acquire(timeout=max(0.0, job.due - time.monotonic())):
                    self._withdraw(job)
                elif job.worker is not None:
                    self._lead(job)
        except BaseException as interrupt:
            self._abandon(job, interrupt)
            raise
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

    def _abandon(self, job: Job, interrupt: BaseException) -> None:
        """Its caller was interrupted: it holds up nobody."""
        with self.changed:
            job.outcome = job.outcome or interrupt
            if job in self.waiting:
                self.waiting.remove(job)
            worker, job.worker = job.worker, None
            if worker is not None and not job.alone:
                self.gathering = False
        if worker is not None:
            self._release(worker)

    def _late(self) -> OperatorTimeout:
        limit = self.settings.timeout_ms / 1000
        problem = OperatorTimeout(f"{self.node} gave no answer in {limit:g} s (timeout-ms)")
        problem.add_note(f"in node {self.node} of {self.name}")
        return problem

    def _lead(self, job: Job) -> None:
        """Ask the worker that it has got, for those as well that have come along."""
        waited = time.monotonic() - job.arrived
        batch = self._gather(job)
        worker, job.worker = job.worker, None
        assert worker is not None, "it has got one"
        begun = time.monotonic()
        try:
            found = self._ask(worker, batch, job.due)
        except Late:
            job.outcome = self._late()
            limit = self.settings.timeout_ms / 1000
            if waited < BRIEF * limit:
                self._hangs(worker, batch)
            else:
                threading.Thread(target=self._wait_on, args=(worker, batch, begun + limit), daemon=True).start()
        except Gone as gone:
            self._died(worker, batch, gone)
        except BaseException:  # an interrupt: the worker is still at it
            self._lost(worker, batch[1:])
            raise
        else:
            self._settle(worker, batch, found)

    def _wait_on(self, worker: Worker, batch: list[Job], until: float) -> None:
        """Its leader has no time left; the worker has, and perhaps those that came along."""
        try:
            found = worker.wait(until - time.monotonic())
        except Late:
            self._hangs(worker, batch)
        except Gone as gone:
            self._died(worker, batch, gone)
        else:
            self._settle(worker, batch, found)

    def _settle(self, worker: Worker, batch: list[Job], found: list[Answered] | Exception) -> None:
        """It has answered."""
        if isinstance(found, Exception):
            if len(batch) > 1:
                self._release(worker, _alone(batch))  # one bad request is not the others' fault
                return
            found.add_note(f"in node {self.node} of {self.name}")
            batch[0].outcome = batch[0].outcome or found
        else:
            for number, (job, answer) in enumerate(zip(batch, found, strict=True)):
                job.outcome = job.outcome or answer
                if number:  # the first is whose thread asked
                    job.turn.release()
        self._release(worker)

    def _hangs(self, worker: Worker, batch: list[Job]) -> None:
        log.warning("%s: a worker of %s did not answer and is replaced", self.name, self.node)
        self._lost(worker, batch[1:])

    def _died(self, worker: Worker, batch: list[Job], gone: Gone) -> None:
        log.warning("%s: a worker of %s has died (%s) and is replaced", self.name, self.node, gone)
        if gone.begun and len(batch) == 1:
            problem = WorkerDied(f"the process of node {self.node} ended before it answered: {gone}")
            problem.add_note(f"in node {self.node} of {self.name}")
            batch[0].outcome = batch[0].outcome or problem
        self._lost(worker, _alone(batch) if gone.begun else batch)

    def _gather(self, job: Job) -> list[Job]:
        settings, batch = self.settings, [job]
        if settings.batch_size == 1 or job.alone:
            return batch
        until = min(job.due, job.arrived + settings.max_batch_delay / 1000)
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
            worker.load(self.settings.startup_timeout)
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
            worker = self.workers.pop(number)
            if not self.ready:
                self.failure = problem
                while self.waiting:
                    self._tell(self.waiting.popleft(), problem)
            self.changed.notify_all()
        worker.end()

    def _release(self, worker: Worker, again: Sequence[Job] = ()) -> None:
        """It can be asked by others now; those of `again` first."""
        with self.changed:
            self._wait_again(again)
            self.idle.append(worker)
            self._dispatch()
            self.changed.notify_all()

    def _lost(self, worker: Worker, again: Sequence[Job]) -> None:
        worker.end()
        with self.changed:
            del self.workers[next(number for number, other in self.workers.items() if other is worker)]
            self.ready -= 1
            self._wait_again(again)
            self.failure = None
            self._fill()
            self._dispatch()

    def _wait_again(self, jobs: Sequence[Job]) -> None:
        """Before the others; not those whose time was over meanwhile. Under the lock."""
        self.waiting.extendleft(job for job in reversed(jobs) if job.outcome is None)

    def _dispatch(self) -> None:
        """Workers to those that wait; more workers, as far as that is allowed. Under the lock."""
        while self.waiting and self.idle and not self.gathering:
            job = self.waiting.popleft()
            if job.given_up():
                self._tell(job, CancelledError(f"nobody waits for {self.node} of {self.name} any more"))
                continue
            if job.due - time.monotonic() < BRIEF * self.settings.timeout_ms / 1000:
                self._tell(job, self._late())
                continue
            job.worker = self.idle.pop()
            self.gathering = self.settings.batch_size > 1 and not job.alone
            job.turn.release()
        loading = len(self.workers) - self.ready
        if len(self.waiting) > loading and not self.gathering and len(self.workers) < self.settings.max_workers:
            self._add()

    @staticmethod
    def _tell(job: Job, problem: BaseException) -> None:
        job.outcome = problem
        job.turn.release()


def _end(workers: dict[int, Worker], process: int) -> None:
    """When nobody can ask them any more."""
    for worker in workers.values() if os.getpid() == process else ():
        worker.end()


def _alone(batch: list[Job]) -> list[Job]:
    for job in batch:
        job.alone = True
    return batch
