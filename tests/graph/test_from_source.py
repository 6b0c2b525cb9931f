"""A graph that is only read is the one that the program makes: nothing is imported for it."""

from __future__ import annotations

import importlib
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operator_lib import DAG
from operator_lib.trace import build_from_file
from operator_lib.trace.dag import Node

HEAD = '''
from typing import List, Union
from operator_lib import Graph, Operator, RouteTo, operator

@operator
def double(x: int) -> int:
    """Twice."""
    return 2 * x

@operator()
def half(x: int) -> float:
    return x / 2

@operator(name="show")
def in_words(x: float) -> str:
    return str(x)

@operator
def join(one: float, other: str) -> tuple:
    return one, other

@operator
def numbers(n: int) -> list[int]:
    return list(range(n))

@operator(accumulate=int)
def total(sum: int, x: int) -> int:
    return sum + x

show = in_words

'''
OTHER_FILES = {
    "parts.py": """
from operator_lib import Graph, operator
from package.inner import deep

@operator
def parts_first(x: int) -> int:
    return helper(x)

def helper(x):
    return x

@operator
def parts_second(x: int) -> int:
    return x

@operator(name="renamed")
def parts_third(x: int) -> int:
    return x

@operator
def fallback(x: int) -> int:
    return x

parts_graph = Graph("parts", parts_first).add_edge(parts_first, parts_second)
""",
    "package/__init__.py": "",
    "package/inner.py": "from operator_lib import operator\n\n@operator\ndef deep(x: int) -> int:\n    return x\n",
}
_numbers = itertools.count()


def read(file: str) -> dict[str, tuple[str, str, str]]:
    """name -> program; its calls in order ("!" exact, "?" may, "-" opaque); what the text alone gives, if less."""
    found: dict[str, tuple[str, str, str]] = {}
    text = (Path(__file__).parent / file).read_text()
    for block in re.split(r"^(?=#: (?!text alone))", text, flags=re.M)[1:]:
        head, *lines = block.splitlines()
        name, _, calls = head[3:].partition(" -> ")
        less = lines.pop(0).partition(" -> ")[2] if lines[0].startswith("#: text alone") else ""
        found[name] = ("\n".join(lines) + "\n", calls.strip(), less)
    return found


PROGRAMS = read("declarations.txt")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[[str], tuple[Path, Any]]]:
    """``program(source)``: the file, and the module that it is when imported."""
    for name, text in OTHER_FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = set(sys.modules)
    sys.path.insert(0, str(tmp_path))

    def write(source: str) -> tuple[Path, Any]:
        file = tmp_path / f"flows_{next(_numbers)}.py"
        file.write_text(source)
        importlib.invalidate_caches()
        return file, importlib.import_module(file.stem)

    yield write
    sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def calls(dag: DAG) -> str:
    marks = {"exact": "!", "may": "?", "opaque": "-"}
    shown = [n for n in dag.nodes if n.certainty == "opaque" or n.kind == "call"]
    return " ".join(f"{n.operator or n.name}{marks[n.certainty]}" for n in shown)


def same(one: DAG, other: DAG) -> bool:
    assert (one.name, one.signature, one.doc) == (other.name, other.signature, other.doc)
    assert list(map(shown, one.nodes)) == list(map(shown, other.nodes))
    return one.edges == other.edges


def shown(node: Node) -> Any:
    return node.id, node.kind, node.operator, node.name, node.certainty, node.reason, node.parent, node.file, node.line


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_alone(program: Callable[[str], tuple[Path, Any]], name: str) -> None:
    source, expected, less = PROGRAMS[name]
    file, module = program(HEAD + source)
    live = module.g.dag()
    assert calls(live) == expected
    found = build_from_file(file, "g")
    if less:
        assert calls(found) == less
        for note in found.explain():
            assert (note.reason, note.file) == ("graph-function", file.name)
            assert note.line > 0
            assert "add_edge" in note.fix
    else:
        assert same(found, live)


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        ("g = Graph('g', double).add_edge(double, half).add_edge(half, double)", "graph g: .* cycle: half -> double"),
        ("g = Graph('g', double).add_edge(half, show)", "graph g: not reachable from the start node double: half"),
        ("g = Graph('g', double).add_edge(double, operator(half, name='double'))", "graph g has two functions called"),
        ("g = Graph('g', double).add_edge('treble', half)", "graph g has no function 'treble'; it has double"),
        ("class A(Operator): pass\ng = Graph('g', A)", r"graph g cannot call A, which has no forward\(\)"),
        (
            "@operator(next=double)\ndef way(x) -> RouteTo[int, Union[double, show]]: ...\ng = Graph('g', way)",
            "graph g: way says that it routes to 'show', which does not follow it",
        ),
    ],
)
def test_a_graph_that_cannot_run(tmp_path: Path, source: str, mistake: str) -> None:
    (tmp_path / "flows.py").write_text(f"raise SystemExit\n{HEAD}{source}\n")
    with pytest.raises(ValueError, match=mistake):
        build_from_file(tmp_path / "flows.py", "g")
    assert build_from_file(tmp_path / "flows.py", "double").coverage == 1.0
