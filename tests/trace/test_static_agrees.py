"""What names denote: the same graph from the live object and from the text alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from operator_lib.trace import build_from_file

HEAD = """
import asyncio, contextlib, functools, itertools
import operator as op_module
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Generic, NamedTuple, TypeVar
from operator_lib import Operator, OperatorDict, OperatorList, Sequential, operator

class A(Operator):
    def forward(self, x=0, *rest, **named):
        return x

class B(A):
    def forward(self, x=0):
        return super().forward(x)

def wrap(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)
    return inner

"""


def read() -> dict[str, tuple[str, str, str]]:
    """name -> program; its calls in order ("!" exact, "?" may, "-" opaque); what the text alone gives, if less."""
    found: dict[str, tuple[str, str, str]] = {}
    text = (Path(__file__).parent / "denotations.txt").read_text()
    for block in re.split(r"^(?=#: (?!text alone))", text, flags=re.M)[1:]:
        head, *lines = block.splitlines()
        name, _, calls = head[3:].partition(" -> ")
        less = lines.pop(0).partition(" -> ")[2] if lines[0].startswith("#: text alone") else ""
        found[name] = ("\n".join(lines), calls.strip(), less)
    return found


PROGRAMS = read()


def calls(dag) -> str:
    marks = {"exact": "!", "may": "?", "opaque": "-"}
    shown = [n for n in dag.nodes if n.certainty == "opaque" or n.kind == "call"]
    return " ".join(f"{n.operator or n.name}{marks[n.certainty]}" for n in shown)


def everything(dag):
    nodes = [(n.id, n.kind, n.operator, n.certainty, n.parent) for n in dag.nodes]
    return nodes, [(e.source, e.target, e.kind, e.name, e.certainty) for e in dag.edges]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_live_object(write, name):
    source, expected, _ = PROGRAMS[name]
    assert calls(write(HEAD + source).P().dag()) == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_alone(write, tmp_path, name):
    source, _, less = PROGRAMS[name]
    module = write(HEAD + source)
    read = build_from_file(str(tmp_path / f"{module.__name__}.py"), "P")
    if less:
        assert calls(read) == less
    else:
        assert everything(read) == everything(module.P().dag()), read


def test_the_table_of_calls(write, tmp_path, case):
    module = write(case[0])
    read = build_from_file(str(tmp_path / f"{module.__name__}.py"), "P")
    assert everything(read) == everything(module.P().dag()), read
