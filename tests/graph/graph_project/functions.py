"""Functions and graphs of several shapes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operator_lib import Graph, Operator, RequestContext, RouteTo, operator


@operator(accumulate=int)
def total(sum: int, x: int) -> int:
    return sum + x


@operator(next=total)
def square(x: int) -> int:
    return x * x


@operator(next=square)
def count(n: int) -> list[int]:
    return list(range(n))


@operator
def even(x: int) -> str:
    return f"{x} is even"


@operator
def odd(x: int) -> str:
    return f"{x} is odd"


@operator(next=[even, odd])
def parity(x: int) -> RouteTo[int, even | odd]:
    if x < 0:
        return RouteTo(x, [])
    return RouteTo(x, even if x % 2 == 0 else odd)


@operator
def plus_one(x: int) -> int:
    return x + 1


@operator
def times_ten(x: int) -> int:
    return x * 10


@operator
def both(one: int, other: int) -> tuple[int, int]:
    return one, other


@operator
def same(x: Any) -> Any:
    return x


class Power(Operator):
    def __init__(self, exponent: int = 3):
        self.exponent = exponent

    def forward(self, x: int) -> int:
        return x**self.exponent


@operator
def drawn(n: int) -> Iterator[int]:
    yield from range(n)


@operator
async def awaited(x: int) -> int:
    await asyncio.sleep(0)
    return x + 100


@operator(use_ctx=True)
def remember(ctx: RequestContext, x: int) -> int:
    ctx.state.set("seen", x)
    ctx.progress.update(1, 2, "half-way")
    return x


@operator(use_ctx=True)
def recall(ctx: RequestContext, x: int) -> tuple[int, str, str]:
    return ctx.state.get("seen"), ctx.request_id, ctx.graph_name


@operator
def fail_for_three(x: int) -> int:
    if x == 3:
        raise ValueError("three is not wanted")
    return x


@operator
def write_down(path: str) -> str:
    """Fails twice."""
    file = Path(path)
    file.write_text(file.read_text() + "x" if file.exists() else "x")
    if len(file.read_text()) < 3:
        raise RuntimeError("not yet")
    return file.read_text()


@operator
def note(path: str) -> str:
    with open(path, "a") as file:
        file.write("note ")
    return path


@operator
def route_on(path: str) -> RouteTo[str, fail_once]:
    with open(path, "a") as file:
        file.write("route ")
    return RouteTo(path, fail_once)


@operator
def fail_once(path: str) -> str:
    text = Path(path).read_text()
    Path(path).write_text(text + "last ")
    if "last" not in text:
        raise RuntimeError("for the first time")
    return Path(path).read_text()


def once() -> Graph:
    return Graph("once", note).add_edge(note, route_on).add_edge(route_on, fail_once)


class AroundOnce(Operator):
    def __init__(self) -> None:
        self.graph = once()

    def forward(self, path: str) -> str:
        return self.graph(path)


@operator
def slower_first(x: int) -> int:
    time.sleep(0.05 * (x == 0))
    return x


@operator
def tell(total: int) -> int:
    """Fails when it is called for the first time, if it is told where to note that."""
    mark = Path(os.environ.get("TELL", ""))
    if mark.name and not mark.exists():
        mark.touch()
        raise RuntimeError("for the first time")
    return total


@operator
def where_to_note(path: str) -> list[int]:
    os.environ["TELL"] = path
    return [0, 1, 2]


def nested() -> Graph:
    """A graph that is called for the items of a list."""
    inner = Graph("inner", slower_first).add_edge(slower_first, plus_one)
    return Graph("nested", where_to_note).add_edge(where_to_note, inner).add_edge(inner, total).add_edge(total, tell)


squares = Graph("squares", start_node=count, description="Adds up squares.")
routed = Graph("routed", start_node=parity)


def diamond() -> Graph:
    return (
        Graph("diamond", same).add_edges(same, [plus_one, times_ten]).add_edge(plus_one, both).add_edge(times_ten, both)
    )


class Around(Operator):
    """A graph is a child like any other."""

    def __init__(self) -> None:
        self.graph = squares
        self.after = Power(2)

    def forward(self, n: int) -> int:
        return self.after(self.graph(n))
