"""Graphs of 1,000 no-ops: every function after another, or all items of a list through one; ours and those of peers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any, Literal

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.peers.separate import Peer

Shape = Literal["chain", "fan"]
NODES = 1_000

SOURCE = """
from operator_lib import Graph, operator

def same(x: int) -> int:
    return x

@operator
def numbers(count: int) -> list[int]:
    return list(range(count))

@operator(accumulate=int)
def total(so_far: int, x: int) -> int:
    return so_far + x

def chain(nodes):
    functions = [operator(same, name=f"same_{number}") for number in range(nodes)]
    graph = Graph("chain", start_node=functions[0])
    for source, target in zip(functions, functions[1:]):
        graph.add_edge(source, target)
    return graph

def fan():
    each = operator(same)
    return Graph("fan", start_node=numbers).add_edge(numbers, each).add_edge(each, total)
"""


@contextlib.contextmanager
def ours(shape: Shape, nodes: int, deployed: bool) -> Generator[Callable[[], float]]:
    """Nodes a second of our graph, called in this process or run on a worker: recorded, its values stored."""
    # In a fan, half of the calls belong to the items, half to what adds them up.
    given, result = (1, 1) if shape == "chain" else (nodes // 2, sum(range(nodes // 2)))
    with workers.local(), project.module(SOURCE) as user:
        graph: Any = user.chain(nodes) if shape == "chain" else user.fan()
        job = graph.deploy(shape) if deployed else None

        def once() -> float:
            results: list[Any] = []
            taken = seconds(lambda: results.append(graph(given) if job is None else job.submit(given).result()))
            assert results == [result]
            return nodes / taken

        yield once


def case(name: str, shape: Shape, peer: Peer, nodes: int, *, deployed: bool) -> Case:
    """Ours of 1,000 nodes beside a peer's of `nodes`."""

    @contextlib.contextmanager
    def rounds(quick: bool) -> Generator[Round]:
        count, theirs = (20, 5) if quick else (NODES, nodes)
        with ours(shape, count, deployed) as mine, peer.running() as ask:
            yield alternate(mine, lambda: theirs / ask(f"{shape} {theirs}"))

    where = "on a worker" if deployed else "in this process"
    form = "one after another" if shape == "chain" else "side by side"
    return Case(
        name=name,
        what=f"graph of {NODES:,} no-ops {form}, {where}",
        unit="nodes/s",
        beside=f"{peer.title}, {nodes:,} nodes",
        goal_text="at least 20 ×",
        goal=20.0,
        better="higher",
        rounds=rounds,
        peer=peer,
    )
