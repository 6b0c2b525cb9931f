"""``store migrate``: the state of a worker moves to another database."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from operator_lib import endpoint
from operator_lib.cli import output
from operator_lib.cli.flags import Json
from operator_lib.cli.usage import Usage

group = typer.Typer(no_args_is_help=True, help="The database of a worker.", rich_markup_mode=None)


def add(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="store")


@group.command()
def migrate(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database: postgresql://USER@HOST:PORT/DATABASE.")
    ] = "",
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="sqlite:///PATH. Default: the store in the home.")
    ] = "",
    home: Annotated[
        str, typer.Option("--home", metavar="DIR", envvar="OPERATOR_LIB_HOME", help="The home of the worker.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Copy an SQLite store to PostgreSQL, all or nothing, while no worker runs; the source stays as it was."""
    from operator_lib.worker.places import Places
    from operator_lib.worker.store import url
    from operator_lib.worker.store.migrate import migrate as move

    to = to or os.environ.get(url.VARIABLE, "")
    if not to.startswith(url.POSTGRES):
        raise Usage("--to: give the URL of a PostgreSQL database: postgresql://USER@HOST:PORT/DATABASE")
    if source and not source.startswith(url.SQLITE):
        raise Usage("--from: give an SQLite store: sqlite:///PATH")
    folder = endpoint.home_folder(home)
    moved = move(url.sqlite_path(source) if source else Places(folder).store, to)
    if as_json:
        output.document({"rows": moved})
        return
    print(f"moved {', '.join(f'{count:,} {table}' for table, count in moved.items())}")
    print("start the worker with the same home and --store (or OPERATOR_LIB_STORE); the SQLite file stays as it was")
