"""Files that are read and never imported: packages, every way to import, every kind of name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from operator_lib.trace import build_from_file

# Every module leaves a mark when it is imported, and imports something that is not installed.
MARK = "import not_installed_anywhere\nopen(__file__ + '.ran', 'w').close()\n"
BASE = "from operator_lib import Operator\n"
FILES = {
    "shop/__init__.py": "from .parts import Scale as Rescale, make\nfrom .more import *\n",
    "shop/parts.py": BASE
    + "class Scale(Operator):\n    def __init__(self, n=1): self.n = n\n    def forward(self, x): return x\n"
    + "def make(kind): return KINDS[kind]()\nclass Clip(Scale): pass\nKINDS = {'scale': Scale, 'clip': Clip}\n",
    "shop/more.py": BASE + "__all__ = ['Extra']\nclass Extra(Operator):\n    def forward(self, x): return x\n",
    "shop/deep/__init__.py": "",
    "shop/deep/inner.py": "from ..parts import Scale\nfrom .. import parts as p, Rescale\nimport shop.more as m\n"
    "class Inner(Scale):\n    def __init__(self):\n        super().__init__(2)\n"
    "        self.one, self.two, self.three = p.Clip(), Rescale(), m.Extra()\n"
    "    def forward(self, x): return self.three(self.two(self.one(super().forward(x))))\n",
    "plain/tools.py": "def twice(op, x): return op(op(x))\n",
    "main.py": BASE
    + "import shop\nimport shop.deep.inner\nfrom shop import make, Extra\nfrom plain import tools\n"
    + "from operator_lib import Sequential, operator\n"
    + "try:\n    from fast import Scale\nexcept ImportError:\n    from shop.parts import Scale\n"
    + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.parts import Clip\n"
    + "class P(Operator):\n    def __init__(self):\n        self.inner = shop.deep.inner.Inner()\n"
    + "        self.made, self.extra, self.scale = make('clip'), Extra(), Scale()\n"
    + "    def forward(self, x, clip: 'Clip'):\n        x = self.inner(self.made(x))\n"
    + "        return clip(self.scale(tools.twice(self.extra, x)))\n"
    + "class Outer:\n    class Nested(Operator):\n        def __init__(self): self.e = Extra()\n"
    + "        def forward(self, x): return self.e(x)\n"
    + "pipeline = P()\nchain = Sequential(Extra(), make('scale'))\n"
    + "def build(): return Outer.Nested()\nbuilt = build()\n"
    + "@operator(cpu=1)\ndef job(x): return built(x)\nNUMBER = 3\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(MARK + text)
    return tmp_path


def calls(dag) -> list[str]:
    marks = {"exact": "!", "may": "?", "opaque": "-"}
    return [f"{n.operator or n.name}{marks[n.certainty]}" for n in dag.sites]


WHOLE = "made! inner! inner.one! inner.two! inner.three! tools.twice! extra! extra! scale? Clip?"


def test_a_program_in_several_packages(project):
    dag = build_from_file(str(project / "main.py"), "P")
    assert calls(dag) == WHOLE.split()
    files = {"main.py", "shop/parts.py", "shop/deep/inner.py", "shop/more.py", "plain/tools.py"}
    assert {n.file for n in dag.nodes} == files


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Outer.Nested", ["e!"]),
        ("chain", ["steps.0!", "steps.1!"]),
        ("built", ["e!"]),
        ("job", ["Nested!", "Extra!"]),
        ("Extra", []),
    ],
)
def test_whatever_the_name_stands_for(project, name, expected):
    assert calls(build_from_file(str(project / "main.py"), name)) == expected


def test_an_object_and_its_class_give_one_graph(project):
    file = str(project / "main.py")
    assert build_from_file(file, "pipeline").nodes == build_from_file(file, "P").nodes


@pytest.mark.parametrize("name", ["Missing", "Outer.Missing", "Missing.Nested", "NUMBER"])
def test_a_name_that_stands_for_no_operator(project, name):
    with pytest.raises(ValueError, match=f"no '{name}'|'{name}' in .* is 3, not an operator"):
        build_from_file(str(project / "main.py"), name)


def test_nothing_is_imported_and_nothing_runs(project):
    script = (
        "import sys, operator_lib, operator_lib.trace.assemble\nbefore = set(sys.modules)\n"
        "from operator_lib.trace import build_from_file\n"
        "for name in ('P', 'pipeline', 'chain', 'built', 'job', 'Outer.Nested'):\n"
        "    build_from_file('main.py', name).to_json()\n"
        "print([m for m in set(sys.modules) - before if m.split('.')[0] not in sys.stdlib_module_names])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert [m for m in eval(done.stdout) if not m.startswith("operator_lib")] == []
    assert not list(project.rglob("*.ran"))
