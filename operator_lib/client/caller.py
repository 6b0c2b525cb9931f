"""Calls on one serving: checked against its signature, encoded, sent, decoded. The handle is only the face of this."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from operator_lib.client.iterate import iterate, iterate_async
from operator_lib.client.router import Router
from operator_lib.engine.ledger import MARK
from operator_lib.engine.map import DEFAULT_WORKERS, bounded, check_workers, length
from operator_lib.errors import SerializationError
from operator_lib.wire import codec, failure
from operator_lib.wire.frames import Buffer
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.schema import Method, Schema

BOTH = ("json", "cloudpickle")
JSON = ("json",)
# What calls of these kinds give is not the value yet.
LATER = frozenset({"coroutine", "async_generator"})


class _Plan:
    """What there is to know about a method, looked up once."""

    __slots__ = ("bind", "kind", "names", "spoken", "what")

    def __init__(self, schema: Schema, name: str) -> None:
        method: Method | None = schema.find(name)
        self.kind = method.kind if method is not None else "function"
        self.bind = method.bind if method is not None else None
        self.names: Sequence[str] = tuple(p.name for p in method.params) if method is not None else ()
        self.spoken = spoken_name(schema, name)
        self.what = f"{schema.name}.{name}" if name else schema.name


class Caller:
    """The way to one serving. `me` is what stands for an object that returns itself, `bound` makes its methods."""

    def __init__(self, router: Router, schema: Schema, me: Any, bound: Callable[[str], Any]) -> None:
        self.router = router
        self.schema = schema
        self.me = me
        self.bound = bound
        self._plans: dict[str, _Plan] = {}

    def encode(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Buffer]:
        """Check the call against the signature, then encode it. Nothing has been sent when this raises.

        Large parts are views of the arguments' own memory.
        """
        plan = self.plan(name)
        if plan.bind is not None:
            plan.bind(args, kwargs, plan.spoken)
        elif not name and not self.schema.dynamic:
            raise TypeError(f"{self.schema.name!r} object is not callable")
        return codec.segments_call(args, kwargs, self.encoder(), what=plan.what, names=plan.names)

    def copied(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Buffer]:
        """`encode` for a call that nobody waits for here: it has the arguments as they are now."""
        return [b"".join(self.encode(name, args, kwargs))]

    def plan(self, name: str) -> _Plan:
        found = self._plans.get(name)
        if found is None:
            found = self._plans[name] = _Plan(self.schema, name)
        return found

    def encoder(self) -> str:
        """How the deployment wants its arguments."""
        if not self.router.version:
            self.router.session()  # the options come with the first connection
        return self.router.options.get("input_encoder", "json")

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What plain Python would return: a value, a generator, a coroutine, an async generator."""
        kind = self.plan(name).kind
        if kind in LATER:
            segments = self.copied(name, args, kwargs)
            return self._await(name, segments) if kind == "coroutine" else self._async_items(name, segments)
        answered, payload, session = self.router.call(pb.CALL, name, self.encode(name, args, kwargs))
        return self.load(payload) if answered == pb.VALUE else self.decode(answered, payload, session)

    def value(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], environment: Mapping[str, str] | None = None
    ) -> Any:
        """The value of a call, for who waits for it: of an async generator an iterator that needs no loop.

        `environment` are values of variables for it.
        """
        return self.decode(*self.router.call(pb.CALL, name, self.encode(name, args, kwargs), environment), pull=iterate)

    async def _await(self, name: str, segments: list[Buffer]) -> Any:
        answer = self.router.start(pb.CALL, name, segments)
        return self.decode(*await asyncio.wrap_future(answer))

    async def _async_items(self, name: str, segments: list[Buffer]) -> AsyncIterator[Any]:
        answer = await asyncio.wrap_future(self.router.start(pb.CALL, name, segments))
        async for item in self.decode(*answer):
            yield item

    def submit(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        """The call as a future."""
        return _then(
            self.router.start(pb.CALL, name, self.copied(name, args, kwargs)), lambda found: self.decode(*found)
        )

    def prepared(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], environment: Mapping[str, str] | None = None
    ) -> Callable[[], Future[Any]]:
        """What `value` gives, as a future; the arguments are taken as they are now, and sent when this is called."""
        segments = self.copied(name, args, kwargs)
        start = lambda: self.router.start(pb.CALL, name, segments, environment)  # noqa: E731
        return lambda: _then(start(), lambda found: self.decode(*found, pull=iterate))

    def map(self, name: str, inputs: Iterable[Any], workers: int, ordered: bool, return_exceptions: bool) -> list[Any]:
        """One call for each input, at most `workers` in flight."""
        window = 8 * DEFAULT_WORKERS if workers == -1 else check_workers(workers)
        start: Callable[[Any], Future[Any]] = lambda x: self.submit(name, (x,), {})  # noqa: E731
        return list(bounded(start, inputs, window, ordered, return_exceptions, length(inputs)))

    def ask(self, verb: int, name: str, *values: Any) -> Any:
        """Attributes and special methods."""
        segments = codec.segments_call(values, {}, self.encoder(), what=self.schema.name) if values else [b""]
        if verb == pb.DUNDER and not values:
            segments = codec.segments_call((), {}, "json", what=self.schema.name)
        return self.decode(*self.router.call(verb, name, segments))

    def decode(self, kind: int, payload: Buffer, session: Any, pull: Callable[..., Any] | None = None) -> Any:
        """What an answer stands for. `pull` makes iterators, of either kind; by default each of its own.

        Raises:
            Exception: what was raised over there.
        """
        if kind == pb.VALUE:
            return self.load(payload)
        if kind == pb.ERROR:
            raise failure.decode_failure(payload)
        if kind == pb.ITERATOR:
            pull = pull or (iterate_async if payload[:1] == b"a" else iterate)
            key = bytes(payload[1:]).decode()
            _, call = MARK.unpack(bytes.fromhex(key))
            return pull(session, key, self.load, lambda: self.router.lost(session, call))
        if kind == pb.CALLABLE:
            return self.bound(bytes(payload).decode()) if payload else self.me
        raise SerializationError(f"an answer of kind {kind}: is the worker newer than this client?")

    def load(self, payload: Buffer) -> Any:
        """A value; a pickle only where the deployment declares it."""
        return codec.loads(payload, allow=readable(self.router.options))


def readable(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The codecs that answers of a deployment with these options may have: a pickle only where it is declared."""
    return BOTH if options.get("output_encoder") == "cloudpickle" else JSON


def spoken_name(schema: Schema, name: str = "") -> str:
    """What Python calls a method of the remote object in its messages."""
    if name:
        return f"{schema.name}.{name}"
    main = schema.methods.get("forward")
    if main is None:
        return schema.name if set(schema.methods) == {""} and not schema.dunders else f"{schema.name}.__call__"
    return f"{schema.name}.forward"


def _then(source: Future[Any], decode: Callable[[Any], Any]) -> Future[Any]:
    """A future for what `decode` makes of another one's result."""
    result: Future[Any] = Future()

    def done(answer: Future[Any]) -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(decode(answer.result()))
        except BaseException as error:
            result.set_exception(error)

    source.add_done_callback(done)
    return result
