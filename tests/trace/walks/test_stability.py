"""The same random programs: same bytes when drawn again, same ids when only the looks of the source change."""

import ast
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from walks.program import write

from operator_lib.trace import source

SEEDS = range(7000, 7040)

DRAW = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
from operator_lib.trace.assemble import from_object
for name in sys.argv[2:]:
    print(from_object(importlib.import_module(name).Program())[0].to_json())
"""


def ids(dag):
    return [(n.id, n.kind, n.operator) for n in dag.nodes]


def programs():
    return [write(random.Random(seed)) for seed in SEEDS]


def test_drawn_again_in_a_fresh_world_it_is_the_same_bytes(folder):
    for text in programs():
        first = folder.graph(text, "again").to_json()
        source.clear()
        assert folder.graph(text, "again").to_json() == first


def test_another_process_with_another_hash_seed_gives_the_same_bytes(folder):
    texts = programs()[:8]
    here = [folder.graph(text, f"elsewhere_{i}").to_json() for i, text in enumerate(texts)]
    names = [f"elsewhere_{i}" for i in range(len(texts))]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(folder.path), *names],
        env=environment, capture_output=True, text=True, check=True, cwd=Path(folder.path),
    )  # fmt: skip
    assert [json.loads(line) for line in done.stdout.splitlines()] == [json.loads(text) for text in here]
    assert done.stdout.splitlines() == here


def test_comments_blank_lines_and_formatting_change_no_id(folder):
    for text in programs():
        before = ids(folder.graph(text, "looks"))
        for changed in (commented(text), ast.unparse(ast.parse(text))):
            source.clear()
            assert ids(folder.graph(changed, "looks")) == before, changed


def test_renamed_locals_change_no_id(folder):
    for text in programs():
        before = ids(folder.graph(text, "names"))
        source.clear()
        assert ids(folder.graph(renamed(text), "names")) == before, renamed(text)


def test_the_text_alone_gives_the_graph_of_the_live_object(folder):
    for text in programs():
        live = folder.graph(text, "both")
        read = folder.read(text, "both")
        sites = [[(n.id, n.operator, n.line, n.col, n.certainty) for n in dag.sites] for dag in (live, read)]
        assert sites[0] == sites[1], text
        assert ids(live) == ids(read), text


def commented(text: str) -> str:
    """A comment and a blank line before every line, and a comment behind it."""
    return "".join(f"\n# before {i}\n{line}  # behind\n" for i, line in enumerate(text.splitlines()) if line.strip())


OTHER = {"z": "zebra", "m": "mole", "ops": "many", "f": "fun", "k": "kid", "o": "one", "i": "index", "v": "value"}


class _Renamed(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = OTHER.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = OTHER.get(node.arg, node.arg)
        return node


def renamed(text: str) -> str:
    """Other names for local variables, and for parameters of local functions."""
    return ast.unparse(_Renamed().visit(ast.parse(text)))
