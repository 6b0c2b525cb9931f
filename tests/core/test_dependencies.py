"""What the package imports is what it declares: an environment with nothing else must do."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import operator_lib

PACKAGE = Path(operator_lib.__file__).parent
# import name -> name of the distribution, where they differ
DISTRIBUTIONS = {
    "google": "protobuf",
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "grpc_reflection": "grpcio-reflection",
    "jsonschema_rs": "jsonschema-rs",
    "prometheus_client": "prometheus-client",
    "sklearn": "scikit-learn",
}
# Values of these travel when somebody has them; click comes with typer.
WHERE_INSTALLED = {"IPython", "PIL", "click", "numpy", "pandas", "polars", "pyarrow", "pydantic", "torch"}


def test_everything_imported_is_declared() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    lines += project["optional-dependencies"]["worker"]
    declared = {line.partition(">")[0].partition("[")[0].strip() for line in lines}
    undeclared: dict[str, str] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in (n.partition(".")[0] for n in names):
                known = name in sys.stdlib_module_names or name in WHERE_INSTALLED or name == "operator_lib"
                # the demonstration's folder is a program of its own
                if not known and DISTRIBUTIONS.get(name, name) not in declared and name != "pipeline":
                    undeclared[name] = str(file.relative_to(PACKAGE))
    assert undeclared == {}


def test_the_demo_asks_for_nothing_that_its_extra_does_not_install() -> None:
    from operator_lib.cli.demo import NEEDS

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = [*project["optional-dependencies"]["demo"], *project["optional-dependencies"]["worker"]]
    assert set(NEEDS.values()) <= {line.partition(">")[0] for line in extras}
