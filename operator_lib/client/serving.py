"""A serving as if it were the local object: calls, attributes, items, iteration."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future
from typing import Any

from operator_lib.client.connect import Connection, connect, get_json
from operator_lib.client.iterate import iterate, iterate_async
from operator_lib.client.manage import ServingManager
from operator_lib.client.router import Router
from operator_lib.core import Operator
from operator_lib.engine.map import DEFAULT_WORKERS, bounded, check_workers
from operator_lib.errors import SerializationError
from operator_lib.wire import codec, failure
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.schema import Schema

# What every handle has of its own ...
ALWAYS = frozenset({"serving", "url", "token"})
# ... and what it has unless the remote class defines the name; everything else belongs to the remote object.
OWN = ALWAYS | {"submit", "map", "deploy", "dag", "versions", "rollback", "with_options", "star_map"}


class ServingHandle(Operator):
    """A latched serving. Made by `Operator.from_serving` and by `deploy`.

    Names of the remote object win over the methods of `Operator` and over the handle's ``submit``, ``map``, ``deploy``
    and ``dag``; ``serving``, ``url`` and ``token`` are always the handle's. Private names are refused.
    """

    def __init__(self, connection: Connection, name: str, url: str, token: str, schema: dict[str, Any]) -> None:
        put = object.__setattr__
        put(self, "_router", Router(connection, name))
        put(self, "_name", name)
        put(self, "_url", url)
        put(self, "_token", token)
        put(self, "_schema", Schema.from_json(schema))
        members = {*self._schema.methods, *self._schema.attributes}
        put(self, "_members", members - ALWAYS)
        put(self, "__class__", _with_dunders(tuple(self._schema.dunders)))

    url = property(lambda self: self._url)
    token = property(lambda self: self._token)

    @property
    def serving(self) -> ServingManager:
        """Its replicas, versions, logs: ``scale``, ``logs``, ``versions``, ``rollback``, ``stats``, ``delete``."""
        return ServingManager(self._router.connection, self._name)

    # --- calls -----------------------------------------------------------------------------------------------------

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._call("", args, kwargs)

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._call("forward" if "forward" in self._schema.methods else "", args, kwargs)

    def submit(self, /, *args: Any, **kwargs: Any) -> Any:
        """A call as a ``concurrent.futures.Future``."""
        return self._submit("", args, kwargs)

    def map(
        self,
        inputs: Iterable[Any],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """One call for each input, at most `workers` in flight."""
        return self._map("", inputs, workers, ordered, return_exceptions)

    def _map(self, name: str, inputs: Iterable[Any], workers: int, ordered: bool, return_exceptions: bool) -> list[Any]:
        window = 8 * DEFAULT_WORKERS if workers == -1 else check_workers(workers)
        total = len(inputs) if hasattr(inputs, "__len__") else None  # type: ignore[arg-type]
        calls = bounded(lambda x: self._submit(name, (x,), {}), inputs, window, ordered, return_exceptions, total)
        return list(calls)

    def _encode(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Check the call against the signature, then encode it. Nothing has been sent when this raises."""
        method = self._schema.methods.get(name)
        what = f"{self._schema.name}.{name}" if name else self._schema.name
        names: tuple[str, ...] = ()
        if method is not None:
            method.bind(args, kwargs, spoken_name(self._schema, name))
            names = tuple(p.name for p in method.params)
        elif not name and not self._schema.dynamic:
            raise TypeError(f"{self._schema.name!r} object is not callable")
        encoder = self._router.options.get("input_encoder", "json")
        if encoder == "json":
            return [codec.dumps_call(args, kwargs, what=what, names=names)]
        return codec.segments_call(args, kwargs, encoder, what=what, names=names)

    def _kind(self, name: str) -> str:
        method = self._schema.methods.get(name)
        return method.kind if method is not None else "function"

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        kind = self._kind(name)
        if kind == "coroutine":
            segments = self._encode(name, args, kwargs)
            return self._await(name, segments)
        if kind == "async_generator":
            return self._async_items(name, self._encode(name, args, kwargs))
        if not self._router.version:
            self._router.session()  # the options say how to encode
        return self._decode(*self._router.call(pb.CALL, name, self._encode(name, args, kwargs)))

    async def _await(self, name: str, segments: list[Any]) -> Any:
        answer = self._router.start(pb.CALL, name, segments)
        return self._decode(*await asyncio.wrap_future(answer))

    async def _async_items(self, name: str, segments: list[Any]) -> AsyncIterator[Any]:
        answer = await asyncio.wrap_future(self._router.start(pb.CALL, name, segments))
        async for item in self._decode(*answer):
            yield item

    def _submit(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        if not self._router.version:
            self._router.session()
        answer = self._router.start(pb.CALL, name, self._encode(name, args, kwargs))
        return _then(answer, lambda found: self._decode(*found))

    def _decode(self, kind: int, payload: bytes, session: Any) -> Any:
        if kind == pb.VALUE:
            return self._load(payload)
        if kind == pb.ERROR:
            raise failure.decode_failure(payload)
        if kind == pb.ITERATOR:
            key = payload[1:].decode()
            return iterate_async(session, key, self._load) if payload[:1] == b"a" else iterate(session, key, self._load)
        if kind == pb.CALLABLE:
            return RemoteMethod(self, payload.decode()) if payload else self
        raise SerializationError(f"an answer of kind {kind}: is the worker newer than this client?")

    def _load(self, payload: bytes) -> Any:
        allow = ("json", "cloudpickle") if self._router.options.get("output_encoder") == "cloudpickle" else ("json",)
        return codec.loads(payload, allow=allow)

    # --- attributes ------------------------------------------------------------------------------------------------

    def __getattribute__(self, name: str) -> Any:
        if name[:1] == "_" or name in ALWAYS:
            return object.__getattribute__(self, name)
        if name in object.__getattribute__(self, "_members"):
            return self._remote(name)
        if name not in OWN and hasattr(Operator, name):  # ours, unless the object has an attribute of that name
            with contextlib.suppress(AttributeError):
                return self._remote(name)
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        if name[:1] == "_":
            raise AttributeError(f"cannot access private attribute {name!r} of a serving")
        return self._remote(name)

    def _remote(self, name: str) -> Any:
        if name in self._schema.methods:
            return RemoteMethod(self, name)
        return self._decode(*self._router.call(pb.GET, name, [b""]))

    def __setattr__(self, name: str, value: Any) -> None:
        if name[:1] == "_" or (name in OWN and name not in self._members):
            raise AttributeError(f"cannot set {name!r} of a serving")
        segments = self._arguments(value)
        self._decode(*self._router.call(pb.SET, name, segments))

    def __delattr__(self, name: str) -> None:
        if name[:1] == "_" or (name in OWN and name not in self._members):
            raise AttributeError(f"cannot delete {name!r} of a serving")
        self._decode(*self._router.call(pb.DEL, name, [b""]))

    def _arguments(self, *values: Any) -> list[Any]:
        if not self._router.version:
            self._router.session()
        encoder = self._router.options.get("input_encoder", "json")
        return codec.segments_call(values, {}, encoder, what=self._name)

    def _dunder(self, name: str, *values: Any) -> Any:
        return self._decode(*self._router.call(pb.DUNDER, name, self._arguments(*values)))

    def __dir__(self) -> list[str]:
        return sorted({*self._members, *OWN})

    def __repr__(self) -> str:
        return f"<serving {self._name} at {self._url}>"

    def __reduce__(self) -> Any:
        return from_serving, (self._url, self._token)

    def versions(self) -> list[dict[str, Any]]:
        """All versions, oldest first: see `Manager.versions`."""
        return self.serving.versions()

    def rollback(self, version: int) -> None:
        """Make an earlier version live again, without a failed call."""
        self.serving.rollback(version)

    def dag(self) -> Any:  # type: ignore[override]  # of an instance only
        """The static graph of what is deployed."""
        from operator_lib.trace.dag import DAG

        # Over HTTP: there the serving's own token is enough.
        return DAG.from_json(json.dumps(get_json(self._url + "dag", self._token)))

    def deploy(self, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        raise ValueError("Cannot deploy an operator that is already deployed")


def spoken_name(schema: Schema, name: str = "") -> str:
    """What Python calls a method of the remote object in its messages."""
    if name:
        return f"{schema.name}.{name}"
    main = schema.methods.get("forward")
    if main is None:
        return schema.name if set(schema.methods) == {""} and not schema.dunders else f"{schema.name}.__call__"
    return f"{schema.name}.forward"


def _with_dunders(names: tuple[str, ...]) -> type[ServingHandle]:
    """The handle's class with the special methods that the remote class defines, and no others."""
    if not names:
        return ServingHandle

    def forward(name: str) -> Callable[..., Any]:
        def method(self: ServingHandle, *values: Any) -> Any:
            return self._dunder(name, *values)

        method.__name__ = name
        return method

    return type("ServingHandle", (ServingHandle,), {name: forward(name) for name in names})


class RemoteMethod:
    """A method of a serving: call it, ``submit`` it, ``map`` it; names below it are those of a child."""

    def __init__(self, handle: ServingHandle, name: str) -> None:
        self._handle = handle
        self._name = name
        method = handle._schema.methods.get(name)
        self.__name__ = name
        self.__doc__ = method.doc if method is not None else None
        if method is not None:
            self.__signature__ = method.signature()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._handle._call(self._name, args, kwargs)

    def submit(self, /, *args: Any, **kwargs: Any) -> Any:
        """A call as a future."""
        return self._handle._submit(self._name, args, kwargs)

    def map(
        self,
        inputs: Iterable[Any],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """One call for each input."""
        return self._handle._map(self._name, inputs, workers, ordered, return_exceptions)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._handle._remote(f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<method {self._name} of {self._handle!r}>"


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


def from_serving(url: str, token: str = "") -> ServingHandle:
    """`Operator.from_serving`."""
    found = get_json(url.rstrip("/") + "/", token)
    connection = connect(found["grpc_address"], token)
    return ServingHandle(connection, found["name"], url.rstrip("/") + "/", token, found["schema"])


def latch(connection: Connection, deployment: Any) -> ServingHandle:
    """The handle for a deployment that has just been described."""
    schema = json.loads(deployment.schema_json or "{}")
    return ServingHandle(connection, deployment.name, deployment.url, deployment.token, schema)
