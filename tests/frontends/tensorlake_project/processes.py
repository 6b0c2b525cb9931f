"""Functions that tell in which process they run, and how often they were made."""

import os
from pathlib import Path

from operator_lib.frontends.tensorlake import Graph, RouteTo, TensorlakeCompute, tensorlake_function


@tensorlake_function()
def here(x: int) -> int:
    return os.getpid()


@tensorlake_function(timeout=20)
def there(x: int) -> int:
    return os.getpid()


class Larger(TensorlakeCompute):
    memory = 2
    cpu = 2

    def run(self, x: int) -> int:
        return os.getpid()


@tensorlake_function(memory=1.0, ephemeral_disk=2)
def pair(x: int) -> int:
    return os.getpid()


@tensorlake_function()
def last(x: int) -> int:
    return os.getpid()


graph = Graph("processes", here)
graph.add_edge(here, there).add_edge(there, Larger).add_edge(Larger, pair).add_edge(pair, last)


class Counted(TensorlakeCompute):
    made = 0

    def __init__(self):
        super().__init__()
        Counted.made += 1

    def run(self, x: int) -> dict:
        return {"made": self.made, "object": id(self)}


class NeverReached(TensorlakeCompute):
    def __init__(self):
        raise RuntimeError("too large for this machine")

    def run(self, x: int) -> int:
        return x


@tensorlake_function(next=[Counted, NeverReached])
def repeat(times: int) -> RouteTo[list, Counted]:
    return RouteTo(list(range(times)), Counted)


counted = Graph("counted", repeat)


class Fragile(TensorlakeCompute):
    def __init__(self):
        super().__init__()
        if not Path(os.environ["FRAGILE"]).exists():
            Path(os.environ["FRAGILE"]).touch()
            raise RuntimeError("not the first time")

    def run(self, file: str) -> str:
        return "made"


@tensorlake_function(next=Fragile)
def remember(file: str) -> str:
    os.environ["FRAGILE"] = file
    return file


fragile = Graph("fragile", remember)
