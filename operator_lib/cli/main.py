"""``operator-lib``: every verb, and what happens when one fails."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from operator_lib.cli import (
    archives,
    author,
    cache,
    change,
    demo,
    doctor,
    examples,
    invoke,
    lint,
    look,
    problems,
    schedule,
    secrets,
    ship,
    top,
    worker,
)

app = typer.Typer(
    name="operator-lib",
    help="PyTorch-style composable jobs: see them as a graph, deploy them, call them from anywhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import operator_lib

        print(f"operator-lib {operator_lib.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """PyTorch-style composable jobs: see them as a graph, deploy them, call them from anywhere."""


demo.add(app)
author.add(app)
lint.add(app)
ship.add(app)
invoke.add(app)
look.add(app)
top.add(app)
change.add(app)
secrets.add(app)
schedule.add(app)
cache.add(app)
archives.add(app)
worker.add(app)
doctor.add(app)
examples.add(app)


def main() -> None:
    """The entry point of ``operator-lib``. Exit codes: 0 done, 1 failed, 2 wrong usage."""
    try:
        app(prog_name="operator-lib")
    except KeyboardInterrupt:
        sys.exit(1)
    except Exception as error:
        sys.exit(problems.report(error, as_json="--json" in sys.argv[1:]))
