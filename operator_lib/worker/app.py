"""The worker: one asyncio process with the control plane, HTTP, and the supervision of everything it has started.

It never runs user code and never opens what users encode: it hands bytes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

import operator_lib
from operator_lib import endpoint as endpoints
from operator_lib.executors.chosen import make_executor
from operator_lib.wire.tls import self_signed
from operator_lib.worker import tls
from operator_lib.worker.archive.archive import Archive
from operator_lib.worker.archive.backlog import Backlog
from operator_lib.worker.archive.upkeep import Upkeep
from operator_lib.worker.auth import RequireToken
from operator_lib.worker.blobs import Blobs
from operator_lib.worker.blobs.mirrored import Mirrored
from operator_lib.worker.collection import Collection
from operator_lib.worker.config import GRPC_PORT, PORT, Config, loopback
from operator_lib.worker.deploys import Deploys
from operator_lib.worker.elsewhere import Elsewhere
from operator_lib.worker.http.lines import Lines
from operator_lib.worker.metrics import Metrics
from operator_lib.worker.objects.chosen import make_objects
from operator_lib.worker.objects.storage import Storage
from operator_lib.worker.peers import Peers
from operator_lib.worker.places import Places
from operator_lib.worker.pulse import Pulse
from operator_lib.worker.replicas import Launcher
from operator_lib.worker.retention import Retention
from operator_lib.worker.runs import Runs
from operator_lib.worker.schedules import Schedules
from operator_lib.worker.secrets import Secrets
from operator_lib.worker.servings import Servings
from operator_lib.worker.store.base import RunRow, StoreError
from operator_lib.worker.store.lock import HomeLock
from operator_lib.worker.store.opening import open_store
from operator_lib.worker.store.postgres import PostgresStore
from operator_lib.worker.store.url import POSTGRES
from operator_lib.worker.tokens import Tokens
from operator_lib.worker.tracing import Tracing

log = logging.getLogger("operator_lib.worker")

# Whoever is on this machine reaches a worker that listens on every address here.
HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}

GRPC_OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_metadata_size", 8192),
    ("grpc.max_concurrent_streams", 1000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_time_ms", 20000),
    ("grpc.keepalive_timeout_ms", 10000),
    ("grpc.http2.ping_timeout_ms", 10000),
]


class Worker:
    """Everything that one worker is made of."""

    def __init__(self, config: Config) -> None:
        config.check()
        self.config = config
        self.places = Places(config.home)
        self.places.make()
        self.lock = HomeLock(config.home, shared=config.store.startswith(POSTGRES))
        self.started = time.time()
        self.tokens = Tokens(config.home, Path(config.token_file) if config.token_file else None)
        self.store = open_store(config.store, config.home)
        self.blobs = Blobs(self.places.blobs)
        self.storage: Storage | None = None
        self.archive: Archive | None = None
        upkeep: Upkeep | None = None
        if config.blobs:
            self.storage = Storage(make_objects(config.blobs))
            self.blobs = Mirrored(self.places.blobs, self.storage)
            self.archive = Archive(self.storage, self.places)
            self.backlog = Backlog(self.archive, self.store, self.places.home / "runs")
            upkeep = Upkeep(self.storage, self.store, self.places, self.blobs, self.archive, config.blobs_cache * 2**30)
        self.executor = make_executor(config.executor, config.home, config.docker_base)
        self.secrets = Secrets(self.store, self.tokens.derived("secrets"))
        self.certificate = tls.read(config.tls_cert, config.tls_key) if config.tls_cert else None
        own = self_signed() if self.certificate or self.executor.across else ""
        self.tracing = Tracing(os.environ, self.store, self.places)
        self.launcher = Launcher(
            self.places, self.executor, self._environment_of, config.host, self.secrets, self.tracing, own
        )
        self.servings = Servings(self.launcher, self.store)
        self.pulse = Pulse(self.servings)
        self.runs = Runs(
            self.store, self.places, self.executor, self._environment_of, config.run_slots, self.secrets,
            config.max_queued, self.tracing, self.blobs, self.archive,
        )  # fmt: skip
        self.deploys = Deploys(
            self.store, self.blobs, self.places, self.launcher, self.servings, self.runs, self.secrets,
        )  # fmt: skip
        self.elsewhere = Elsewhere(self.store, self.runs, self.servings, self.tokens, self.certificate)
        self.schedules = Schedules(self.store, self.runs.queue)
        collection = Collection(self.store, self.blobs, self.places)
        self.retention = Retention(
            self.store, self.places, self.runs, collection, config.keep_runs, config.keep_days, upkeep=upkeep
        )
        self.metrics = Metrics(self)
        self.lines = Lines(config.max_calls)
        self.runs.on_end = self._run_ended
        self.looking = False
        self.stopping = asyncio.Event()
        self.server: Any = None
        self.http: asyncio.Task[None] | None = None
        self.uvicorn: Any = None
        self.health: Any = None

    async def _run_ended(self, row: RunRow) -> None:
        self.metrics.run_ended(row)
        await self.tracing.ended(row)

    async def _environment_of(self, version: Any) -> str:
        return await self.deploys.environment_of(version)

    async def start(self) -> None:
        """Come up; when this returns the worker answers."""
        identity = await self.store.identify()
        self.places.belongs(identity)
        if self.storage:
            await self.storage.aside(self.storage.check)
            await self.storage.aside(self.storage.claim, identity)
        await self.executor.reclaim(self.lock.alone)
        self.warm = asyncio.create_task(self.executor.prepare())
        self.warm.add_done_callback(_warn)
        if self.lock.alone:
            await asyncio.to_thread(self.launcher.states.recover)
            await asyncio.to_thread(self.places.tidy)
        before = endpoints.last(self.config.home) if self.lock.alone else None  # else those ports are another's
        self.server, grpc_port = self._make_grpc(before)
        http_socket, port = self._bind_http(before)
        self.grpc_address = f"{_in_url(self.config.host)}:{grpc_port}"
        self.endpoint = endpoints.Endpoint(
            url=f"{'https' if self.certificate else 'http'}://{_in_url(self._announced())}:{port}",
            grpc_address=f"{_in_url(HERE.get(self.config.host, self.config.host))}:{grpc_port}",
            pid=os.getpid(),
            home=str(self.config.home),
            token_file=str(self.config.home / endpoints.TOKEN),
            version=operator_lib.__version__,
            certificate=self.certificate.chain_file if self.certificate else "",
            certificate_name=self.certificate.names[0] if self.certificate else "",
        )
        # Nobody is let in before what the last worker has left is dealt with.
        if isinstance(self.store, PostgresStore):
            await self._join(self.store)
        if self.lock.alone:
            await self.runs.recover()
        await self._adopt()
        if self.storage:
            self.backlog.start()
        self.retention.start(self.lock.alone)
        await self.server.start()
        self.http = asyncio.create_task(self._serve_http(http_socket))
        self.schedules.start()
        self.pulse.start()
        self.endpoint.write()
        if self.runs.queue.peers is not None:
            self.lock.share()
        if self.config.by_hand is not None:
            endpoints.remember(self.config.home, self.config.by_hand)
        log.info("worker %s: %s, gRPC %s", operator_lib.__version__, self.endpoint.url, self.endpoint.grpc_address)

    # --- where several workers share a database --------------------------------------------------------------------

    async def _join(self, store: PostgresStore) -> None:
        await store.belongs(self.places.identity(), self.storage is not None)
        self.runs.queue.peers = Peers(store, lambda run_id: self._spawn(self.runs.heard(run_id)), self._beaten)
        port = self.grpc_address.rpartition(":")[2]
        await self.runs.queue.peers.join(self.endpoint.url, f"{_in_url(self._announced())}:{port}")

    def _beaten(self) -> None:
        if not self.looking and self.runs.queue.accepting:
            self.looking = True
            self._spawn(self._look())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.runs.tasks.spawn(work)

    async def _look(self) -> None:
        """After a sign of life: is there something to take over?"""
        try:
            assert self.runs.queue.peers is not None
            if self.runs.queue.peers.lost:
                await self.runs.take_over()
            await self._adopt()
            await self.runs.queue.look()
            self._be_found()
        except StoreError as problem:
            log.warning("worker: %s", problem)
        finally:
            self.looking = False

    def _be_found(self) -> None:
        """The home names a worker that is there."""
        assert self.runs.queue.peers is not None
        last = endpoints.last(self.config.home)
        if last is None or last.url not in (self.endpoint.url, *(peer.url for peer in self.runs.queue.peers.live)):
            self.endpoint.write()

    async def _adopt(self) -> None:
        """Bring up the servings that nobody holds, and those that were taken over."""
        for row in await self.store.deployments(kind="serving"):
            known = self.servings.by_name.get(row.name)
            if not row.live_version or (known is not None and known.deployment.id == row.id):
                continue
            me = self.runs.queue.me
            if row.owner == me or (not row.owner and await self.store.hold(me, row.id)):
                version = await self.store.version(row.id, row.live_version)
                if version is not None:
                    self.servings.restore(row, version)

    def _announced(self) -> str:
        """The host in URLs of this worker. Where it listens on all addresses: a name of its certificate, or its
        machine's, if that is one that can be found."""
        host = self.config.host
        if self.certificate and not loopback(host):
            return host if tls.covers(self.certificate.names, host) else self.certificate.names[0].removeprefix("*.")
        if host not in HERE:
            return host
        try:
            socket.getaddrinfo(socket.gethostname(), None)
        except OSError:
            return HERE[host]
        return socket.gethostname()

    def _make_grpc(self, before: endpoints.Endpoint | None) -> tuple[Any, int]:
        from operator_lib.worker.control.planes import add_planes

        server = aio.server(interceptors=[RequireToken(self.tokens)], options=GRPC_OPTIONS)
        add_planes(self, server)
        last = int(before.grpc_address.rpartition(":")[2]) if before else 0
        for port in self._ports(self.config.grpc_port, last, GRPC_PORT):
            with contextlib.suppress(RuntimeError):
                return server, self._listen(server, f"{_in_url(self.config.host)}:{port}")
        raise OSError(f"cannot listen on {self.config.host}:{self.config.grpc_port}: the port is taken")

    def _listen(self, server: Any, address: str) -> int:
        if self.certificate is None:
            return server.add_insecure_port(address)
        pair = [(self.certificate.key, self.certificate.chain)]
        return server.add_secure_port(address, grpc.ssl_server_credentials(pair))

    def _bind_http(self, before: endpoints.Endpoint | None) -> tuple[socket.socket, int]:
        family = socket.AF_INET6 if ":" in self.config.host else socket.AF_INET
        last = int(before.url.rpartition(":")[2]) if before else 0
        for port in self._ports(self.config.port, last, PORT):
            # Named, because else asyncio does not set TCP_NODELAY, and every answer waits 40 ms.
            bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                bound.bind((self.config.host, port))
                bound.listen(1024)
            except OSError:
                bound.close()
                continue
            return bound, bound.getsockname()[1]
        raise OSError(f"cannot listen on {self.config.host}:{self.config.port}: the port is taken")

    @staticmethod
    def _ports(asked: int, last: int, usual: int) -> list[int]:
        """Which to try: the one asked for and no other; else the one this home had, the usual one, any."""
        return [asked] if asked else [*([last] if last else []), usual, 0]

    async def _serve_http(self, bound: socket.socket) -> None:
        import uvicorn

        from operator_lib.worker.http.app import make_app

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Any:
                yield  # signals are the worker's

        guard = make_app(self)
        config = uvicorn.Config(
            guard, log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=2,
            http=_protocol(self, guard), ws="none", proxy_headers=False, timeout_keep_alive=75, server_header=False,
            ssl_certfile=self.certificate.chain_file if self.certificate else None,
            ssl_keyfile=self.certificate.key_file if self.certificate else None,
        )  # fmt: skip
        self.uvicorn = Server(config)
        await self.uvicorn.serve([bound])

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT; a second one ends at once."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._asked_to_stop)
        if self.config.leash:
            loop.add_reader(0, self._leash_ended)
        try:
            await self.start()
            gc.freeze()  # what has been loaded stays: looking through all of it would hold up calls
            await self._wait()
        finally:
            await self.stop()

    def _leash_ended(self) -> None:
        if not os.read(0, 1024):
            asyncio.get_running_loop().remove_reader(0)
            self.stopping.set()

    async def _wait(self) -> None:
        """Until somebody asks to stop.

        Raises:
            OSError: a part of the worker has ended by itself.
        """
        assert self.http is not None
        asked = asyncio.create_task(self.stopping.wait())
        await asyncio.wait([asked, self.http], return_when=asyncio.FIRST_COMPLETED)
        if not self.stopping.is_set():
            asked.cancel()
            raise OSError("the HTTP side has ended")

    def _asked_to_stop(self) -> None:
        if self.stopping.is_set():
            os._exit(1)
        self.stopping.set()

    async def stop(self) -> None:
        """Drain: refuse what is new, let calls and runs finish for a while, end the rest to be started again later."""
        log.info("worker: stopping")
        if self.health is not None:
            await self.health.enter_graceful_shutdown()
        await self.schedules.stop()
        await self.pulse.stop()
        await self.retention.stop()
        await asyncio.gather(self.runs.drain(self.config.drain), self.servings.close(self.config.drain))
        await self.executor.close()
        if self.server is not None:
            await self.server.stop(1.0)
        if self.http is not None:
            self.uvicorn.should_exit = True
            await self.http
        await self.lines.close()
        await self.elsewhere.close()
        await self.tracing.close()
        if self.storage:
            await self.backlog.stop(self.config.drain)
            self.storage.close()
        if self.runs.queue.peers is not None:
            with contextlib.suppress(StoreError):
                await self.runs.queue.peers.leave()
        self.store.close()  # the lock goes with the process: until then nobody else may have the home


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _protocol(worker: Worker, guard: Any) -> Any:
    """What uvicorn reads connections with: ours, unless it has to do without its compiled parser."""
    try:
        from operator_lib.worker.http.ordinary import Heads
        from operator_lib.worker.http.short import Short
    except ImportError:
        return "auto"
    return functools.partial(Short, worker, guard, Heads(worker, guard))


def _warn(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("worker: the first zygote did not start: %s", task.exception())
