"""The same program has the same ids wherever and however it is written down, read and drawn."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import operator_lib
from operator_lib.trace import build_from_file

# What is drawn, byte for byte.
DRAW = """
import hashlib, sys
from operator_lib.trace import build_from_file
dag = build_from_file(sys.argv[1], "P")
drawn = [dag.to_json(), dag.to_svg(), dag.to_mermaid(), dag.to_dot(), str(dag)]
try:
    drawn.append(dag.to_proto().SerializeToString(deterministic=True).hex())
except ImportError:
    drawn.append("")
print([hashlib.sha256(text.encode()).hexdigest() for text in drawn])
"""
IDS = """
import sys
from operator_lib.trace import build_from_file
for name in sys.argv[1:]:
    dag = build_from_file(name, "P")
    print([(n.id, n.kind, n.uses) for n in dag.nodes], [(e.source, e.target, e.kind, e.name) for e in dag.edges])
"""


def _ids(path: Path) -> list[str]:
    return [n.id for n in build_from_file(str(path), "P").nodes]


def _reparsed(source: str) -> str:
    return ast.unparse(ast.parse(source))


def _spread(source: str) -> str:
    """Blank lines and comments before every statement of a block."""
    lines = source.splitlines()
    return "\n".join(f"\n{line[: len(line) - len(line.lstrip())]}# note\n{line}" for line in lines if line.strip())


class _Named(ast.NodeTransformer):
    """Docstrings everywhere, locals under other names."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if node.name == "forward":
            node.body.insert(0, ast.Expr(ast.Constant("What it does.")))
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node


def _renamed(source: str) -> str:
    """Every variable that only `forward` itself assigns gets another name."""
    tree = ast.parse(source)
    cls = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "P")
    body = next(n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "forward")
    inner = [p for p in ast.walk(body) if isinstance(p, ast.Lambda | ast.FunctionDef) and p is not body]
    kept = {a.arg for f in (body, *inner) for a in ast.walk(f.args) if isinstance(a, ast.arg)}
    stored = {n.id for n in ast.walk(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stored |= {n.name for n in ast.walk(body) if isinstance(n, ast.ExceptHandler | ast.MatchAs) and n.name}
    names = {name: f"renamed_{i}" for i, name in enumerate(sorted(stored - kept))}
    _Named(names).visit(body)
    for handler in ast.walk(body):
        if isinstance(handler, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and handler.name in names:
            handler.name = names[handler.name]
    return ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.parametrize("change", [_reparsed, _spread, _renamed], ids=["reparsed", "spread", "renamed"])
def test_another_way_to_write_it_is_the_same_program(case, change, tmp_path: Path):
    source, _ = case
    path = tmp_path / "program.py"
    path.write_text(source)
    before = build_from_file(str(path), "P")
    path.write_text(change(source))
    after = build_from_file(str(path), "P")
    assert [n.id for n in after.nodes] == [n.id for n in before.nodes]
    assert str(before.diff(after)) == "no difference"


def test_a_swap_of_two_variables_is_a_difference(tmp_path: Path, around):
    path = tmp_path / "program.py"
    path.write_text(around("y = self.a(x)\nz = self.b(x)\nreturn self.c(y, z)"))
    before = build_from_file(str(path), "P")
    path.write_text(around("y = self.a(x)\nz = self.b(x)\nreturn self.c(z, y)"))
    changed = before.diff(build_from_file(str(path), "P")).changed
    assert [(c.after.operator, c.reasons) for c in changed] == [("c", ("own code",)), (None, ("own code",))]


def test_another_folder_and_another_process_draw_the_same_bytes(tmp_path: Path, all_cases: str):
    drawn = set()
    for number, folder in enumerate(("one", "deeper/down/two")):
        home = tmp_path / folder
        home.mkdir(parents=True)
        (home / "program.py").write_text(all_cases)
        env = {**os.environ, "PYTHONHASHSEED": str(number), "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", DRAW, str(home / "program.py")]
        done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, check=True)
        drawn.add(done.stdout)
    assert len(drawn) == 1


def test_no_path_of_the_machine_is_in_it(tmp_path: Path, all_cases: str):
    (tmp_path / "program.py").write_text(all_cases)
    assert str(tmp_path) not in build_from_file(str(tmp_path / "program.py"), "P").to_json()


def _others() -> list[str]:
    """Interpreters of other minor versions that this machine has."""
    found = []
    for minor in (12, 13, 14):
        known = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
        path = shutil.which(f"python3.{minor}") if not known else str(known[-1])
        if path and sys.version_info[1] != minor:
            found.append(path)
    return found


@pytest.mark.parametrize("python", _others())
def test_another_python_gives_the_same_ids(python: str, tmp_path: Path, programs, around):
    strings = "return f'{self.a(x)!r:>{x}}' 'tail' f'{x=}' f'{x:}{{}}' f\"{x['k']}\" + '\U0001fae8'"
    texts = {**programs, "f-strings": around(strings)}
    files = []
    for number, text in enumerate(texts.values()):
        files.append(tmp_path / f"program_{number}.py")
        files[-1].write_text(text)
    home = Path(operator_lib.__file__).parents[1]  # without what is installed: reading a program needs nothing of it
    env = {**os.environ, "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    said = []
    for interpreter in (sys.executable, python):
        command = [interpreter, "-c", IDS, *map(str, files)]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
    differing = [name for name, one, other in zip(texts, *said, strict=True) if one != other]
    assert differing == []
