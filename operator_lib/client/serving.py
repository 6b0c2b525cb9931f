"""A serving as if it were the local object: calls, attributes, items, iteration."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from operator_lib import core
from operator_lib.client.caller import Caller
from operator_lib.client.connect import Connection, connection_to, get_json, reached
from operator_lib.client.manage import ServingManager
from operator_lib.client.router import Router
from operator_lib.client.trust import of_url
from operator_lib.core import Operator, reach
from operator_lib.engine import call
from operator_lib.errors import NotFound
from operator_lib.wire.proto import common_pb2, deploy_pb2
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.schema import Schema

# Characters of a fingerprint that are enough to name a version.
SHORTEST_PREFIX = 4
# What every handle has of its own ...
ALWAYS = frozenset({"serving", "url", "token"})
# ... and what it has unless the remote class defines the name; everything else belongs to the remote object.
OWN = ALWAYS | {"submit", "map", "deploy", "dag", "versions", "rollback", "with_options", "star_map"}


class ServingHandle(Operator):
    """A latched serving. Made by `Operator.from_serving` and by `deploy`.

    Names of the remote object win over the methods of `Operator` and over the handle's ``submit``, ``map``, ``deploy``
    and ``dag``; ``serving``, ``url`` and ``token`` are always the handle's. Private names are refused.
    """

    def __init__(
        self, connection: Connection, name: str, url: str, token: str, schema: dict[str, Any], pinned: int = 0
    ) -> None:
        put = object.__setattr__
        put(self, "_connection", connection)
        put(self, "_name", name)
        put(self, "__name__", name)  # as functions have it: what events and messages call it
        put(self, "_url", url)
        put(self, "_token", token)
        put(self, "_schema", Schema.from_json(schema))
        members = {*self._schema.methods, *self._schema.attributes}
        put(self, "_members", members - ALWAYS)
        put(self, "_methods", dict[str, RemoteMethod]())
        put(self, "_caller", Caller(Router(connection, name, pinned), self._schema, self, self._method))
        put(self, "__class__", _with_dunders(tuple(self._schema.dunders)))

    url = property(lambda self: self._url)
    token = property(lambda self: self._token)

    @property
    def serving(self) -> ServingManager:
        """Its replicas, versions, logs: ``scale``, ``logs``, ``versions``, ``rollback``, ``stats``, ``delete``."""
        return ServingManager(self._connection, self._name, self._caller.router.renew)

    # --- calls -----------------------------------------------------------------------------------------------------

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        run = object.__getattribute__(self, "_caller").call
        return run("", args, kwargs) if core.intercept is None else call.afar(self, run, "", args, kwargs)

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        return call.afar(self, self._caller.call, "forward" if "forward" in self._schema.methods else "", args, kwargs)

    def submit(self, /, *args: Any, **kwargs: Any) -> Any:
        """A call as a ``concurrent.futures.Future``."""
        return call.afar(self, self._caller.submit, "", args, kwargs)

    def map(
        self,
        inputs: Iterable[Any],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """One call for each input, at most `workers` in flight."""
        return call.afar(self, self._caller.map, "", inputs, workers, ordered, return_exceptions)

    def _method(self, name: str) -> RemoteMethod:
        found = self._methods.get(name)
        if found is None:
            found = self._methods[name] = RemoteMethod(self, name)
        return found

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
        if name in self._schema.methods or (name in self._schema.children and name not in self._members):
            return self._method(name)
        return self._caller.ask(pb.GET, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name[:1] == "_" or (name in OWN and name not in self._members):
            raise AttributeError(f"cannot set {name!r} of a serving")
        self._caller.ask(pb.SET, name, value)

    def __delattr__(self, name: str) -> None:
        if name[:1] == "_" or (name in OWN and name not in self._members):
            raise AttributeError(f"cannot delete {name!r} of a serving")
        self._caller.ask(pb.DEL, name)

    def __dir__(self) -> list[str]:
        return sorted({*self._members, *OWN})

    def __repr__(self) -> str:
        return f"<serving {self._name} at {self._url}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return reach("notebook.deployments", "serving_bundle")(self)

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
        base, _, query = self._url.partition("?")
        return DAG.from_json(json.dumps(get_json(f"{base}dag{query and '?' + query}", self._token)))

    def deploy(self, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        raise ValueError("Cannot deploy an operator that is already deployed")


def _with_dunders(names: tuple[str, ...]) -> type[ServingHandle]:
    """The handle's class with the special methods that the remote class defines, and no others."""
    if not names:
        return ServingHandle

    def forward(name: str) -> Callable[..., Any]:
        def method(self: ServingHandle, *values: Any) -> Any:
            return self._caller.ask(pb.DUNDER, name, *values)

        method.__name__ = name
        return method

    return type("ServingHandle", (ServingHandle,), {name: forward(name) for name in names})


class RemoteMethod:
    """A method of a serving: call it, ``submit`` it, ``map`` it; names below it are those of a child."""

    def __init__(self, handle: ServingHandle, name: str) -> None:
        self._handle = handle
        self._name = name
        self._caller: Caller = handle._caller
        method = handle._schema.methods.get(name)
        self.__name__ = name
        self.__doc__ = method.doc if method is not None else None
        if method is not None:
            self.__signature__ = method.signature()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        run = self._caller.call
        if core.intercept is None:
            return run(self._name, args, kwargs)
        return call.afar(self._handle, run, self._name, args, kwargs)

    def submit(self, /, *args: Any, **kwargs: Any) -> Any:
        """A call as a future."""
        return call.afar(self._handle, self._caller.submit, self._name, args, kwargs)

    def map(
        self,
        inputs: Iterable[Any],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """One call for each input."""
        return call.afar(self._handle, self._caller.map, self._name, inputs, workers, ordered, return_exceptions)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._handle._remote(f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<method {self._name} of {self._handle!r}>"


def from_serving(url: str, token: str = "") -> ServingHandle:
    """`Operator.from_serving`. ``?version=3`` at the end of the URL: that version, whichever is live."""
    base, _, query = url.partition("?")
    asked = parse_qs(query, strict_parsing=bool(query))
    if set(asked) - {"version"} or not all(number.isdecimal() for number in asked.get("version", ())):
        raise ValueError(f"the URL of a serving may end with ?version=NUMBER, got ?{query}")
    url = base.rstrip("/") + "/" + (query and f"?{query}")
    found = get_json(url, token)
    address = reached(found["grpc_address"], urlsplit(url).netloc)
    connection = connection_to(address, token, of_url(url))
    version = int(asked["version"][-1]) if asked else 0
    return ServingHandle(connection, found["name"], url, token, found["schema"], version)


def latch(connection: Connection, deployment: Any) -> ServingHandle:
    """The handle for a deployment that has just been described."""
    schema = json.loads(deployment.schema_json or "{}")
    return ServingHandle(connection, deployment.name, deployment.url, deployment.token, schema)


def named(connection: Connection, name: str, version: str = "") -> ServingHandle:
    """The handle on a serving; on one version of it, given by number or by the beginning of its fingerprint.

    Raises:
        NotFound: there is no such serving or version.
    """
    request = deploy_pb2.GetRequest(name=name, kind=common_pb2.DEPLOYMENT_KIND_SERVING)
    found = connection.call(connection.deployments.Get, request)
    if not version:
        return latch(connection, found)
    request.version = _number(found, version)
    of_version = connection.call(connection.deployments.Get, request)
    schema = json.loads(of_version.schema_json or "{}")
    return ServingHandle(connection, found.name, found.url, found.token, schema, request.version)


def _number(found: Any, version: str) -> int:
    fitting = [v.number for v in found.versions if v.status == "ready" and _is(v, version)]
    if len(fitting) != 1:
        known = ", ".join(f"{v.number} ({v.fingerprint[:8]})" for v in found.versions if v.status == "ready")
        what = "several versions" if fitting else "no version"
        raise NotFound(f"{found.name} has {what} {version!r}; there are: {known}")
    return fitting[0]


def _is(known: Any, version: str) -> bool:
    return str(known.number) == version or (len(version) >= SHORTEST_PREFIX and known.fingerprint.startswith(version))
