"""`Operator.submit` on an operator that is not deployed: a run of this process, in a thread."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from operator_lib import context, core, options, tree
from operator_lib.engine import outputs, requests
from operator_lib.engine.events import TERMINAL, Event
from operator_lib.engine.record import Recorder, current, here, listening
from operator_lib.engine.run import Run
from operator_lib.engine.told import Told, to_event

_ids = itertools.count(1)


class LocalRun(Run):
    """A call in a thread of this process. Once it has started it cannot be cancelled (Python cannot stop a thread)."""

    def __init__(self, op: Any) -> None:
        super().__init__()
        self.id = f"local-{next(_ids)}"
        self.job = tree.name_of(op)
        self._op = op
        self._status = "PENDING"
        self._events: list[Told] = []
        self._outputs = outputs.InProcess()
        self._changed = threading.Condition()
        self._append({"kind": "status", "status": "PENDING", "attempt": 0})

    @property
    def status(self) -> str:
        return "CANCELLED" if self.cancelled() else self._status

    @property
    def attempts(self) -> int:
        return int(self._status != "PENDING")

    def events(self, follow: bool = True, after: int = 0) -> Iterator[Event]:
        position = after
        while True:
            with self._changed:
                while follow and position >= len(self._events) and self.status not in TERMINAL:
                    self._changed.wait()
                fresh = self._events[position:]
                ended = self.status in TERMINAL and position + len(fresh) == len(self._events)
            for told in fresh:
                position += 1
                yield {**to_event(told), "seq": position}
            if ended or not follow:
                return

    def _append(self, told: Told) -> None:
        with self._changed:
            if isinstance(told, dict):
                told.setdefault("t", time.time())
                self._status = told["status"] if told["kind"] == "status" else self._status
            self._events.append(told)
            self._changed.notify_all()

    def cancel(self) -> bool:
        done = super().cancel()
        if done and self._status == "PENDING":
            self._append({"kind": "status", "status": "CANCELLED", "attempt": 0})
        return done

    def resume(self) -> Run:
        """Not for local runs: nothing of them is stored."""
        raise NotImplementedError("a local run stores nothing to resume from; deploy the operator, or submit again")

    def _of_functions(self) -> dict[str, Callable[[], list[Any]]]:
        return {name: values.copy for name, values in self._outputs.found.items()}

    def _static_dag(self) -> Any:
        return core.reach("trace", "build")(self._op)

    def _start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        threading.Thread(target=self._work, args=(args, kwargs), name=self.id, daemon=True).start()

    def _work(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self.set_running_or_notify_cancel():
            return
        self._append({"kind": "status", "status": "RUNNING", "attempt": 1})
        recorder = Recorder(self._append, decisions=True)
        request = requests.local(self.id)
        with listening(), outputs.kept_by(self._outputs), context.entered(request):
            token = current.set(recorder.root)
            try:
                recorder.know(self._op)
                value = settle(self._op(*args, **kwargs))
            except BaseException as error:
                recorder.flush()
                self._append({"kind": "status", "status": "FAILED", "attempt": 1, "cause": str(error)})
                self.set_exception(error)
            else:
                recorder.flush()
                self._append({"kind": "status", "status": "COMPLETED", "attempt": 1})
                self.set_result(value)
            finally:
                current.reset(token)


def settle(value: Any) -> Any:
    """A coroutine's value; everything else as it is. For callers that are not inside an event loop."""
    if inspect.iscoroutine(value):
        return asyncio.run(value)
    return value


# Options that can only be kept to by somebody outside of the process that runs the code, or that are about all of it.
OF_A_PROCESS = ("timeout", "cpu", "memory", "ephemeral_disk", "gpu", "environment_variables")


def needs_process(op: Any) -> bool:
    """Whether an operator in the tree below `op` asks for something that this process cannot give it.

    A process that somebody watches over can: of a run, of a replica. Functions of front ends whose options all have
    defaults run here, as they do there.
    """
    if requests.clock is not None or not tree.is_operator(op):
        return False
    for _, node in tree.named_operators(op):
        own = options.of(node)
        if own is None or hasattr(type(node), "_operator_attributes"):
            continue
        if any(options.asks(own, name) for name in OF_A_PROCESS):
            return True
    return False


def submit(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LocalRun:
    """Start ``op(*args, **kwargs)``: in a process when an option needs one, else in a thread.

    Raises:
        SerializationError: it needs a process, and the operator or an argument cannot be sent there.
    """
    apart = needs_process(op)
    run: LocalRun = core.reach("executors.beside", "ProcessRun")(op, args, kwargs) if apart else LocalRun(op)
    around = here()
    if around is not None:  # in the story of that run it is one call
        frame = around.recorder.start(op, around)
        run.add_done_callback(lambda ended: frame.end(None if ended.cancelled() else ended.exception()))
    run._start(args, kwargs)
    return run


class Calls:
    """Calls of operators from threads of a pool: those that need a process have one, at most `most` at a time."""

    def __init__(self, most: int) -> None:
        self._room = threading.Semaphore(most)
        self._going: set[LocalRun] = set()
        self._known: dict[int, tuple[Any, bool]] = {}  # by id: the operator, whether it needs a process
        self._over = False

    def call(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``op(*args, **kwargs)``; the value of a coroutine."""
        known = self._known.get(id(op))
        if known is None:
            known = self._known[id(op)] = op, needs_process(op)
        if not known[1]:
            return settle(op(*args, **kwargs))
        with self._room:
            run = submit(op, args, kwargs)
            self._going.add(run)
            if self._over:
                run.cancel()
            try:
                return run.result()
            finally:
                self._going.discard(run)

    def end(self) -> None:
        """Nobody wants what they give any more."""
        self._over = True
        for run in list(self._going):
            run.cancel()
