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
    "opentelemetry": "opentelemetry-sdk",
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "grpc_reflection": "grpcio-reflection",
    "jsonschema_rs": "jsonschema-rs",
    "prometheus_client": "prometheus-client",
    "python_multipart": "python-multipart",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
EXTRAS = (
    *("demo", "worker", "autobatch", "autobatch-native", "torchserve", "watch", "otel"),
    *("postgres", "ray", "s3", "gcs", "azure"),
)
# Backends that somebody has or has not, each an extra.
BACKENDS = {"autobatch-jax": "jax", "autobatch-tensorflow": "tensorflow", "autobatch-torch": "torch"}
# Values of these travel, or are computed with, when somebody has them; click comes with typer.
WHERE_INSTALLED = {
    *("IPython", "PIL", "click", "jax", "numpy", "pandas", "polars", "pyarrow", "pydantic", "tensorflow", "torch"),
}
# The demonstration's folder is a program of its own; handlers of TorchServe find a stand-in for its package.
OURS = {"operator_lib", "pipeline", "ts"}


def test_everything_imported_is_declared() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for name in EXTRAS for line in project["optional-dependencies"][name])]
    declared = {line.partition(">")[0].partition("[")[0].strip() for line in lines}
    undeclared: dict[str, str] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in (n.partition(".")[0] for n in names):
                known = name in sys.stdlib_module_names or name in WHERE_INSTALLED | OURS
                if not known and DISTRIBUTIONS.get(name, name) not in declared:
                    undeclared[name] = str(file.relative_to(PACKAGE))
    assert undeclared == {}


def test_every_backend_is_an_extra() -> None:
    extras = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name, library in BACKENDS.items():
        assert any(line.startswith(f"{library}>=") for line in extras[name])


def test_the_demo_asks_for_nothing_that_its_extra_does_not_install() -> None:
    from operator_lib.cli.demo import NEEDS

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = [*project["optional-dependencies"]["demo"], *project["optional-dependencies"]["worker"]]
    assert set(NEEDS.values()) <= {line.partition(">")[0] for line in extras}
