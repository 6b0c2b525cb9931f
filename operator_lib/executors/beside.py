"""`Operator.submit` on an operator that is not deployed and needs a process of its own: one beside this program."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import cloudpickle

from operator_lib import options as option_rules
from operator_lib import tree
from operator_lib.engine import events, kept, outcome
from operator_lib.engine.events import Event
from operator_lib.engine.local import LocalRun
from operator_lib.engine.process import FAILURE, OUTPUTS, VALUE, Exit, ProcessSpec
from operator_lib.engine.verdict import RETRIED, Verdict, error_of, judge
from operator_lib.errors import OptionError, SerializationError
from operator_lib.executors import program
from operator_lib.executors.base import Process
from operator_lib.executors.gpus import Taken
from operator_lib.executors.limits import allowance, threads
from operator_lib.executors.local.executor import LocalExecutor
from operator_lib.options import Options
from operator_lib.wire import codec, failure

# Seconds between SIGTERM and SIGKILL when a run is cancelled.
CANCEL_GRACE = 2.0
BOTH = ("json", "cloudpickle")
T = TypeVar("T")


class ProcessRun(LocalRun):
    """A call in a process of its own on this machine, with the limits that its operators ask for."""

    def __init__(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """
        Raises:
            SerializationError: the operator or an argument cannot be sent to a process.
        """
        super().__init__(op)
        call = Call(op, args, kwargs)
        self.id = f"{self.id}-{token_hex(4)}"  # in the environment of processes: nobody else's
        self._call = call
        self._asked = ""
        self._stopping = asyncio.Event()
        self._process: Process | None = None
        self._attempts = 0
        self._told = 0  # bytes of the events that have been read
        self._reads: dict[str, Callable[[], list[Any]]] = {}

    def _start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        program.carry_out(self.carry_out)

    @property
    def attempts(self) -> int:
        return self._attempts

    def cancel(self) -> bool:
        """End it; False when it has ended already."""
        return self._cancel(CANCEL_GRACE)

    def result(self, timeout: float | None = None) -> Any:
        try:
            return super().result(timeout)
        except KeyboardInterrupt:
            self._cancel(0)
            raise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        try:
            return super().exception(timeout)
        except KeyboardInterrupt:
            self._cancel(0)
            raise

    def _cancel(self, grace: float) -> bool:
        if self.done():
            return self.cancelled()
        self._asked = "cancelled"

        def stop() -> None:
            self._stopping.set()
            if self._process is not None:
                self._process.stop("cancelled", grace)

        program.soon(stop)
        return True

    def _of_functions(self) -> dict[str, Callable[[], list[Any]]]:
        return self._reads

    # --- on the loop of the executor -----------------------------------------------------------------------------

    async def carry_out(self, executor: LocalExecutor, home: Path) -> None:
        """Attempt after attempt, until it has ended."""
        base = home / self.id
        value: Any = None
        error: BaseException | None = None
        try:
            verdict = await self._until_it_has_ended(executor, base)
            folder = base / str(self._attempts)
            self._keep_outputs(folder)
            if verdict.status == "COMPLETED":
                value = outcome.read((folder / VALUE).read_bytes(), _load)
            else:
                error = self._error(verdict, folder)
        except BaseException as problem:  # also when the value cannot be read here
            error, verdict = problem, Verdict("FAILED", "internal", str(problem))
        await asyncio.to_thread(shutil.rmtree, base, ignore_errors=True)
        self._settle(verdict, value, error)

    async def _until_it_has_ended(self, executor: LocalExecutor, base: Path) -> Verdict:
        policy, failures = self._call.options.retries, 0
        cards = await self._cards(executor)
        try:
            while not self._stopping.is_set():
                self._attempts += 1
                verdict, ended, late = await self._attempt(executor, base, cards)
                delay = 0.0
                if not ended.blamed:  # else the program is told where it made the call: it may want to catch that
                    failures += 1
                    retried = verdict.kind in RETRIED and policy is not None and failures <= policy.max_retries
                    if not retried or late or policy is None:
                        return verdict
                    delay = policy.delay(failures)
                if not self._stopping.is_set():
                    self._status_is("PENDING", f"{verdict.cause}; to be started again")
                    await self._unless_stopped(asyncio.sleep(delay))
        finally:
            executor.cards.give_back(cards)
        return Verdict("CANCELLED", "cancelled", "cancelled")

    async def _cards(self, executor: LocalExecutor) -> Taken:
        wanted = self._call.options.gpu
        lack = await executor.cards.lack(wanted)
        if lack:
            raise OptionError(f"{self._call.name}.{lack.replace('this worker', 'this machine')}")
        return await self._unless_stopped(executor.cards.wait(self._call.options)) or Taken()

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What `work` gives; None when the run is cancelled first."""
        working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if working.done():
            return working.result()
        working.cancel()
        return None

    async def _attempt(self, executor: LocalExecutor, base: Path, cards: Taken) -> tuple[Verdict, Exit, bool]:
        folder = base / str(self._attempts)
        spec = self._call.spec(self, folder, cards)
        self._status_is("RUNNING", "")
        said: dict[str, str] = {}
        gone: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

        def hear(message: dict[str, Any]) -> None:
            if "exit" in message:
                gone.set_result(message["exit"])
            elif "events" in message:
                self._tell(Path(spec.events))
            for name in ("unstored", "overdue"):
                if name in message:
                    said[name] = str(message[name].get("message", ""))

        self._process = await executor.spawn(sys.executable, spec, hear)
        if self._asked:  # meanwhile
            self._process.stop("cancelled", 0)
        ended = await gone
        self._process = None
        self._tell(Path(spec.events))
        overdue = said.get("overdue", "")
        return judge(folder, self._asked, ended, said.get("unstored", ""), overdue), ended, bool(overdue)

    def _tell(self, path: Path) -> None:
        """Take over what the process has told since the last look. What it prints is printed here too."""
        try:
            with open(path, "rb") as file:
                file.seek(self._told)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._told += len(whole)
        for event in events.from_lines(whole):
            event.pop("seq", None)
            self._append(event)
            if event["kind"] == "log":
                _echo(event)

    def _status_is(self, status: str, cause: str) -> None:
        event: Event = {"kind": "status", "status": status, "attempt": self._attempts}
        self._append(event | ({"cause": cause} if cause else {}))

    def _keep_outputs(self, folder: Path) -> None:
        if (folder / OUTPUTS).exists():
            found = kept.read((folder / OUTPUTS).read_bytes())
            self._reads = {name: lambda function=function: function.values(_load) for name, function in found.items()}

    def _error(self, verdict: Verdict, folder: Path) -> Exception:
        if verdict.kind == "user_exception":
            return failure.decode_failure((folder / FAILURE).read_bytes())
        return error_of(verdict.status, verdict.kind, f"run {self.id} of {self._call.name}: {verdict.cause}")

    def _settle(self, verdict: Verdict, value: Any, error: BaseException | None) -> None:
        """The end, told before the future is set: whoever sees it ended finds its whole story."""
        self._status_is(verdict.status, verdict.cause or (str(error) if error is not None else ""))
        if verdict.status == "CANCELLED":
            super(LocalRun, self).cancel()
            self.set_running_or_notify_cancel()
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(value)


class Call:
    """One call, as it is sent to a process."""

    def __init__(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """
        Raises:
            SerializationError: the operator or an argument cannot be sent.
            OptionError: a variable has no value.
        """
        self.name = tree.name_of(op)
        self.options = option_rules.of(op) or Options()
        unset = [name for name in option_rules.unset(self.options) if name not in os.environ]
        if unset:
            about = "has no value; give a default, or set it in the environment"
            raise OptionError("\n".join(f"{self.name}.environment_variables: {name} {about}" for name in unset))
        self.entry = _pickled(op, self.name)
        self.input = _pickled((args, kwargs), f"arguments of {self.name}")
        said = [own for _, node in tree.named_operators(op) if (own := option_rules.of(node)) is not None]
        secrets = {name for own in said for name in own.secrets}
        self.secrets = {name: os.environ[name] for name in secrets if name in os.environ}

    def spec(self, run: ProcessRun, folder: Path, cards: Taken) -> ProcessSpec:
        """What the process of an attempt is told; its folder is made."""
        for made in (folder / "work", folder / "tmp"):
            made.mkdir(mode=0o700, parents=True)
        base = folder.parent
        if not (base / "entry").exists():
            (base / "entry").write_bytes(self.entry)
            (base / "input").write_bytes(self.input)
        chosen = self.options
        given = {env.name: env.default for env in chosen.environment_variables if env.default is not None}
        allowed = allowance(chosen)
        # Secrets are in the environment already, and everything here shares it.
        allowed["resources"] = allowed["resources"] | {"secrets": sorted(self.secrets)}
        spec = ProcessSpec(
            kind="run",
            id=run.id,
            name=self.name,
            folder=str(folder),
            source=os.getcwd(),
            entry=str(base / "entry"),
            events=str(base / "events"),
            input=str(base / "input"),
            attempt=run.attempts,
            input_codecs=BOTH,
            output_codec="cloudpickle",
            env={**os.environ, **threads(chosen), **given, **cards.environment},
            secrets=self.secrets,
            directory=os.getcwd(),
            paths=tuple(sys.path),
            timeout=chosen.timeout,
            **allowed,
        )
        spec.write()
        return spec


def _pickled(value: Any, what: str) -> bytes:
    try:
        return cloudpickle.dumps(value)
    except Exception as problem:
        raise SerializationError(
            f"{what} cannot be sent to a process of its own, which its options ask for: {problem}"
        ) from problem


def _load(data: Any) -> Any:
    return codec.loads(data, allow=BOTH)


def _echo(event: Event) -> None:
    stream = sys.stderr if event.get("stream") == "stderr" else sys.stdout
    if stream is not None:
        print(event["text"], end="" if event.get("more") else "\n", file=stream, flush=True)
