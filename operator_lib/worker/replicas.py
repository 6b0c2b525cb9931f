"""Processes with one live object each: started, watched, seen off. Servings and maps use them alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import grpc
from grpc import aio

from operator_lib.engine import ledger
from operator_lib.engine.ledger import Started
from operator_lib.engine.process import FAILURE, LEDGER, Exit, ProcessSpec
from operator_lib.engine.verdict import AWAY, kind_of
from operator_lib.executors.base import Executor, Process
from operator_lib.executors.folders import furnish
from operator_lib.executors.gpus import Owner, Taken
from operator_lib.executors.limits import allowance
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.wire.tls import REPLICA, certificate_of
from operator_lib.worker.applied import codecs, elastic, environment, options_of, snapshot
from operator_lib.worker.ids import new_id
from operator_lib.worker.places import Places
from operator_lib.worker.secrets import Secrets
from operator_lib.worker.states import States
from operator_lib.worker.store.base import VersionRow
from operator_lib.worker.tracing import Tracing

# Seconds that a replica may take to finish calls and see its clients off.
DRAIN = 30.0
# A call over HTTP travels in one message, and so does its answer.
OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", 256 << 20),
]


class Replica:
    """One process with one live object."""

    def __init__(self, version: VersionRow, keeps: bool = False) -> None:
        """`keeps`: the state of its object, where the options say so."""
        self.id = new_id()
        self.version = version
        self.snapshot = snapshot(options_of(version)) if keeps else None
        self.token = token_urlsafe(24)
        self.status = "starting"  # ready, draining, dead
        self.address = ""
        self.line = 0  # port of its sockets, at the same host
        self.certificate = ""  # that it shows, in PEM
        self.process: Process | None = None
        self.started = time.time()
        self.asked_for = False
        self.excused = False  # it has asked to be replaced
        self.answered = False  # it was ready once
        self.cause = ""
        self.cause_kind = ""  # of `verdict.RETRIED`
        self.lost = False  # its machine is, and with it what calls it had begun
        self.overdue = b""  # the call that took too long: see engine/ledger.py
        self.failure = b""
        self.settled = asyncio.Event()
        self.gone = asyncio.Event()
        self.told = asyncio.Event()  # to end
        self.cards = Taken()
        self.load = pb.LoadReply()  # as it was when it was asked last
        self.heard = 0.0  # when it has last answered that
        self.offered = 0  # how often it was the first choice
        self.sampling = ""  # of its spans; empty: it makes none
        self._condemned = ""
        self._channel: Any = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def leaving(self) -> bool:
        return self.status in ("draining", "dead")

    @property
    def busy(self) -> int:
        """Calls that it has, as far as is known."""
        return self.load.waiting + self.load.running

    def calls(self) -> Any:
        """Its plane `Calls`."""
        if self._channel is None:
            self._channel = self._open()
        return rpc.CallsStub(self._channel)

    def _open(self) -> Any:
        if not self.certificate:
            return aio.insecure_channel(self.address, OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.certificate.encode())
        options = [*OPTIONS, ("grpc.ssl_target_name_override", REPLICA)]
        return aio.secure_channel(self.address, credentials, options)

    def condemn(self, why: str) -> None:
        """Kill it; that is why its calls are not answered."""
        self._condemned = why
        if self.process is not None:
            self.process.stop("hung", 0)

    async def hang_up(self) -> None:
        """It is gone: nobody calls it any more."""
        if self._channel is not None:
            await self._channel.close()

    def end(self, ended: Exit, failure: bytes) -> None:
        """Note why it has ended."""
        self.failure = failure
        self.lost = ended.stopped in AWAY
        self.cause_kind = "" if ended.stopped in ("shim", "hung", *AWAY) else kind_of(ended)
        self.overdue = bytes.fromhex(ended.mark)
        words = "the process that watches over it was killed" if ended.stopped == "shim" else ended.words()
        self.cause = "it failed while it started" if failure else self._condemned or words

    def fate(self, session: int, call: int) -> tuple[str, str]:
        """Why a call that it had started was not answered: a kind and words. It is gone."""
        if self.cause_kind != "timeout":
            return self.cause_kind, self.cause
        if ledger.is_marked(self.overdue, session, call):
            return self.cause_kind, self.cause
        return "", f"another of its calls took too long ({self.cause})"

    def stop(self, grace: float) -> None:
        """Have it end, whether its process is there yet or not. `gone` is set when it has."""
        if self.status != "dead":
            self.status = "draining"
            self.told.set()
            if self.process is not None:
                self.process.stop("drain", grace if self.answered else 0)


class Launcher:
    """Starts replicas of any version."""

    def __init__(
        self,
        where: Places,
        executor: Executor,
        environment_of: Callable[[VersionRow], Awaitable[str]],
        host: str,
        secrets: Secrets,
        tracing: Tracing,
        tls: str = "",
    ) -> None:
        """`tls`: key and certificate of its replicas, in PEM; without it they do not encrypt."""
        self.places = where
        self.tracing = tracing
        self.states = States(where.states, where.home / "replicas")
        self.secrets = secrets
        self.executor = executor
        self.environment_of = environment_of
        self.host = host
        self.tls = tls
        self.certificate = certificate_of(tls)

    async def start(
        self,
        replica: Replica,
        name: str,
        folder: Path | None = None,
        *,
        on_exit: Callable[[Replica], None] = lambda replica: None,
        on_going: Callable[[Replica], None] = lambda replica: None,
        kind: str = "replica",
    ) -> None:
        """Ask for its process. `Replica.settled` is set when it answers calls, or never will.

        What goes wrong is the replica's end, like any other: `on_exit` is told, `Replica.cause` says why. `on_going` is
        told when it wants to be replaced.
        """
        home = folder / replica.id if folder else self.places.replica(replica.id)

        def hear(message: dict[str, Any]) -> None:
            if "ready" in message and not replica.leaving:
                replica.address = message["ready"].get("address", "")
                replica.line = message["ready"].get("line", 0)
                replica.certificate = self.certificate
                replica.status = "ready"
                replica.answered = True
                replica.settled.set()
                if replica.sampling:
                    self.tracing.follow(replica, name)
            elif "going" in message:
                replica.excused = True
                on_going(replica)
            elif "exit" in message:
                self._ended(replica, home, message["exit"])
                on_exit(replica)

        try:
            made = await self.environment_of(replica.version)
            await self._give_cards(replica, name, "check" if kind == "check" else "map" if folder else "serving")
            spec = await self._spec(replica, name, home, kind, mapped=folder is not None)
            if not replica.leaving:
                replica.process = await self.executor.spawn(made, spec, hear)
        except Exception as error:
            replica.cause = f"could not be started: {error}"
        finally:
            if replica.process is None:
                self._over(replica)
                on_exit(replica)
        if replica.process is not None and replica.leaving:  # told to stop before there was a process
            replica.process.stop("drain", 0)

    async def _spec(self, replica: Replica, name: str, home: Path, kind: str, *, mapped: bool) -> ProcessSpec:
        version = replica.version
        options = options_of(version)
        replica.sampling = "" if mapped else self.tracing.sampling
        source = self.places.source(version.fingerprint)
        furnish(home, source)
        spec = ProcessSpec(
            kind=kind,
            id=replica.id,
            name=name,
            folder=str(home),
            source=str(source),
            entry=str(self.places.blob(version.entry_sha256)),
            events=str(home / "events"),
            input_codecs=codecs(options),
            output_codec=options.output_encoder,
            env=self.executor.variables() | environment(options) | replica.cards.environment,
            **allowance(options),
            **await self.secrets.values(version, options),
            place=replica.cards.place,
            host=self.host,
            token=replica.token,
            tls=self.tls,
            concurrency=1 if mapped else options.concurrency,
            restart_on_error=options.restart_on_error and not mapped,
            elastic=not mapped and elastic(options),
            sampling=replica.sampling,
            snapshot=replica.snapshot,
        )
        spec.write()
        if replica.snapshot is not None:
            self.states.lend(version, replica.id)
        return spec

    def _ended(self, replica: Replica, home: Path, ended: Exit) -> None:
        stored = home / FAILURE
        if replica.snapshot is not None:
            self.states.collect(replica.version, replica.id)
        replica.end(ended, stored.read_bytes() if stored.exists() else b"")
        self._over(replica)

    def ledger(self, replica: Replica, folder: Path | None = None) -> dict[int, Started]:
        """Which calls it had started, by session; read when it is gone."""
        return ledger.read((folder / replica.id if folder else self.places.replica(replica.id)) / LEDGER)

    async def _give_cards(self, replica: Replica, name: str, use: str) -> None:
        """The room it asks for. A map waits for them; a serving has them at once, or cannot be.

        Raises:
            NotReady: none is free.
        """
        wanted, cards = options_of(replica.version), self.executor.room
        if use == "check":
            replica.cards = await cards.look(wanted)
        elif use == "serving":
            replica.cards = await cards.take(wanted, Owner(name, replica.version.number))
        else:
            waiting, told = (
                asyncio.ensure_future(cards.wait(wanted, "replica", name)),
                asyncio.ensure_future(replica.told.wait()),
            )
            await asyncio.wait([waiting, told], return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            if waiting.done():
                replica.cards = waiting.result()
            else:
                waiting.cancel()

    def _over(self, replica: Replica) -> None:
        self.executor.room.give_back(replica.cards)
        replica.status = "dead"
        replica.settled.set()
        replica.gone.set()

    async def drain(self, replica: Replica, grace: float = DRAIN) -> None:
        """Let it finish its calls and end."""
        replica.stop(grace)
        await replica.gone.wait()
