"""One call of one operator with its options: retries, time limit, context, reducing, stored outputs."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from operator_lib import context, core, tree
from operator_lib.context import RequestContext
from operator_lib.engine import batching, checkpoints, elsewhere, inside, lasting, record, requests, scope, soft
from operator_lib.engine.clock import Timer
from operator_lib.engine.remembered import Remembered
from operator_lib.engine.scope import Scope
from operator_lib.engine.steps import Invoke, Pause, Steps, drive
from operator_lib.errors import RequestError
from operator_lib.options import Options, Retries
from operator_lib.wire.callers import batched

_ONCE = Retries()
T = TypeVar("T")


def run(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``op.forward(*args, **kwargs)`` with the options that hold for it here."""
    outer = scope.here()
    rules = scope.rules(op, outer)
    book = checkpoints.book
    kept = None
    if book is not None and (rules.acts or rules.options.checkpoint or book.watches(op)):
        kept = book.call(op, rules.options, args, kwargs)
    if not rules.acts:
        found = record.watched(elsewhere.here(op), record.here())
        return found(*args, **kwargs) if kept is None else kept.stored(found)
    if rules.options.accumulate is not None and len(args) + len(kwargs) == 1 and (args or "items" in kwargs):
        steps = Call(op, rules.options, outer).reduce(args[0] if args else kwargs["items"])
    else:
        steps = Call(op, rules.options, outer, kept).once(args, kwargs)
    if kept is None:
        return drive(steps)
    result = drive(kept.around(steps))
    kept.later = type(result) in lasting.LASTING
    return result


def runner(op: Any) -> Callable[..., Any]:
    """`run` of `op`, as a function of its arguments."""
    return lambda *args, **kwargs: run(op, args, kwargs)


def method(op: Any, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``function(*args, **kwargs)``, a method of `op`: within its time limit, and its children inherit its options."""
    outer = scope.here()
    return _within(Attempt(Call(op, scope.rules(op, outer).options, outer), 1), function, args, kwargs)()


class Call:
    """A call with options, made once or more often."""

    __slots__ = ("kept", "op", "options", "outer", "outer_timer", "request")

    def __init__(self, op: Any, chosen: Options, outer: Scope | None, kept: Remembered | None = None) -> None:
        self.op = op
        self.options = chosen
        self.outer = outer
        self.outer_timer = outer.running() if outer is not None else None
        self.request = requests.here()
        self.kept = kept

    def reduce(self, items: Any) -> Steps:
        """A reducer that is called with a collection folds it, from the left."""
        total = zero(self.options)
        for item in items:
            total = yield from self.once((total, item), {})
        return total

    def once(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
        """The output that is stored from an earlier call, else the call, and its output stored."""
        if not self.options.cacheable:
            return (yield from self.attempts(args, kwargs))
        through = core.reach("engine.shelf", "through")
        compute = functools.partial(self.attempts, args, kwargs)
        return (yield from through(self.op, self.options, args, kwargs, compute, self.outer_timer))

    def attempts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
        """Until one succeeds, or none is left."""
        policy = self.options.retries or _ONCE
        first = yield from self._first(policy)
        for attempt in range(first, policy.max_retries + 2):
            last = attempt > policy.max_retries
            around = Attempt(self, attempt)
            given, named = (args, kwargs) if last else fresh(args, kwargs)
            try:
                return (yield Invoke(_within(around, self.function(around.request), given, named)))
            except policy.retry_on as error:
                if last or isinstance(error, RequestError) or getattr(error, "__operator_retried__", None) is policy:
                    # Who has this policy from further up does not try it all again.
                    if policy is not _ONCE:
                        with contextlib.suppress(AttributeError):
                            error.__operator_retried__ = policy  # type: ignore[attr-defined]
                    raise
                if self.kept is not None:
                    self.kept.failed(attempt)
                wait = _again(policy, attempt, error)
            yield Pause(wait)
        raise AssertionError("unreachable")

    def function(self, request: RequestContext) -> Callable[..., Any]:
        """What takes the arguments of the caller."""
        found = record.watched(elsewhere.forward(self.op), record.here())
        if self.options.use_ctx:
            found = functools.partial(found, request)
        return batching.single(found, f"{tree.name_of(self.op)}.forward") if batched(self.options) else found

    def _first(self, policy: Retries) -> Generator[Pause, Any, int]:
        """The number of the first attempt that is left: processes that came before may have made some.

        Raises:
            OperatorTimeout: the last one was killed for its time limit, and none is left.
        """
        first, late = self.kept.attempt() if self.kept is not None else (1, None)
        if late is not None:
            if first > policy.max_retries + 1 or not isinstance(late, policy.retry_on):
                raise late
            yield Pause(_again(policy, first - 1, late))
        return min(first, policy.max_retries + 1)


def _again(policy: Retries, attempt: int, error: BaseException) -> float:
    """Seconds until the attempt after this one, which has failed."""
    wait = policy.delay(attempt)
    words = f"{type(error).__name__}: {error}"[:2000]
    requests.tell({"kind": "retry", "attempt": attempt, "delay": wait, "error": words})
    return wait


def zero(chosen: Options) -> Any:
    """What a reducer starts with, made anew each time."""
    start = chosen.accumulate
    return start() if callable(start) else copy.deepcopy(start)


# Types whose values never change.
_FIXED: set[type] = {str, bytes, int, float, complex, bool, type(None)}


def never_changes(cls: type[T]) -> type[T]:
    """Decorates a class of which arguments need not be copied."""
    _FIXED.add(cls)
    return cls


def fresh(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A copy of the arguments for this attempt, so that the next one does not see what it did to them."""
    if _FIXED.issuperset(map(type, args)) and _FIXED.issuperset(map(type, kwargs.values())):
        return args, kwargs
    try:
        return copy.deepcopy((args, kwargs))
    except Exception:  # what cannot be copied is shared
        return args, kwargs


class Attempt:
    """What is around one execution: the options for what it calls, its request, its clock."""

    __slots__ = ("_call", "_inside", "_mark", "_timer", "request", "scope")

    def __init__(self, call: Call, attempt: int) -> None:
        self._call = call
        self._inside = call.kept.within(attempt) if call.kept is not None else None
        self._mark = call.kept.mark(attempt) if call.kept is not None else b""
        self._timer: Timer | None = None
        self.request: RequestContext = call.request.attempted(call.request.attempt + attempt - 1)
        self.scope = Scope(call.options, call.outer)

    def enter(self) -> Any:
        record.listen()  # operators without options of their own are called by those of this one
        if self._call.outer_timer is not None:
            self._call.outer_timer.pause()
        if self._timer is not None:
            self._timer.restart()  # each item of a generator has the whole time
            self._timer.resume()
        else:
            self._timer = self.scope.timer = requests.timer(self._call.op, self.scope.options.timeout, self._mark)
        numbered = inside.current.set(self._inside) if self._inside is not None else None
        return scope.current.set(self.scope), context.current.set(self.request), numbered

    def leave(self, token: Any) -> None:
        record.unlisten()
        if token[2] is not None:
            inside.current.reset(token[2])
        context.current.reset(token[1])
        scope.current.reset(token[0])
        if self._timer is not None:
            self._timer.pause()
        if self._call.outer_timer is not None:
            self._call.outer_timer.resume()

    def end(self, error: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def softly(self, result: Any) -> Any:
        """A coroutine with a limit is cancelled when it is over."""
        if self._timer is not None and inspect.iscoroutine(result):
            return soft.limited(result, self._timer)
        return result


def _within(
    around: Attempt, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[[], Any]:
    def invoke() -> Any:
        token = around.enter()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            around.end(error)
            raise
        finally:
            around.leave(token)
        return lasting.follow(around.softly(result), around)

    return invoke
