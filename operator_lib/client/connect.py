"""A connection to a worker: address, token, channel, and gRPC's errors as ours."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit

import grpc

from operator_lib import endpoint
from operator_lib.client import trust
from operator_lib.client.trust import Trust
from operator_lib.engine import traced
from operator_lib.errors import (
    AuthenticationError,
    DeployError,
    NotFound,
    OperatorError,
    OptionError,
    QueueFull,
)
from operator_lib.wire.proto import deploy_pb2_grpc, manage_pb2_grpc, runs_pb2_grpc, serving_pb2_grpc

# Seconds for a call that only asks or notes something.
DEADLINE = 30.0
# Seconds that a worker may be away (a restart, with its drain), and the first pause in seconds.
PATIENCE = 15.0
PAUSE = 0.2
# Nobody is there; or it was, and has ended while it was asked: nobody on this side cancels.
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
MAX_PAUSE = 5.0
# Its own: the numbers that a program has seeded are for that program.
_CHANCE = SystemRandom()

CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 10000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.http2.ping_timeout_ms", 5000),  # without it a frozen peer is found after 69 s only
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
]


class Plane:
    """The methods of one service, on whatever channel its connection has at the moment of the call."""

    stub: Any = None

    def __init__(self, make: Any) -> None:
        self.make = make

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: getattr(self.stub, name)(*args, **kwargs)


class Connection:
    """One worker, seen from here. Made by `connect`, shared by all handles of a process."""

    def __init__(self, address: str, token: str, home: Path | None = None, trusted: Trust | None = None) -> None:
        """`trusted`: None for a worker that does not encrypt."""
        self.token = token
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.home = home  # of a local worker: where to look for it when it has moved
        self.reached = False
        self.deployments: Any = Plane(deploy_pb2_grpc.DeploymentsStub)
        self.runs: Any = Plane(runs_pb2_grpc.RunsStub)
        self.servings: Any = Plane(serving_pb2_grpc.ServingsStub)
        self.secrets: Any = Plane(manage_pb2_grpc.SecretsStub)
        self.schedules: Any = Plane(manage_pb2_grpc.SchedulesStub)
        self._open(address, trusted)

    def _open(self, address: str, trusted: Trust | None) -> None:
        self.address = address
        self.channel = trust.channel(address, trusted, CHANNEL_OPTIONS)
        for plane in (self.deployments, self.runs, self.servings, self.secrets, self.schedules):
            plane.stub = plane.make(self.channel)

    def follow(self) -> bool:
        """After a local worker has come back on other ports: go there. False when it has not moved."""
        here = endpoint.running(self.home) if self.home is not None else None
        if here is None or here.grpc_address == self.address:
            return False
        self._open(here.grpc_address, trust.of_local(here))
        return True

    def place(self, address: str) -> str:
        """Where something of this worker is that says to be at `address`."""
        return reached(address, self.address)

    def call(self, method: Any, request: Any, *, timeout: float | None = DEADLINE, about: str = "") -> Any:
        """A unary call, tried again while the worker is away for a moment. Only for what may be said twice.

        Raises:
            ConnectionError, AuthenticationError, NotFound, DeployError, QueueFull, ...: see `translate`.
        """
        end = time.monotonic() + PATIENCE
        traceparent = traced.outgoing()
        metadata = (*self.metadata, ("traceparent", traceparent)) if traceparent else self.metadata
        for attempt in itertools.count():
            try:
                answer = method(request, timeout=timeout, metadata=metadata)
            except grpc.RpcError as error:
                away = code_of(error) in AWAY
                if self.reached and gone(error) and self.follow():
                    continue
                if not away or not self.reached or time.monotonic() > end:
                    raise self.translate(error, about) from None
                time.sleep(pause(attempt))
            else:
                self.reached = True
                return answer
        raise AssertionError("unreachable")

    def stream(self, method: Any, request: Any, *, timeout: float | None = None, about: str = "") -> Iterator[Any]:
        """A call that answers with a stream."""
        try:
            for item in method(request, timeout=timeout, metadata=self.metadata):
                self.reached = True
                yield item
        except grpc.RpcError as error:
            raise self.translate(error, about) from None

    def translate(self, error: grpc.RpcError, about: str = "") -> Exception:
        """The exception of ours that a gRPC status stands for."""
        code, details = code_of(error), details_of(error)
        where = f" ({about})" if about else ""
        if code in AWAY:
            if "CERTIFICATE_VERIFY_FAILED" in details or "verification check" in details:
                return ConnectionError(_untrusted(self.address, details) + where)
            if "Socket closed" in details or "connect" in details.lower() or details in ("", "CANCELLED"):
                details = f"no worker answers at {self.address}; is it running? (operator-lib worker status)"
            return ConnectionError(details + where)
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return ConnectionError(f"the worker at {self.address} did not answer in time; is it frozen?{where}")
        if (later := _retry_after(error)) is not None:
            return QueueFull(details + where, retry_after=later)
        kinds: dict[Any, Callable[[str], Exception]] = {
            grpc.StatusCode.UNAUTHENTICATED: AuthenticationError,
            grpc.StatusCode.PERMISSION_DENIED: AuthenticationError,
            grpc.StatusCode.NOT_FOUND: NotFound,
            grpc.StatusCode.ALREADY_EXISTS: ValueError,
            grpc.StatusCode.FAILED_PRECONDITION: DeployError,
            grpc.StatusCode.INVALID_ARGUMENT: OptionError,
            grpc.StatusCode.RESOURCE_EXHAUSTED: QueueFull,
        }
        return kinds.get(code, OperatorError)(details + where)


def _untrusted(where: str, why: str) -> str:
    """What to do about a certificate that is not trusted."""
    return f"the certificate of {where} is not trusted ({why}); if it should be, name the file with it in {trust.CA}"


def gone(error: grpc.RpcError) -> bool:
    """Nobody is there, or somebody else: the port of a worker that was restarted may have been taken."""
    return code_of(error) in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)


def code_of(error: grpc.RpcError) -> Any:
    """Its status code."""
    return error.code() if hasattr(error, "code") else None  # type: ignore[attr-defined]


def _retry_after(error: grpc.RpcError) -> float | None:
    """Seconds after which the worker has asked to try again, where it has."""
    sent: Any = error.trailing_metadata() if hasattr(error, "trailing_metadata") else None  # type: ignore[attr-defined]
    later = dict(sent or ()).get("retry-after")
    return float(later) if later else None


def details_of(error: grpc.RpcError) -> str:
    """Its message."""
    return (error.details() or "") if hasattr(error, "details") else str(error)  # type: ignore[attr-defined]


def pause(attempt: int) -> float:
    """Seconds to wait before the next try: exponential, with full jitter so that clients do not come in step."""
    return _CHANCE.uniform(0.25, 1.0) * min(MAX_PAUSE, PAUSE * 2**attempt)


_known: dict[tuple[str, str], Connection] = {}
_lock = threading.Lock()


def connect(address: str | None = None, token: str | None = None, *, start: bool = True) -> Connection:
    """The worker at `address`, else at ``OPERATOR_LIB_ADDRESS``, else the local one, started if need be.

    `address` is ``host:port`` of gRPC, or the worker's URL.

    Raises:
        ConnectionError: nobody answers there.
        AuthenticationError: no token is known for it.
    """
    address = address or os.environ.get("OPERATOR_LIB_ADDRESS") or ""
    token = token or os.environ.get("OPERATOR_LIB_TOKEN") or ""
    local: Path | None = None
    home = endpoint.home_folder()
    if not address:
        here = endpoint.ensure(home) if start else endpoint.running(home)
        if here is None:
            raise ConnectionError(f"no local worker is running in {home}; start it: operator-lib worker start")
        address = here.grpc_address
        local = home
    if not token:
        token = _local_token(home, address)
    if address.startswith(("http://", "https://")):
        trusted = trust.of_url(address)
        address = grpc_address(address, token)
    else:
        trusted = trust.of_local(_local(home, address))
    return connection_to(address, token, trusted, local)


def connection_to(address: str, token: str, trusted: Trust | None, local: Path | None = None) -> Connection:
    """The connection of this process to the worker at an address of gRPC; `local`: its home, where it has one here."""
    with _lock:
        found = _known.get((address, token))
        if found is None:
            found = _known[address, token] = Connection(address, token, local, trusted)
        return found


def _local(home: Path, address: str) -> endpoint.Endpoint | None:
    """The worker of this home, where that is its address."""
    here = endpoint.last(home)
    return here if here is not None and address.rstrip("/") in (here.grpc_address, here.url) else None


def _local_token(home: Path, address: str) -> str:
    if _local(home, address) is not None:
        return endpoint.read_token(home)
    raise AuthenticationError(f"no token for the worker at {address}; pass token=, or set OPERATOR_LIB_TOKEN")


def grpc_address(url: str, token: str) -> str:
    """Where the worker with this URL speaks gRPC."""
    return reached(get_json(url.rstrip("/") + "/v1/worker", token)["grpc_address"], urlsplit(url).netloc)


def reached(address: str, through: str) -> str:
    """`address`, at the host of `through` where its own stands for all of a machine."""
    host, _, port = address.rpartition(":")
    if host not in ("0.0.0.0", "[::]"):
        return address
    there = through.rpartition(":")[0] if not through.endswith("]") and ":" in through else through
    return f"{there}:{port}"


def get_json(url: str, token: str) -> Any:
    """A JSON document from a worker's HTTP side.

    Raises:
        ConnectionError: nobody answers. AuthenticationError: 401. NotFound: 404.
    """
    import requests

    try:
        with trust.session(trust.of_url(url)) as session:
            answer = session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=DEADLINE)
    except requests.exceptions.SSLError as error:
        raise ConnectionError(_untrusted(url, str(error))) from None
    except requests.RequestException as error:
        raise ConnectionError(f"nothing answers at {url}: {type(error).__name__}") from None
    if answer.status_code == 200:
        return answer.json()
    try:
        message = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"HTTP {answer.status_code}"
    kind = {401: AuthenticationError, 403: AuthenticationError, 404: NotFound}.get(answer.status_code, ConnectionError)
    raise kind(f"{url}: {message}")


def _forget() -> None:
    """A forked child must not use its parent's channels."""
    global _lock
    _lock = threading.Lock()
    _known.clear()


os.register_at_fork(after_in_child=_forget)
