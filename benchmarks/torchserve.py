"""The same archives on a worker of ours and on TorchServe: a chain, a fan, eight nodes."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import workers
from benchmarks.case import Case, Round, alternate
from benchmarks.peers.separate import TORCHSERVE

HANDLER = """
class Upper:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        rows = [row.get("data") or row.get("body") for row in data]
        return [(row if isinstance(row, str) else bytes(row).decode()).upper() for row in rows]
"""
FUNCTIONS = """
import time

def text(row):
    value = row.get("data") or row.get("body")
    return value if isinstance(value, str) else bytes(value).decode()

def first(data, context):
    return None if data is None else ["<" + text(row) for row in data]

def last(data, context):
    return None if data is None else [text(row) + ">" for row in data]

def fails(data, context):
    if data is not None:
        raise ValueError("no")

def wait(data, context):
    if data is None:
        return None
    time.sleep(0.2)
    return ["waited" for row in data]

one = two = three = four = five = six = wait

def together(data, context):
    return None if data is None else [str(len(row)) for row in data]
"""
BRANCHES = ("one", "two", "three", "four", "five", "six")
MODELS = [f"m{number}" for number in range(8)]
SPECS = {
    "chain": "models:\n  a: {url: upper.mar}\n  b: {url: upper.mar}\ndag:\n  first: [a]\n  a: [b]\n  b: [last]\n",
    "branch": "models: {}\ndag:\n  first: [one]\n  one: [together]\n",
    "fan": f"models: {{}}\ndag:\n  first: [{', '.join(BRANCHES)}]\n"
    + "".join(f"  {branch}: [together]\n" for branch in BRANCHES),
    "failing": "models: {retry-attempts: 0}\ndag:\n  fails: []\n",
    "eight": "models:\n" + "".join(f"  {m}: {{url: upper.mar}}\n" for m in MODELS) + "dag:\n"
    + "".join(f"  {source}: [{target}]\n" for source, target in itertools.pairwise(MODELS)),
}  # fmt: skip
# Seconds after which a request counts as stalled, and for which one is waited at most.
STALLED, PATIENCE = 1.0, 60.0


@dataclass(slots=True)
class Load:
    """What came of requests: seconds of each that was answered with 200, and how many were not."""

    taken: list[float] = field(default_factory=list[float])
    failed: int = 0
    length: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.taken) / self.length


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two."""

    inference: int
    management: int
    pid: int

    def ask(self, method: str, path: str) -> int:
        """The status of a request to the management interface."""
        connection = http.client.HTTPConnection("127.0.0.1", self.management, timeout=180)
        with contextlib.closing(connection):
            connection.request(method, path)
            return connection.getresponse().status

    def register(self, name: str) -> None:
        status = self.ask("POST", f"/workflows?url={name}.war")
        if status != 200:
            raise RuntimeError(f"registering {name} was answered with {status}")

    def remove(self, name: str) -> None:
        self.ask("DELETE", f"/workflows/{name}")

    def load(self, name: str, callers: int, *, length: float = 0.0, each: int = 0) -> Load:
        """Requests of `callers` connections, for `length` seconds or `each` of every caller."""
        found = Load()
        begun = time.perf_counter()
        until = begun + length if length else float("inf")
        threads = [threading.Thread(target=self._call, args=(name, until, each, found)) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found.length = length or time.perf_counter() - begun
        return found

    def _call(self, name: str, until: float, each: int, found: Load) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        connection = http.client.HTTPConnection("127.0.0.1", self.inference, timeout=PATIENCE)
        done = 0
        with contextlib.closing(connection):
            while (now := time.perf_counter()) < until and (not each or done < each):
                connection.request("POST", f"/wfpredict/{name}", b"hello", headers)
                answer = connection.getresponse()
                answer.read()
                took, done = time.perf_counter() - now, done + 1
                if answer.status != 200:
                    found.failed += 1
                elif now + took <= until:
                    found.taken.append(took)

    def memory(self) -> float:
        """MB of its processes; pages that they share are divided among them."""
        return sum(_share(pid) for pid in self.processes()) / 1e6

    def processes(self) -> list[int]:
        """It, and all that come from it."""
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        found = [self.pid]
        for one in found:
            found += [child for child, parent in parents.items() if parent == one]
        return found

    def threads(self) -> int:
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in self.processes())


def _share(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * float(line.split()[1])
    return 0.0


def pack(folder: Path) -> None:
    """The archives of `SPECS`."""
    from operator_lib.frontends.torchserve import Model, archives

    (folder / "upper.py").write_text(HANDLER)
    (folder / "functions.py").write_text(FUNCTIONS)
    Model("upper", handler=folder / "upper.py").pack(folder)
    for name, text in SPECS.items():
        (folder / f"{name}.yaml").write_text(text)
        archives.workflow(name, folder / f"{name}.yaml", folder / "functions.py", folder, "")


@contextlib.contextmanager
def ours(folder: Path) -> Generator[Server]:
    with workers.local(model_store=str(folder), disable_token_auth="") as worker:
        port = int(worker.url.rpartition(":")[2])
        yield Server(port, port, worker.pid)


@contextlib.contextmanager
def servers() -> Generator[tuple[Server, Server]]:
    """Ours and theirs, without a workflow."""
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as home:
        pack(Path(home))
        with ours(Path(home)) as mine, TORCHSERVE.running() as ask:
            ask(home)
            yield mine, Server(*(int(ask(word)) for word in ("inference", "management", "pid")))


Measure = Callable[[Server, bool], float]


def beside(
    name: str, what: str, unit: str, goal: tuple[str, float], measure: Measure, *, workflow: str = "", **more: Any
) -> Case:
    """A case that finds the same of both, in turns.

    Args:
        measure: what is found of one of them; with tiny sizes when it is true.
        workflow: is registered before.
    """

    @contextlib.contextmanager
    def rounds(quick: bool) -> Generator[Round]:
        with servers() as (ours, peer):
            for server in (ours, peer) if workflow else ():
                server.register(workflow)
            yield alternate(lambda: measure(ours, quick), lambda: measure(peer, quick))

    said: dict[str, Any] = {"beside": "TorchServe", "peer": TORCHSERVE, "group": "load", **more}
    return Case(name=name, what=what, unit=unit, goal_text=goal[0], goal=goal[1], rounds=rounds, **said)


def throughput(name: str, callers: int) -> Case:
    """Requests a second of the chain, from so many connections."""
    what = f"workflow of four nodes over HTTP, {callers} callers"

    def measure(server: Server, quick: bool) -> float:
        return server.load("chain", callers, length=0.3 if quick else 5.0).per_second

    return beside(name, what, "requests/s", ("at least 3 ×", 3.0), measure, workflow="chain", better="higher")
