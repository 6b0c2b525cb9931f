"""``cache list | clear``: stored outputs of cacheable operators, in the home of this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from operator_lib.cli import output
from operator_lib.cli.flags import Json

group = typer.Typer(no_args_is_help=True, help="Stored outputs of cacheable operators.", rich_markup_mode=None)

Home = Annotated[
    str | None,
    typer.Option("--home", metavar="DIR", envvar="OPERATOR_LIB_HOME", help="Where they are.", show_default=False),
]


def add(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="cache")


@group.command(name="list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """List operators with the number, the size and the age of their stored outputs."""
    from operator_lib.engine import entries

    rows: dict[str, tuple[int, int, float]] = {}
    for folder in entries.folders(home):
        for entry in entries.listed(folder):
            count, size, made = rows.get(entry.name, (0, 0, 0.0))
            rows[entry.name] = count + 1, size + entry.size, max(made, entry.made)
    if as_json:
        output.document(
            [{"name": n, "outputs": c, "bytes": size, "newest": made} for n, (c, size, made) in sorted(rows.items())]
        )
    elif not rows:
        print("Nothing is stored.", file=sys.stderr)
    else:
        shown = [(n, str(c), f"{size:,}", output.ago(made)) for n, (c, size, made) in sorted(rows.items())]
        output.table(("NAME", "OUTPUTS", "BYTES", "NEWEST"), shown)


@group.command()
def clear(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of one operator.", show_default=False)] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Remove stored outputs; they are computed again when they are asked for."""
    from operator_lib.engine import entries

    removed = sum(entries.clear(folder, name) for folder in entries.folders(home))
    if as_json:
        output.document({"removed": removed})
    else:
        print(f"removed {removed}")
