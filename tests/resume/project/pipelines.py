"""Programs that tell a file which of their bodies have run."""

import asyncio
import os
import resource
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from operator_lib import Operator, RequestContext, Retries, operator
from operator_lib.errors import OperatorTimeout


def note(path, text):
    """Append a line: one write, so that lines of several processes do not mix."""
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
        file.write(text.encode() + b"\n")


def once(path):
    """True the first time that anybody asks for this file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


class Step(Operator):
    def __init__(self, index):
        self.index = index

    def forward(self, effects, x):
        note(effects, f"step {self.index}")
        return x * 2 + self.index


class Pipeline(Operator):
    """Waits to be killed, once each, before some of its steps; the number after the last is its end."""

    def __init__(self, count):
        self.steps = [Step(i) for i in range(count)]

    def forward(self, effects, *wait_at):
        x = 1
        for index, step in enumerate(self.steps):
            if index in wait_at:
                wait_to_be_killed(effects, index)
            x = step(effects, x)
        if len(self.steps) in wait_at:
            wait_to_be_killed(effects, len(self.steps))
        return x


def wait_to_be_killed(effects, place=""):
    """The first time at each place: say who waits, and wait."""
    if once(f"{effects}.waits{place}"):
        note(f"{effects}.pid", str(os.getpid()))
        time.sleep(600)


class Fails(Operator):
    """Fails half-way as often as it is told, in this process or with it."""

    class Options:
        retries = Retries(2, initial_delay=0)

    def __init__(self):
        self.first = Step(1)
        self.second = Step(2)

    def forward(self, effects, how):
        x = self.first(effects, 1)
        if once(f"{effects}.failed"):
            if how == "exit":
                os._exit(3)
            raise ConnectionError("in the middle")
        return self.second(effects, x)


class Mutates(Operator):
    def forward(self, effects, items):
        note(effects, "mutates")
        items.append(len(items))
        return len(items)


class WithMutation(Operator):
    def __init__(self):
        self.mutates = Mutates()

    def forward(self, effects):
        items = [7]
        found = [self.mutates(effects, items), self.mutates(effects, items)]
        wait_to_be_killed(effects)
        return found, items


class Counter(Operator):
    def __init__(self):
        self.total = 0
        self.seen = []
        self.inner = Inner()

    def forward(self, effects, n):
        note(effects, f"count {n}")
        self.total += n
        self.seen.append(n)
        self.last = n
        return self.total, self.inner()


class Inner(Operator):
    def __init__(self):
        self.calls = {"n": 0}

    def forward(self):
        self.calls["n"] += 1
        return self.calls["n"]


class Stateful(Operator):
    """What the counter holds is held by the root too."""

    def __init__(self):
        self.counter = Counter()
        self.shared = self.counter.seen

    def forward(self, effects, kill_after):
        found = []
        for n in range(4):
            found.append(self.counter(effects, n))
            if n == kill_after:
                wait_to_be_killed(effects)
        return found, self.shared, self.counter.last, self.counter.inner.calls


class Rolls(Operator):
    def forward(self, effects, sides):
        rolled = uuid.uuid4().hex
        note(effects, rolled)
        return rolled


class Equal(Operator):
    def __init__(self):
        self.rolls = Rolls()

    def forward(self, effects):
        found = [self.rolls(effects, 6) for _ in range(3)]
        wait_to_be_killed(effects)
        return [*found, self.rolls(effects, 6)]


class Threads(Operator):
    """Equal and different calls at the same time."""

    def __init__(self):
        self.rolls = Rolls()

    def forward(self, effects, how):
        sides = [1, 2, 3, 1, 1, 2]
        if how == "map":
            found = self.rolls.star_map([(self.rolls, (effects, n)) for n in sides], 4)
        else:
            with ThreadPoolExecutor(4) as pool:
                found = list(pool.map(lambda n: self.rolls(effects, n), sides))
        wait_to_be_killed(effects)
        return found


class Later(Operator):
    async def forward(self, effects, n):
        await asyncio.sleep(0)
        note(effects, f"later {n}")
        return n * 10


class Tasks(Operator):
    def __init__(self):
        self.later = Later()

    async def forward(self, effects):
        found = await asyncio.gather(*(self.later(effects, n % 2) for n in range(4)))
        wait_to_be_killed(effects)
        return found, await self.later(effects, 5)


class Gives(Operator):
    """Values that are not easily stored."""

    def forward(self, effects, what):
        note(effects, what)
        if what == "large":
            return bytes(65 << 20)
        if what == "lock":
            return threading.Lock()
        if what == "lambda":
            return lambda x: x + 1
        return iter([1, 2])


class Unstorable(Operator):
    def __init__(self):
        self.gives = Gives()

    def forward(self, effects, what):
        for _ in range(2):
            value = self.gives(effects, what)
        wait_to_be_killed(effects)
        if what == "large":
            return len(value)
        return value(1) if what == "lambda" else type(value).__name__


class Sized(Operator):
    def forward(self, effects, size):
        note(effects, f"sized {size}")
        return os.urandom(size)


class WithoutRoom(Operator):
    """In a process that may only write small files."""

    def __init__(self):
        self.sized = Sized()

    def forward(self, effects):
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        found = [self.sized(effects, size) for size in (10, 100_000, 11)]
        wait_to_be_killed(effects)
        return [len(value) for value in found]


class Takes(Operator):
    def forward(self, effects, lock):
        note(effects, "takes")
        return lock.locked()


class GivenALock(Operator):
    def __init__(self):
        self.takes = Takes()

    def forward(self, effects):
        found = self.takes(effects, threading.Lock())
        wait_to_be_killed(effects)
        return found


@operator
def double(effects, x):
    note(effects, f"double {x}")
    return 2 * x


@operator(checkpoint=False)
def forgotten(effects, x):
    note(effects, f"forgotten {x}")
    return x


@operator
def functions(effects):
    x = double(effects, double(effects, forgotten(effects, 1)))
    wait_to_be_killed(effects)
    return x


class Leaf(Operator):
    def forward(self, effects, x):
        note(effects, f"leaf {x}")
        return x + 1


class KeptLeaf(Leaf):
    options = {"checkpoint": True}


class Branch(Operator):
    def __init__(self, leaf):
        self.leaf = leaf

    def forward(self, effects, x):
        x = self.leaf(effects, x)
        wait_to_be_killed(effects)
        return x


class Nested(Operator):
    def __init__(self, leaf):
        self.branch = Branch(leaf)

    def forward(self, effects):
        return self.branch(effects, 1)


class Spins(Operator):
    class Options:
        timeout = 1
        retries = Retries(1, initial_delay=0)

    def forward(self, effects, until_told):
        note(effects, "spins")
        while not os.path.exists(until_told):
            pass
        return "stopped"


@operator(retries=Retries(1, initial_delay=0))
def leaves(effects):
    """Ends its process, every time."""
    note(effects, "leaves")
    os._exit(3)


class Catches(Operator):
    def __init__(self):
        self.first = Step(1)
        self.spins = Spins()

    def forward(self, effects, catch):
        x = self.first(effects, 1)
        try:
            return self.spins(effects, f"{effects}.stop")
        except OperatorTimeout as error:
            if not catch:
                raise
            return f"{x}: {error}"


class Random(Operator):
    """Never makes the same call twice, and each takes too long."""

    class Options:
        timeout = 1

    def forward(self, effects, salt):
        note(effects, "spins")
        while True:
            pass


class NeverTheSame(Operator):
    def __init__(self):
        self.random = Random()

    def forward(self, effects):
        return self.random(effects, uuid.uuid4().hex)


class Raises(Operator):
    """The first time."""

    def forward(self, effects):
        if once(f"{effects}.raised"):
            return 1 / 0
        return "better"


class Sets(Operator):
    def forward(self, effects, n):
        note(effects, f"sets {n}")
        RequestContext.get().state.set("n", n)


class Adds(Operator):
    def forward(self, effects, n):
        note(effects, f"adds {n}")
        return n + RequestContext.get().state.get("n")


class WithState(Operator):
    def __init__(self):
        self.sets = Sets()
        self.adds = Adds()
        self.step = Step(2)

    def forward(self, effects):
        self.sets(effects, 5)
        self.step(effects, 1)
        return self.adds(effects, 7)


class Arrays(Operator):
    """A step that makes an array and one that looks at it; then it fails once."""

    def __init__(self):
        self.make, self.total = MakeArray(), SumArray()

    def forward(self, effects, size):
        total = self.total(effects, self.make(effects, size))
        if once(f"{effects}.failed"):
            raise ValueError("once")
        return total


class MakeArray(Operator):
    def forward(self, effects, size):
        import numpy as np

        note(effects, "made")
        return {"large": np.arange(size, dtype=float).reshape(-1, 4), "turned": np.arange(size)[::-1]}


class SumArray(Operator):
    def forward(self, effects, arrays):
        note(effects, "summed")
        return float(arrays["large"].sum() + arrays["turned"][0])
