"""``demo``: from a file on disk to a served model, step by step, in some seconds."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from operator_lib.cli.flags import Json

NEEDS = {"sklearn": "scikit-learn", "uvicorn": "uvicorn", "starlette": "starlette"}


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(demo)


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Use your own worker, and leave it and the deployments there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """See it all work, in half a minute. A classifier is trained, deployed, run and served; nothing is left behind."""
    from operator_lib.errors import OperatorError

    missing = [package for module, package in NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise OperatorError(f"the demo needs {', '.join(missing)}: pip install 'operator_lib[demo]'")
    from operator_lib.cli.tour import tour

    tour(keep=keep, as_json=as_json)
