"""``operator-lib``: every verb, and what happens when one fails."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from operator_lib.cli import (
    archives,
    author,
    cache,
    change,
    demo,
    doctor,
    examples,
    foresee,
    invoke,
    lint,
    look,
    problems,
    schedule,
    secrets,
    ship,
    store,
    top,
    worker,
)
from operator_lib.cli.usage import Usage


class Commands(TyperGroup):
    """The verbs; one that was mistyped is guessed at."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = self.list_commands(ctx)
        if args[0] in known or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        near = get_close_matches(args[0], known, 1)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise Usage(f"there is no command {args[0]!r}{guess}", ctx)


app = typer.Typer(
    name="operator-lib",
    cls=Commands,
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
foresee.add(app)
top.add(app)
change.add(app)
secrets.add(app)
schedule.add(app)
cache.add(app)
archives.add(app)
worker.add(app)
store.add(app)
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
