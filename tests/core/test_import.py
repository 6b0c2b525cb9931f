"""``import operator_lib`` stays cheap, and names appear when they are used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import operator_lib

HEAVY = (
    "grpc", "libcst", "rich", "requests", "numpy", "pandas", "typer", "platformdirs", "cloudpickle", "google.protobuf",
    "pydantic", "starlette", "uvicorn", "uv", "psutil", "pathspec", "asyncio", "concurrent.futures", "sqlite3", "yaml",
)  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has after running `code`, without those it has anyway."""
    end = "import json; print(json.dumps(list(set(sys.modules) - before)))"
    script = f"import sys; before = set(sys.modules)\n{code}\n{end}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import operator_lib",
        "from operator_lib import Operator",
        "from operator_lib import errors",
        "dir(__import__('operator_lib'))",
    ],
)
def test_the_import_loads_nothing_heavy(code: str) -> None:
    loaded = loaded_after(code)
    assert "operator_lib" in loaded
    assert not loaded & set(HEAVY)


def test_defining_and_calling_operators_loads_nothing_heavy() -> None:
    loaded = loaded_after(
        "from operator_lib import Operator, Sequential, operator\n"
        "class A(Operator):\n    def forward(self, x): return x\n"
        "f = operator(lambda x: x, cpu=2)\n"
        "assert Sequential(A(), f)(1) == 1\n"
        "repr(Sequential(A(), f))"
    )
    assert not loaded & {"grpc", "libcst", "rich", "requests", "numpy", "typer", "platformdirs", "asyncio"}


def test_torch_is_never_imported_by_us() -> None:
    code = (
        "class Refuse:\n    def find_spec(self, name, path=None, target=None): assert name != 'torch'\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from operator_lib import Operator\n"
        "class A(Operator):\n    def __init__(self): self.x = [1]\n    def forward(self): return 1\n"
        "assert list(A().children()) == []"
    )
    assert "torch" not in loaded_after(code)


def test_every_name_that_is_listed_is_there() -> None:
    for name in dir(operator_lib):
        assert getattr(operator_lib, name, None) is not None or name in ("__spec__", "__file__", "__cached__")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="operator_lib.*nonsense"):
        _ = operator_lib.nonsense


CONTRACT = (
    "Operator operator DAG Run Resource Retries Batch Image Env Metadata gpu Sequential OperatorList OperatorDict "
    "record errors lib worker"
)


@pytest.mark.parametrize("name", CONTRACT.split())
def test_names_that_users_are_promised(name: str) -> None:
    assert getattr(operator_lib, name) is not None
    assert name in dir(operator_lib)


def test_star_import() -> None:
    loaded_after("from operator_lib import *\nassert Operator and operator and Run")


def test_what_a_prompt_completes_is_public() -> None:
    assert dir(operator_lib) == sorted([*operator_lib.__all__, "__version__"])
