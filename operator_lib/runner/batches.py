"""Calls of the object itself that wait in a replica until a batch of them is carried out."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from operator_lib import tree
from operator_lib.context import RequestContext
from operator_lib.engine import managed, variables
from operator_lib.engine.batching import APART, Arguments, Failed, kind, outcomes
from operator_lib.engine.collector import Collector, Waiting
from operator_lib.engine.ledger import DONE, Page
from operator_lib.engine.steps import drive
from operator_lib.options import Options
from operator_lib.runner.answers import Answer
from operator_lib.wire.proto import serving_pb2 as pb

if TYPE_CHECKING:
    from operator_lib.autobatch.examples import Examples
    from operator_lib.runner.calls import Target

Answers = Future[list[Answer]]


class Refused(Exception):
    """The replica is about to go: the call was not started."""


@dataclass(slots=True)
class _Asked:
    """A call with its arguments, and what its answers go to."""

    call: pb.Call
    page: Page
    given: Arguments
    answers: Future[Any] = field(default_factory=Future)
    raw: bool = False
    """Whether its answer is what was returned or raised, not messages."""

    def refuse(self) -> None:
        if self.raw:
            self.answers.set_exception(Refused())
        else:
            self.answers.set_result([pb.Answer(id=self.call.id, kind=pb.REFUSED)])


class Batches:
    """Takes the calls of one object, and carries them out together: as many batches at a time as calls otherwise."""

    def __init__(self, target: Target, options: Options) -> None:
        assert options.batch is not None
        self.collector = Collector[_Asked](options.batch.max_size, options.batch.max_delay_ms / 1e3)
        self._target = target
        self._op = target.op
        self._options = options
        # A class with a `__call__` of its own is called past the engine: that method takes the lists.
        self._plain = not type(target.op).__call__.__module__.startswith("operator_lib.")
        self.names = ("",) if self._plain else ("", "forward")
        self._examples = _examples(target.op) if options.autobatch else None
        self._answered = 0
        self.after: Callable[[], object] = lambda: None
        """Called when all calls of a batch have their answers."""
        self._kind: Callable[..., Hashable] = kind if self._examples is None else self._examples.kind
        self._spoken = f"{tree.name_of(target.op)}.{'__call__' if self._plain else 'forward'}"
        for number in range(target.spec.concurrency):
            threading.Thread(target=self._work, name=f"batch-{number}", daemon=True).start()

    def collects(self, call: pb.Call) -> bool:
        """Whether this is a call of the object itself."""
        return call.verb == pb.CALL and call.name in self.names and not call.environment

    def put(self, calls: Iterable[pb.Call], page: Page) -> list[Answers]:
        """Let calls wait that have come together; what will be answered. A cancelled one leaves its batch."""
        waiting: list[Waiting[_Asked]] = []
        found: list[Answers] = []
        for call in calls:
            asked = _Asked(call, page, ((), {}))
            found.append(asked.answers)
            try:
                variables.require(self._target.spec.name, self._target.spec.required)
                asked.given = self._target.arguments(call, self._op)
                waiting.append(self._waiting(asked))
            except BaseException as error:
                self._target.load.end(call, failed=True)
                asked.answers.set_result(self._target.failed(call, error))
        self.collector.put(waiting)
        return found

    def put_given(self, call: pb.Call, page: Page, given: Arguments) -> Future[Any]:
        """Let one call wait whose arguments are read already; what it returns."""
        asked = _Asked(call, page, given, raw=True)
        self.collector.put([self._waiting(asked)])
        return asked.answers

    def told(self) -> dict[str, Any]:
        """What became of the batches so far; with autobatch, ``together``: calls that one program answered at once."""
        more = {} if self._examples is None else {"together": self._answered}
        return {**self.collector.statistics.to_json(), **more}

    def _waiting(self, asked: _Asked) -> Waiting[_Asked]:
        own = object() if asked.call.alone else self._kind(*asked.given)
        return Waiting(asked, own, lambda: not asked.answers.cancelled())

    def _work(self) -> None:
        while batch := self.collector.take():
            begun = time.monotonic()
            asked = [w.call for w in batch if w.call.answers.set_running_or_notify_cancel()]
            self._ready([each.given for each in asked])  # compiled before the clock of a time limit runs
            if asked:
                self._carry_out(asked)
            self.collector.done(len(batch), time.monotonic() - begun)

    def _carry_out(self, asked: list[_Asked]) -> None:
        target = self._target
        with target.turn:
            if target.restart.due:
                for each in asked:
                    target.load.drop(each.call)
                    each.refuse()
                self.after()
                return
            for each in asked:
                each.page.note(each.call.id)
                each.page.begin(len(asked))
                target.load.begin(each.call)
            target.load.together([each.call for each in asked])
            target.limits.begin(asked[0].page.mark(asked[0].call.id))
            results = self.outcomes([each.given for each in asked])
            for each in asked:
                each.page.begin(DONE)
            answers = [
                result
                if each.raw
                else target.failed(each.call, result.error)
                if isinstance(result, Failed)
                else target.answered(each.call, each.page.mark(each.call.id), result)
                for each, result in zip(asked, results, strict=True)
            ]
        for each, answer in zip(asked, answers, strict=True):
            if not each.raw:
                target.load.end(each.call, not isinstance(answer, Failed) and answer[0].kind == pb.ERROR, len(asked))
            if isinstance(answer, Failed):
                each.answers.set_exception(answer.error)
            else:
                each.answers.set_result(answer)
        self.after()

    def outcomes(self, given: list[Arguments]) -> list[Any]:
        """The result, or `Failed`, of each of some calls that are carried out together now."""
        if len(given) > 1 and not self._ready(given):
            return [result for each in given for result in self.outcomes([each])]
        # With all options of the operator, retries among them.
        alone = None if self._plain and self._examples is None else self._op
        try:
            made = drive(outcomes(self._together, given, self._spoken, alone))
            results: list[Any] = self._target.wait(made) if inspect.isawaitable(made) else made
        except BaseException as error:
            results = [Failed(error)] * len(given)
        for result in results:
            if isinstance(result, Failed):
                self._target.restart.after(result.error)
        return results

    def _ready(self, given: list[Arguments]) -> bool:
        """Whether calls can be carried out together: with autobatch, whether they are of a kind that compiles."""
        if self._examples is None or len(given) < 2:
            return True
        kinds = {self._kind(*arguments) for arguments in given}
        return len(kinds) == 1 and self._examples.prepare(kinds.pop(), *given[0])

    def _together(self, *args: Any, **kwargs: Any) -> Any:
        return managed.method(self._op, self._forward, args, kwargs)

    def _forward(self, *args: Any, **kwargs: Any) -> Any:
        if self._examples is not None:
            found = self._examples(*args, **kwargs)
            self._answered += sum(not isinstance(result, BaseException) for result in found)
            return [APART if isinstance(result, BaseException) else result for result in found]
        given = (RequestContext.get(), *args) if self._options.use_ctx else args
        return (self._op if self._plain else self._op.forward)(*given, **kwargs)


def _examples(op: Any) -> Examples:
    from operator_lib.autobatch.examples import Examples  # NumPy

    return Examples(op)
