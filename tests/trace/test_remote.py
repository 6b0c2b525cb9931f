"""Operators that are latched on: their calls are nodes, what is inside of them is said to be elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from operator_lib import DAG, trace

PROGRAM = """
from operator_lib import Operator, operator
from operator_lib.frontends import sieve, tensorlake
from operator_lib.frontends.sieve import function
from operator_lib.frontends.tensorlake import RemoteGraph


@operator
def own(x: int) -> int:
    return x


class Program(Operator):
    def forward(self, x: int):
        added = Operator.from_job("adder")(x)
        job = Operator.from_job(job_name="adder")
        waiting = job.submit(added)
        known = job.run("01").result()
        job.job.pause()
        many = job.map([waiting.result(), known])
        encoder = Operator.from_serving("http://worker:7070/v1/servings/encoder/", "token")
        for one in many:
            many = [encoder(one), encoder.decode(one), encoder.head.run(one), encoder.decode.submit(one)]
        if encoder.serving.stats():
            return sieve.function.get("somebody/captions:3").run(x)
        other = function.get(x)
        other.push(1).result()
        RemoteGraph.by_name("graph").run(x=x)
        return own.deploy("own")(encoder.count + len(many))
"""

CALLS = [
    ("adder", 14, "exact", ""),
    ("adder", 16, "exact", ""),
    ("adder", 19, "may", "called by map"),
    ("encoder", 22, "may", "loop"),
    ("encoder.decode", 22, "may", "loop"),
    ("encoder.head.run", 22, "may", "loop"),
    ("encoder.decode", 22, "may", "loop"),
    ("captions", 24, "may", "branch"),
    ("function.get", 26, "may", "after-return"),
    ("graph", 27, "may", "after-return"),
    ("own", 28, "may", "after-return"),
]


def calls(dag: DAG) -> list[tuple[Any, ...]]:
    return [(n.name, n.line, n.certainty, n.reason or "") for n in dag.nodes if n.kind == "call"]


def test_every_call_of_a_handle_is_a_node(write: Callable[..., ModuleType], tmp_path: Path) -> None:
    program = write(PROGRAM, "latched_program")
    live = program.Program().dag()
    assert calls(live) == CALLS
    inside = [n for n in live.nodes if n.reason == "remote"]
    assert [live.node(n.parent).kind for n in inside] == ["call"] * len(CALLS)
    assert all(n.certainty == "opaque" for n in inside)
    assert "`encoder.decode` is deployed" in str(live.explain())
    only_read = trace.build_from_file(tmp_path / "latched_program.py", "Program")
    assert calls(only_read) == CALLS
    assert [n.id for n in only_read.nodes] == [n.id for n in live.nodes]


def test_what_a_call_of_a_handle_gives_flows_on(write: Callable[..., ModuleType]) -> None:
    program = write(
        """
        from operator_lib import Operator

        class Program(Operator):
            def __init__(self):
                super().__init__()
                self.remote = Operator.from_serving("http://worker/v1/servings/encoder/")
            def forward(self, x):
                first = self.remote.encode(x)
                return self.remote(first)
        """,
        "latched_child",
    )
    dag = trace.build_from_file(str(program.__file__), "Program")
    first, second = (n for n in dag.nodes if n.kind == "call")
    assert (first.operator, second.operator) == ("remote", "remote")
    flows = [e.name for e in dag.edges if (e.source, e.target, e.kind) == (first.id, second.id, "data")]
    assert flows == ["first"]
