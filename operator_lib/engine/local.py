"""`Operator.submit` on an operator that is not deployed: a run of this process, in a thread."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
import time
import warnings
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

    def _work(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self.set_running_or_notify_cancel():
            return
        self._append({"kind": "status", "status": "RUNNING", "attempt": 1})
        recorder = Recorder(self._append)
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


def submit(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LocalRun:
    """Start ``op(*args, **kwargs)`` in a thread."""
    chosen = options.of(op)
    if chosen is not None and chosen.timeout:
        warnings.warn(
            f"the timeout of {chosen.timeout} s is applied on a worker; a local run is a thread and has none",
            stacklevel=3,
        )
    run = LocalRun(op)
    around = here()
    if around is not None:  # in the story of that run it is one call
        frame = around.recorder.start(op, around)
        run.add_done_callback(lambda ended: frame.end(None if ended.cancelled() else ended.exception()))
    threading.Thread(target=run._work, args=(args, kwargs), name=run.id, daemon=True).start()
    return run
