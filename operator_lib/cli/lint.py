"""``lint``: what will go wrong, before it runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from operator_lib.cli import output, target
from operator_lib.cli.flags import Json
from operator_lib.cli.usage import Usage


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(lint)


def lint(
    where: Annotated[str, typer.Argument(metavar="FILE:NAME", help="An operator.", show_default=False)] = "",
    explain: Annotated[str, typer.Option("--explain", metavar="CODE", help="Say what a code means.")] = "",
    as_json: Json = False,
) -> None:
    """Look for what will go wrong with an operator. Imports the file, calls nothing."""
    from operator_lib.lint import lint as look
    from operator_lib.lint.finding import EXPLAINED

    if explain:
        if explain not in EXPLAINED:
            raise Usage(f"there is no code {explain!r}; the codes are {', '.join(EXPLAINED)}")
        print(f"{explain}: {EXPLAINED[explain]}")
        return
    if not where:
        raise Usage("name an operator: operator-lib lint pipeline.py:Digits")
    with output.stdout_as_stderr():
        found = look(target.instance(target.load(where)))
    if as_json:
        output.document({"ok": not found, "findings": [asdict(one) for one in found]})
    for one in found if not as_json else ():
        print(f"{one.file}:{one.line}: {output.paint(one.code, 'yellow')} {one.message}")
        print(f"    fix: {one.fix}")
    if not found and not as_json:
        print("nothing found")
    raise typer.Exit(int(bool(found)))
