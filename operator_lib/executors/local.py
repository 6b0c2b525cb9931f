"""Processes on this machine: one zygote per interpreter, a fork of it per run or replica."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from operator_lib.engine import marks
from operator_lib.engine.process import SPEC, Exit, ProcessSpec
from operator_lib.executors.base import Listener
from operator_lib.executors.gpus import Cards
from operator_lib.executors.limits import Means, machine
from operator_lib.executors.parts import Parts
from operator_lib.options import Options

# Of the worker's environment, only this reaches the user's code.
PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TZDIR", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHASHSEED", "PYTHONUTF8"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
        *("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE", "TORCH_HOME"),
    }
)
PASSED_ON_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "OPENBLAS_", "XDG_")
# Seconds for a zygote to import what it shares.
ZYGOTE_START = 60.0
# Seconds for shims to clear up when the worker goes.
CLEAR_UP = 3.0


def base_environment(home: Path) -> dict[str, str]:
    """What the user's processes inherit of the worker's environment, and whose they are."""
    kept = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith(PASSED_ON_PREFIXES)}
    return {**kept, marks.HOME: str(home)}


class LocalProcess:
    """One shim and what is below it."""

    def __init__(self, channel: socket.socket, run_id: str, listener: Listener) -> None:
        self.pid = 0
        self.gone = asyncio.Event()
        self._channel = channel
        self._run_id = run_id
        self._listener = listener
        self._heard = b""
        channel.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel, self._hear)

    def stop(self, cause: str, grace: float) -> None:
        with contextlib.suppress(OSError):
            self._channel.send(json.dumps({"stop": cause, "grace": grace}).encode() + b"\n")

    def _hear(self) -> None:
        try:
            data = self._channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            # The shim was killed, and nobody clears up below it but we.
            self._loop.run_in_executor(None, self._clear_up).add_done_callback(
                lambda _: self._end(Exit(stopped="shim"))
            )
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            message: dict[str, Any] = json.loads(line)
            if "started" in message:
                self.pid = message["started"]
            if "exit" in message:
                self._hang_up()
                self._end(Exit(**message["exit"]))
                return
            self._listener(message)

    def _clear_up(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        marks.kill_marked(marks.RUN, self._run_id)

    def _hang_up(self) -> None:
        self._loop.remove_reader(self._channel)
        self._channel.close()

    def _end(self, ended: Exit) -> None:
        self.gone.set()
        self._listener({"exit": ended})

    def cut(self) -> None:
        """Let go of the leash: the shim kills everything and ends."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)


class Zygote:
    """The warm parent of one interpreter."""

    def __init__(self, python: str, home: Path) -> None:
        self.control, theirs = socket.socketpair()
        self.control.setblocking(False)
        self.log = home / "zygote.log"
        own = {"GRPC_ENABLE_FORK_SUPPORT": "0"}
        with open(self.log, "ab") as file:
            self.popen = subprocess.Popen(
                [python, "-P", "-m", "operator_lib.runner.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd="/",
                env={**base_environment(home), **own},
                start_new_session=True,
            )
        theirs.close()

    async def ready(self) -> None:
        """Wait until it has imported everything.

        Raises:
            OSError: it ended instead; the message has the end of its log.
        """
        async with asyncio.timeout(ZYGOTE_START):
            heard = await asyncio.get_running_loop().sock_recv(self.control, 16)
        if heard != b"ready\n":
            self.popen.wait()
            raise OSError(f"the interpreter could not load operator_lib:\n{self.log.read_text()[-2000:]}")

    def fork(self, spec_path: Path) -> socket.socket:
        """Ask for one process; the socket to its shim.

        Raises:
            BlockingIOError: it has too many requests waiting.
            OSError: it is gone.
        """
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.control, [str(spec_path).encode() + b"\n"], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def close(self) -> None:
        self.control.close()
        try:
            self.popen.wait(2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class LocalExecutor:
    """See `operator_lib.executors.base.Executor`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._zygotes: dict[str, asyncio.Task[Zygote]] = {}
        self._processes: set[LocalProcess] = set()
        self.means = Means(home)
        self.cards = Cards()

    async def lacks(self, options: Options) -> list[str]:
        lack = await self.cards.lack(options.gpu)
        return [*machine(self._home).lacks(options), *([lack] if lack else [])]

    async def reclaim(self) -> None:
        await asyncio.to_thread(marks.kill_marked, marks.HOME, str(self._home))
        await asyncio.to_thread(self.means.prepare)

    async def prepare(self, python: str) -> None:
        await self._zygote(python)

    async def _zygote(self, python: str) -> Zygote:
        task = self._zygotes.get(python)
        if task is not None and task.done() and (task.exception() or task.result().popen.poll() is not None):
            task = None
        if task is None:
            task = asyncio.create_task(self._start(python))
            self._zygotes[python] = task
        return await asyncio.shield(task)

    async def _start(self, python: str) -> Zygote:
        zygote = Zygote(python, self._home)
        try:
            await zygote.ready()
        except BaseException:
            zygote.close()
            raise
        return zygote

    async def spawn(self, python: str, spec: ProcessSpec, listener: Listener) -> LocalProcess:
        held = self.means.hold(spec)
        if held is not spec:
            held.write()
        try:
            channel = await self._fork(python, Path(spec.folder) / SPEC)
        except BaseException:
            self.means.let_go(held)
            raise
        channel.setblocking(False)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has died, which is heard of below
            await asyncio.get_running_loop().sock_sendall(channel, spec.handed())

        parts = Parts(spec, lambda part, heard: self.spawn(python, part, heard), self.cards)

        def listen(message: dict[str, Any]) -> None:
            if "part" in message:
                parts.ask(message["part"])
            elif "exit" in message and parts.any:
                asyncio.ensure_future(parts.end()).add_done_callback(lambda _: over(message))
            elif "exit" in message:
                over(message)
            else:
                listener(message)

        def over(message: dict[str, Any]) -> None:
            self._processes.discard(process)
            self.means.let_go(held)
            listener(message)

        process = LocalProcess(channel, spec.id, listen)
        self._processes.add(process)
        return process

    async def _fork(self, python: str, spec_path: Path) -> socket.socket:
        died = False
        while True:
            zygote = await self._zygote(python)
            try:
                return zygote.fork(spec_path)
            except BlockingIOError:
                await asyncio.sleep(0.005)
            except (BrokenPipeError, ConnectionResetError):  # it has just died: once more with a new one
                if died:
                    raise
                died = True
                if self._zygotes.get(python) is not None:
                    del self._zygotes[python]

    async def close(self) -> None:
        going = list(self._processes)
        for process in going:
            process.cut()
        if going:
            await asyncio.wait([asyncio.ensure_future(process.gone.wait()) for process in going], timeout=CLEAR_UP)
        for task in self._zygotes.values():
            if not task.done():
                task.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                (await task).close()
