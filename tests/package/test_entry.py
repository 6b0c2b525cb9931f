"""An operator goes to another process, where the script or notebook that made it does not exist."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from operator_lib import Operator
from operator_lib.errors import DeployError, PythonVersionMismatch
from operator_lib.package.constructor import check_no_arguments
from operator_lib.package.entry import fingerprint, pack, read_header, unpack

HELPERS = """
import sqlite3
from operator_lib import Operator, operator

CONNECTION = sqlite3.connect(":memory:")      # cannot be pickled, and need not be
SEEN = []

def triple(x):
    return 3 * x

@operator
def decorated(x):
    CONNECTION.execute("select 1")
    return triple(x)

@operator
class Counter:
    def __init__(self, start=1):
        self.start = start
    def forward(self, x):
        return self.start + x

add = lambda x: triple(x) + 1

def adder(n):
    def inner(x):
        SEEN.append(x)
        return triple(x) + n
    return inner
"""

SCRIPT = """
from __future__ import annotations
import dataclasses, enum, sys
from pathlib import Path
import helpers
from operator_lib import Operator, operator

class Color(enum.Enum):
    RED = 1
    BLUE = 2

@dataclasses.dataclass
class Point:
    x: int
    y: int = 2

OFFSET = 10
LIMITS = {"a", "b", "c", "d"}

def helper(x):
    return x + OFFSET

class Base(Operator):
    def __init__(self, n):
        super().__init__()
        self.n = n
    def forward(self, x):
        return self.n + x

class Child(Base):
    def __init__(self, n):
        super().__init__(n)
        self.color = Color.BLUE
        self.tags = {"x", "y", "z", "zz"}
    def forward(self, x):
        assert self.color is Color.BLUE
        return super().forward(x) + helper(x)      # the line of the traceback

@operator
def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)

@operator
class Shift:
    def __init__(self, by=1):
        self.by = by
    def forward(self, p: Point) -> int:
        return p.x in {1, 2, 3} and p.x + self.by

class Pipeline(Operator):
    def __init__(self):
        super().__init__()
        self.child = Child(1)
        self.parts = [factorial, Shift(5), helpers.decorated, helpers.Counter(2)]
        self.plain = [helpers.add, helpers.adder(7), lambda x: x * OFFSET, "b" in LIMITS]
    def forward(self, x):
        a, b, c, d = self.parts
        e, f, g, h = self.plain
        return [self.child(x), a(4), b(Point(1)), c(2), d(1), e(1), f(1), g(2), h]

if __name__ == "__main__":
    from operator_lib.package.entry import pack
    targets = {"Pipeline": Pipeline, "pipeline": Pipeline(), "Shift": Shift, "factorial": factorial}
    target = targets[sys.argv[1]]
    Path(sys.argv[2]).write_bytes(pack(target))
    print("the guard ran")
"""

RUN = """
import inspect, pickle, sys, traceback, typing
def main():
    from operator_lib.package.entry import unpack
    op = unpack(open(sys.argv[1], "rb").read(), root=sys.argv[2])
    exec(sys.argv[3], {**globals(), "op": op, "main": sys.modules["__main__"]})
main()
"""


@pytest.fixture
def packed(tree, python, tmp_path: Path):
    """Packs in one process; gives a function that unpacks in another, with the script gone, and runs code on
    `op`.
    """
    root = tree({"helpers.py": HELPERS, "script.py": SCRIPT})

    def pack_and_run(what: str, code: str, *, keep_script: bool = False) -> str:
        out = tmp_path / f"{what}.bin"
        assert python(root / "script.py", what, out) == "the guard ran\n"
        there = tmp_path / "there"
        shutil.copytree(root, there, dirs_exist_ok=True)
        shutil.rmtree(root)
        if not keep_script:
            (there / "script.py").unlink()
        return python(RUN, out, there, code, cwd=tmp_path)

    return pack_and_run


def test_a_pipeline_of_a_script_runs_elsewhere(packed) -> None:
    assert packed("pipeline", "print(op(1))") == "[13, 24, 6, 6, 3, 4, 10, 20, True]\n"


def test_a_class_is_constructed_over_there(packed) -> None:
    assert packed("Pipeline", "print(op(1)[0], type(op).__module__)") == "13 __main__\n"


def test_a_decorated_class_and_a_recursive_function_of_a_script(packed) -> None:
    code = "print(op(type('P', (), {'x': 2})), type(op).__name__)"
    assert packed("Shift", code) == "3 Shift\n"


def test_a_decorated_function_of_a_script_calls_itself(packed) -> None:
    assert packed("factorial", "print(op(5), op.__name__)") == "120 factorial\n"


def test_what_lives_in_files_is_the_module_of_the_worker(packed) -> None:
    code = """
helpers = sys.modules["helpers"]
print(helpers.__file__.startswith(sys.argv[2]), op.parts[2] is helpers.decorated)
print(op.plain[0].__globals__ is vars(helpers))
op.plain[1](5); print(helpers.SEEN)
"""
    assert packed("pipeline", code) == "True True\nTrue\n[5]\n"


def test_source_and_tracebacks_work_although_the_script_is_gone(packed) -> None:
    code = """
classes = [type(op), type(op.child), main.Point, main.Color]
for thing in (*classes, op.forward, main.helper, op.plain[2], type(op.parts[1])):
    print(inspect.getsource(thing).strip().splitlines()[0])
main.OFFSET = None
try:
    op(1)
except TypeError:
    print("# the line of the traceback" in traceback.format_exc())
"""
    assert packed("pipeline", code).splitlines() == [
        "class Pipeline(Operator):",
        "class Child(Base):",
        "@dataclasses.dataclass",
        "class Color(enum.Enum):",
        "def forward(self, x):",
        "def helper(x):",
        'self.plain = [helpers.add, helpers.adder(7), lambda x: x * OFFSET, "b" in LIMITS]',
        "@operator",
        "True",
    ]


def test_main_over_there_is_the_callers_for_hints_pickle_and_files(packed) -> None:
    code = """
print(typing.get_type_hints(type(op.parts[1]).forward)["p"] is main.Point)
print(pickle.loads(pickle.dumps(op.child)).n, main.__file__ == sys.argv[2] + "/script.py", main.__name__)
"""
    assert packed("pipeline", code, keep_script=True) == "True\n1 True __main__\n"


@pytest.mark.parametrize("what", ["pipeline", "Shift", "factorial"])
def test_the_fingerprint_is_the_same_in_every_process_and_place(tree, python, tmp_path: Path, what: str) -> None:
    root = tree({"helpers.py": HELPERS, "script.py": SCRIPT})
    found = set()
    for seed in (1, 2, 3):
        python(root / "script.py", what, tmp_path / "out.bin", seed=seed)
        found.add(fingerprint((tmp_path / "out.bin").read_bytes()))
        root = root.rename(tmp_path / f"moved-{seed}")
        text = (root / "script.py").read_text()
        (root / "script.py").write_text("# a comment more\n\n" + text)
    assert len(found) == 1
    (root / "script.py").write_text(text.replace("n * fact", "1 + fact").replace("{1, 2, 3}", "{1, 2, 4}"))
    python(root / "script.py", what, tmp_path / "out.bin")
    assert fingerprint((tmp_path / "out.bin").read_bytes()) not in found


CELLS = """
import linecache, os, sys
cells = [
    "from operator_lib import Operator\\n"
    "class A(Operator):\\n    def forward(self, x):\\n        return x + 1\\n",
    "\\nimport dataclasses\\n\\n@dataclasses.dataclass\\nclass P:\\n    by: int = 3\\n",
    "class B(Operator):\\n    def __init__(self):\\n        self.a, self.p = A(), P()\\n"
    "    def forward(self, x):\\n        return self.a(x) + self.p.by\\n",
]
for n, text in enumerate(cells):
    name = f"/tmp/ipykernel_{os.getpid()}/{n}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), globals())
from operator_lib.package.entry import pack
open(sys.argv[1], "wb").write(pack(B()))
"""


def test_cells_of_a_notebook_travel_with_their_source(python, tmp_path: Path) -> None:
    found = set()
    for seed in (1, 2):
        python(CELLS, tmp_path / "out.bin", seed=seed)
        found.add(fingerprint((tmp_path / "out.bin").read_bytes()))
    assert len(found) == 1
    code = """
print(op(1))
for thing in (type(op), type(op.a), type(op.p), op.forward):
    print(inspect.getsource(thing).splitlines()[:2])
"""
    assert python(RUN, tmp_path / "out.bin", tmp_path, code).splitlines() == [
        "5",
        "['class B(Operator):', '    def __init__(self):']",
        "['class A(Operator):', '    def forward(self, x):']",
        "['@dataclasses.dataclass', 'class P:']",
        "['    def forward(self, x):', '        return self.a(x) + self.p.by']",
    ]


def test_a_real_kernel_with_magics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    cells = [
        "%pwd\nimport dataclasses\nfrom operator_lib import Operator\n",
        "%time\n@dataclasses.dataclass\nclass Settings:\n    n: int = 3\n",
        "class Add(Operator):\n    by = Settings()\n    def forward(s, x):\n        return x + s.by.n\n",
        f"from operator_lib.package.entry import pack\nopen({str(tmp_path / 'out.bin')!r}, 'wb').write(pack(Add()))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    code = "print(op(1), inspect.getsource(type(op))[:10], inspect.getsource(type(op.by))[:10])"
    assert python(RUN, tmp_path / "out.bin", tmp_path, code) == "4 class Add( @dataclass\n"


def test_a_script_within_a_package_finds_its_neighbours(tree, python, tmp_path: Path) -> None:
    root = tree(
        {
            "app/__init__.py": "",
            "app/base.py": "NAME = 'base'\n",
            "app/near.py": "def value(): return 'near'\n",
            "app/script.py": """
                import sys
                import near
                from operator_lib import operator
                @operator
                def job():
                    import app.base
                    return near.value() + app.base.NAME
                if __name__ == "__main__":
                    from operator_lib.package.entry import pack
                    open(sys.argv[1], "wb").write(pack(job))
            """,
        }
    )
    python(root / "app/script.py", tmp_path / "out.bin")
    header = read_header((tmp_path / "out.bin").read_bytes())
    assert (header.paths, header.files, header.main_path) == (("app", "."), ("app/near.py",), "app/script.py")
    assert python(RUN, tmp_path / "out.bin", root, "print(op())", cwd=tmp_path) == "nearbase\n"


def test_a_module_outside_the_folder_is_refused_with_the_cure(tree, python, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere/tools"
    elsewhere.mkdir(parents=True)
    (elsewhere / "__init__.py").touch()
    (elsewhere / "deep.py").write_text("def f(): return 'found'\n")
    root = tree(
        {
            "script.py": f"""
            import sys
            sys.path.append({str(tmp_path / "elsewhere")!r})
            from tools.deep import f
            from operator_lib import operator
            @operator
            def job(): return f()
            if __name__ == "__main__":
                from operator_lib.package.entry import pack
                open(sys.argv[1], "wb").write(pack(job, include=sys.argv[2:]))
            """
        }
    )
    said = python(root / "script.py", tmp_path / "out.bin", fails=True)
    assert "DeployError" in said
    assert f"tools.deep ({elsewhere})" in said
    assert f"include=['{elsewhere}']" in said
    python(root / "script.py", tmp_path / "out.bin", elsewhere)
    shutil.copytree(elsewhere, root / "tools")
    shutil.rmtree(elsewhere)
    assert python(RUN, tmp_path / "out.bin", root, "print(op())") == "found\n"


def test_everything_that_cannot_be_pickled_is_named_by_its_path(tree, python) -> None:
    script = """
        import sqlite3, threading
        from operator_lib import Operator, operator
        LOCK = threading.Lock()
        class Loader(Operator):
            def __init__(self):
                self._conn = sqlite3.connect(":memory:")
                self.ok = [1, 2]
            def forward(self): return LOCK
        class Pipeline(Operator):
            def __init__(self):
                self.loader = Loader()
                self.by_name = {"x": [0, open("/dev/null", "wb")]}
                stream = (n for n in [1])
                self.call = lambda: stream
            def forward(self): pass
        from operator_lib.package.entry import pack
        try:
            pack(Pipeline(), name="pipeline")
        except Exception as error:
            print(type(error).__name__, error)
    """
    lines = python(tree({"script.py": script}) / "script.py").splitlines()
    assert lines[0] == "DeployError pipeline cannot be deployed:"
    told = {line.strip().split(" cannot")[0] for line in lines[1:]}
    assert told == {
        "pipeline.loader._conn: sqlite3.Connection",
        "pipeline.by_name['x'][1]: _io.BufferedWriter",
        "pipeline.call's variable stream: generator",
        "Loader.forward's global LOCK: _thread.lock",
    }
    assert all(line.endswith("build it in __remote_init__") or "TypeError" in line for line in lines[1:])


class Holder(Operator):
    def forward(self) -> None: ...


def test_one_offender_makes_one_line() -> None:
    import sqlite3

    holder = Holder()
    holder.loader = Holder()  # type: ignore[attr-defined]
    holder.loader._conn = sqlite3.connect(":memory:")  # type: ignore[attr-defined]
    with pytest.raises(DeployError) as caught:
        pack(holder, name="pipeline")
    wanted = "pipeline.loader._conn: sqlite3.Connection cannot be pickled; build it in __remote_init__"
    assert str(caught.value) == wanted


def test_what_a_getstate_leaves_out_is_no_offender() -> None:
    import threading

    class Careful(Operator):
        def __init__(self) -> None:
            self.lock, self.also = threading.Lock(), threading.Lock()

        def __getstate__(self) -> dict[str, object]:
            return {"also": self.also}

    with pytest.raises(DeployError) as caught:
        pack(Careful(), name="c")
    assert str(caught.value).startswith("c.also: _thread.lock")
    assert "c.lock" not in str(caught.value)


def test_at_most_ten_offenders_are_listed() -> None:
    import threading

    holder = Holder()
    holder.locks = [threading.Lock() for _ in range(30)]  # type: ignore[attr-defined]
    with pytest.raises(DeployError) as caught:
        pack(holder)
    assert str(caught.value).count("cannot be pickled") == 10


def test_a_constructor_that_needs_arguments_is_refused_as_python_does() -> None:
    class Needs:
        def __init__(self, a: int, b: int, *, c: int) -> None: ...

    class Fine:
        def __init__(self, a: int = 1, *args: int, **kwargs: int) -> None: ...

    with pytest.raises(TypeError) as ours:
        check_no_arguments(Needs)
    with pytest.raises(TypeError) as pythons:
        Needs()  # type: ignore[call-arg]
    assert str(ours.value) == str(pythons.value)
    check_no_arguments(Fine)
    with pytest.raises(TypeError, match=r"Needs\.__init__\(\) missing 2 required positional"):
        pack(Needs)


def test_a_module_of_this_project_goes_by_reference() -> None:
    header = read_header(pack(Holder()))
    assert header.sources == {}
    assert header.main is None
    assert [Path(file).name for file in header.files] == ["test_entry.py"]


def test_another_python_is_refused_before_anything_is_unpickled() -> None:
    class Bomb:
        def __reduce__(self) -> object:
            return pytest.fail, ("unpickled",)

    line, _, _ = pack(Holder()).partition(b"\n")
    header = json.loads(line) | {"python": "3.8"}
    data = json.dumps(header).encode() + b"\n" + pickle.dumps(Bomb())
    with pytest.raises(PythonVersionMismatch, match=r"packed by Python 3\.8.*this process is Python 3\.\d+; deploy"):
        unpack(data)


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"[]\nxx", b'{"format": 99}\n', b"\x80\x05."])
def test_what_is_no_entry_is_refused(data: bytes) -> None:
    with pytest.raises(DeployError):
        read_header(data)
