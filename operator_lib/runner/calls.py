"""Calls on the live object of a replica: which are allowed, how they run, what is answered."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import itertools
import json
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

from operator_lib import options, tree
from operator_lib.core import Operator
from operator_lib.engine import variables
from operator_lib.engine.ledger import Page
from operator_lib.engine.process import ProcessSpec
from operator_lib.engine.turn import ChainTurn, Turn, working_for
from operator_lib.errors import FatalException, OptionError
from operator_lib.runner.answers import Answer, answer
from operator_lib.runner.batches import Batches
from operator_lib.runner.job import signature as callers_signature
from operator_lib.runner.limits import Limits
from operator_lib.runner.load import Load
from operator_lib.runner.many import Many
from operator_lib.runner.restart import Restart
from operator_lib.wire import codec, failure
from operator_lib.wire.proto import serving_pb2 as pb

# Calls that may be under way in a program that calls others: it waits in all of them but as many as have their turn.
NESTED = 1024
# An iterator that nobody has asked for an item of is dropped after this many seconds.
ITERATOR_PATIENCE = 60.0

DUNDERS = frozenset(
    [
        "__len__",
        "__getitem__",
        "__setitem__",
        "__delitem__",
        "__contains__",
        "__iter__",
        "__next__",
        "__reversed__",
        "__bool__",
    ]
)
# Types that are neither iterators nor callables.
PLAIN = frozenset({str, int, float, bool, type(None), list, dict, tuple, bytes})
_NO_NAMESPACE: MappingProxyType[str, Any] = MappingProxyType({})


class Target:
    """The object, and the rule that calls on it follow one another unless `concurrency` says otherwise."""

    def __init__(self, op: Any, spec: ProcessSpec, limits: Limits) -> None:
        self.op = op
        self.spec = spec
        self.limits = limits
        # A program that calls others may be called by them while it waits.
        nested = calls_others(op)
        plain = threading.Lock() if spec.concurrency == 1 else threading.Semaphore(spec.concurrency)
        self.turn: Any = plain
        if nested:
            stateful = spec.concurrency == 1 and "__wrapped__" not in tree.state(op)
            self.turn = ChainTurn() if stateful else Turn(spec.concurrency)
        self.nested = nested
        self.restart = Restart(op, spec, lambda error: place(error, op))
        self.load = Load()
        self.many = Many(self)
        self._loop_lock = threading.Lock()
        self.iterators: dict[str, tuple[Any, float, pb.Call]] = {}
        self._signatures: dict[str, tuple[inspect.Signature | None, Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        chosen = options.of(op)
        self.batches = Batches(self, chosen) if chosen is not None and chosen.batch is not None else None
        # Where calls may have to move to another process they must not wait unread in the connection.
        aside = spec.concurrency > 1 or spec.elastic or self.batches is not None or nested
        self.line: dict[Future[list[Answer]], None] = {}  # what the pool has been given and not ended
        self.pool = ThreadPoolExecutor(NESTED if nested else spec.concurrency, "call") if aside else None

    def answer(self, call: pb.Call, page: Page) -> list[Answer]:
        """Carry out one call that `load` was told of, and note in `page` that it starts. Exceptions are answers too."""
        if call.verb == pb.MAP:
            try:
                return [answer(call.id, pb.VALUE, self.many.answer(call, page))]
            except BaseException as error:
                return self.fail(call.id, error)
            finally:
                self.load.drop(call)
        if not self.nested:
            return self.answer_in_turn(call, page)
        with working_for(call.chain or page.mark(call.id).hex()):
            return self.answer_in_turn(call, page)

    def answer_in_turn(self, call: pb.Call, page: Page) -> list[Answer]:
        """Carry out one call when nobody else has the object."""
        with self.turn:
            if self.restart.due:
                self.load.drop(call)
                return refused(call)
            page.note(call.id)
            self.load.begin(call)
            mark = page.mark(call.id)
            self.limits.begin(mark)
            try:
                value = self.perform_with(call) if call.environment else self.perform(call)
            except BaseException as error:
                answers = self.failed(call, error)
            else:
                answers = self.answered(call, mark, value)
            self.load.end(call, answers[0].kind == pb.ERROR)
            return answers

    def start(self, calls: list[pb.Call], page: Page) -> list[tuple[pb.Call, Future[list[Answer]]]]:
        """Begin with calls that have come together, side by side."""
        assert self.pool is not None
        collected: list[pb.Call] = []
        found: list[tuple[pb.Call, Future[list[Answer]]]] = []
        now = time.monotonic()
        for call in calls:
            self.load.come(call, now)
            if self.batches is not None and self.batches.collects(call):
                collected.append(call)
            else:
                found.append((call, self.pool.submit(self.answer, call, page)))
        if self.batches is not None:
            found += zip(collected, self.batches.put(collected, page), strict=True)
        for call, future in found:
            self.line[future] = None
            future.add_done_callback(functools.partial(self._left, call))
        return found

    def pause(self, patience: float) -> bool:
        """Hold up all calls; False when those that go on leave no moment for it in so many seconds."""
        if self.nested:
            return not self.load.busy(math.inf)
        end, held = time.monotonic() + patience, 0
        while held < self.spec.concurrency:
            if not self.turn.acquire(timeout=max(0.0, end - time.monotonic())):
                self.resume(held)
                return False
            held += 1
        return True

    def resume(self, held: int = 0) -> None:
        """Let them go on."""
        for _ in range(0 if self.nested else held or self.spec.concurrency):
            self.turn.release()

    def _left(self, call: pb.Call, future: Future[list[Answer]]) -> None:
        self.line.pop(future, None)
        if future.cancelled():
            self.load.drop(call)

    def shed(self, count: int) -> int:
        """Give up as many calls that have not started, the last ones first; how many there were."""
        given = 0
        for future in reversed(list(self.line)):
            if given == count:
                break
            given += future.cancel()
        return given

    def alone(self, call: pb.Call, page: Page, context: Any) -> list[Answer]:
        """Carry out a call whose caller waits for this one only, unless he goes away before it starts."""
        if self.pool is None:
            self.load.come(call, time.monotonic())
            return self.answer(call, page)
        ((_, future),) = self.start([call], page)
        context.add_callback(future.cancel)
        try:
            return future.result()
        except CancelledError:
            return moved(call)

    def answered(self, call: pb.Call, mark: bytes, value: Any) -> list[Answer]:
        """What a call has come to, or why that cannot be sent."""
        try:
            if call.json and not lasting(value):
                return [answer(call.id, pb.VALUE, [json.dumps(codec.to_json(value)).encode()])]
            return self.encode(call, value, mark)
        except BaseException as error:
            return self.failed(call, error)

    def perform_with(self, call: pb.Call) -> Any:
        """A call that has brought values of variables.

        Raises:
            OptionError: calls run side by side here.
        """
        if self.spec.concurrency > 1:
            raise OptionError(f"{self.spec.name}: values of variables can come with a call only where concurrency is 1")
        with variables.Given(call.environment):
            return self.perform(call)

    def failed(self, call: pb.Call, error: BaseException) -> list[Answer]:
        """The exception of a call."""
        self.load.raised(call, error)
        return self.fail_json(call.id, error) if call.json else self.fail(call.id, error)

    def fail_json(self, call_id: int, error: BaseException) -> list[Answer]:
        return [answer(call_id, pb.ERROR, [json.dumps(self.described(error)).encode()])]

    def described(self, error: BaseException) -> dict[str, Any]:
        """An exception of a call in plain words, without the library's own frames: as other callers see it."""
        error = self.limits.told(error)
        seen: Any = failure.decode_failure(failure.encode_failure(error))
        return {"type": type(error).__name__, "message": failure.text_of(error), "traceback": seen.remote_traceback}

    def fail(self, call_id: int, error: BaseException) -> list[Answer]:
        return [answer(call_id, pb.ERROR, [self.stored(error)])]

    def stored(self, error: BaseException) -> bytes:
        """An exception of a call, for its caller."""
        return failure.encode_failure(self.limits.told(error), operator_path=place(error, self.op))

    def perform(self, call: pb.Call) -> Any:
        name, op = call.name, self.op
        if call.verb == pb.CALL:
            method = op if not name else self.exposed(name)
            if call.json and not callable(method):
                raise AttributeError(f"{name!r} of {self.spec.name} is not a method")
            args, kwargs = self.arguments(call, method)
            variables.require(self.spec.name, self.spec.required)
            try:
                value = self.limits.within(method, *args, **kwargs)
                return value if type(value) in PLAIN or not inspect.isawaitable(value) else self.wait(value)
            except BaseException as error:
                self.restart.after(error)
                raise
        try:
            return self.access(call)
        except FatalException as error:
            self.restart.after(error)
            raise

    def access(self, call: pb.Call) -> Any:
        """Attributes and special methods."""
        name, op = call.name, self.op
        if call.verb == pb.GET:
            return self.limits.within(self.exposed, name)
        if call.verb == pb.DUNDER:
            if name not in DUNDERS:
                raise AttributeError(f"{name} of a serving cannot be called from afar")
            args, _ = self.arguments(call, None)
            return self.limits.within(self.special, name, *args)
        check(name)
        if call.verb == pb.SET:
            args, _ = self.arguments(call, None)
            return self.limits.within(setattr, op, name, args[0])
        return self.limits.within(delattr, op, name)

    def special(self, name: str, *args: Any) -> Any:
        """What a special method of the object gives."""
        if name == "__contains__":
            return args[0] in self.op
        if name == "__iter__":
            return iter(self.op)
        return getattr(type(self.op), name)(self.op, *args)

    def exposed(self, name: str) -> Any:
        """An attribute that callers may see: the user's, not the library's, not a private one."""
        check(name)
        for part in (parts_of := name.split("."))[:-1]:
            check(part)
        found = self.op
        for part in parts_of:
            if ours(found, part):
                raise AttributeError(f"{type(found).__name__!r} object has no attribute {part!r}")
            found = getattr(found, part)
        return found

    def arguments(self, call: pb.Call, method: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        signature, namespace = None, _NO_NAMESPACE
        if method is not None:
            known = self._signatures.get(call.name)
            if known is None:
                function = tree.called(method) if isinstance(method, Operator) else method
                signature = callers_signature(method, function)
                known = signature, getattr(inspect.unwrap(function), "__globals__", _NO_NAMESPACE)
                self._signatures[call.name] = known
            signature, namespace = known
        if call.json:
            args, kwargs = codec.arguments_from_json(json.loads(call.payload or b"{}"), signature, namespace)
            if signature is not None:
                signature.bind(*args, **kwargs)
            return args, kwargs
        return codec.loads_call(call.payload, allow=self.spec.input_codecs, signature=signature, namespace=namespace)

    def encode(self, call: pb.Call, value: Any, mark: bytes) -> list[Answer]:
        """The value as answers. Iterators and the object itself stay here, as do callables that were got by name."""
        call_id, name, got = call.id, call.name, call.verb == pb.GET
        if type(value) in PLAIN and self.spec.output_codec == "json":
            return [answer(call_id, pb.VALUE, [codec.dumps(value, where=f"result of {self.spec.name}")])]
        if lasting(value):
            key = mark.hex()  # so that it can be asked what became of the call
            self.drop_stale()
            self.iterators[key] = value, time.monotonic(), call
            flavour = b"a" if inspect.isasyncgen(value) else b"s"
            return [pb.Answer(id=call_id, kind=pb.ITERATOR, payload=flavour + key.encode())]
        if value is self.op:  # a method that returns self
            return [pb.Answer(id=call_id, kind=pb.CALLABLE)]
        if got and (inspect.ismethod(value) or inspect.isfunction(value) or isinstance(value, Operator)):
            return [pb.Answer(id=call_id, kind=pb.CALLABLE, payload=name.encode())]
        where = f"result of {self.spec.name}" + (f".{name}" if name else "")
        return [answer(call_id, pb.VALUE, codec.segments(value, self.spec.output_codec, where=where))]

    def drop_stale(self) -> None:
        now = time.monotonic()
        for key, (_, since, _) in list(self.iterators.items()):
            if now - since > ITERATOR_PATIENCE:
                self.iterators.pop(key, None)

    def iterate(self, requests: Iterator[pb.IterateRequest]) -> Iterator[Answer]:
        """Items of a stored iterator, one for each request, each its own turn at the object."""
        first = next(requests)
        found = self.iterators.pop(first.iterator_id, None)
        if found is None:
            yield from self.fail(0, LookupError("that iterator is gone: it was read before, or never asked for"))
            return
        items, _, call = found
        mark = bytes.fromhex(first.iterator_id)
        self.load.reading(items, math.inf)
        try:
            for index, request in enumerate(itertools.chain([first], requests)):
                self.load.reading(items, math.inf)
                with working_for(call.chain or first.iterator_id), self.turn:
                    try:
                        self.limits.begin(mark)
                        with variables.Given(call.environment):
                            item = self.advance(items, request.send)
                        where = f"item {index} of {self.spec.name}"
                        told = answer(0, pb.VALUE, codec.segments(item, self.spec.output_codec, where=where))
                    except StopIteration as stop:
                        value = getattr(stop, "value", None)
                        told = answer(0, pb.STOP, codec.segments(value, self.spec.output_codec, where="return"))
                    except StopAsyncIteration:
                        told = answer(0, pb.STOP, codec.segments(None, "json", where="return"))
                    except BaseException as error:
                        (told,) = self.fail(0, error)
                yield told
                if told.kind != pb.VALUE:
                    return
                self.load.reading(items, time.monotonic())
        finally:
            self.load.read(items)
            with contextlib.suppress(Exception), self.turn:
                if inspect.isasyncgen(items):
                    self.wait(items.aclose())
                elif inspect.isgenerator(items):
                    items.close()

    def advance(self, items: Any, send: bytes) -> Any:
        """The next item; with `send`, what the generator yields for it."""
        value: Any = None
        if send:
            args, _ = codec.loads_call(send, allow=self.spec.input_codecs, signature=None, namespace=_NO_NAMESPACE)
            value = args[0]
        try:
            if inspect.isasyncgen(items):
                return self.wait(items.asend(value))
            return items.send(value) if inspect.isgenerator(items) else self.limits.within(next, items)
        except BaseException as error:
            self.restart.after(error)
            raise

    def wait(self, awaitable: Any) -> Any:
        """The value of an awaitable, run on the replica's one event loop."""
        return self.begin(awaitable).result()

    def begin(self, awaitable: Any) -> Future[Any]:
        """Its value to be."""
        if self._loop is None:
            with self._loop_lock:
                if self._loop is None:
                    loop = asyncio.new_event_loop()
                    threading.Thread(target=loop.run_forever, name="event-loop", daemon=True).start()
                    self._loop = loop

        async def run() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(run(), self._loop)


def place(error: BaseException, op: Any) -> str:
    """Path of the innermost operator of the tree below `op` that `error` passed through. Nothing is noted before."""
    known = tree.paths(op) if tree.is_operator(op) else {}
    found, step = "", error.__traceback__
    while step is not None:
        names = step.tb_frame.f_code.co_varnames[:1]
        found = known.get(id(step.tb_frame.f_locals.get(names[0])), found) if names else found
        step = step.tb_next
    return found


def check(name: str) -> None:
    """Refuse private names."""
    if name.startswith("_") or not name:
        raise AttributeError(f"cannot access private attribute {name!r} of a serving")


def ours(op: Any, name: str) -> bool:
    """A name that the library brought, not the user."""
    if not isinstance(op, Operator) or name in vars(op):
        return False
    owner = next((kind for kind in type(op).__mro__ if name in vars(kind)), None)
    if owner is not None and owner.__module__.startswith("operator_lib.frontends."):
        return True
    return inspect.getattr_static(type(op), name, None) is inspect.getattr_static(Operator, name, op)


def calls_others(op: Any) -> bool:
    """Whether it calls other deployments, which may call it again."""
    return getattr(op, "_operator_calls_others", False) is True


def moved(call: pb.Call) -> list[Answer]:
    """It has not started, and there is room for it elsewhere."""
    return [pb.Answer(id=call.id, kind=pb.MOVED)]


def refused(call: pb.Call) -> list[Answer]:
    """It was not started: another process is to do it."""
    return [pb.Answer(id=call.id, kind=pb.REFUSED)]


def lasting(value: Any) -> bool:
    """An iterator: its items are asked for one by one."""
    return inspect.isasyncgen(value) or (hasattr(type(value), "__next__") and hasattr(type(value), "__iter__"))
