"""``estimate``: how long the next run will take."""

from __future__ import annotations

from typing import Annotated

import typer

from operator_lib.cli import output, target
from operator_lib.cli.flags import Address, Json, Name, Token, connect
from operator_lib.cli.usage import Usage


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(estimate)


def estimate(
    name: Name,
    of: Annotated[str, typer.Option("--of", metavar="FILE:NAME", help="Of the program as it is in that file.")] = "",
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, help="From the last so many completed ones.")] = 50,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Up to so many calls at the same time.")] = 2,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Say how long the next run of a job will take. Told from runs that there were; nothing is run or imported."""
    from operator_lib import trace
    from operator_lib.client import estimates, inventory

    connection = connect(address, token)
    if of:
        file, operator = target.split(of)
        try:
            dag = trace.build_from_file(file, operator)
        except ValueError as problem:
            raise Usage(str(problem).replace(str(file), file.name)) from None
    else:
        dag = inventory.static_dag(connection, name)
    if dag is None:
        raise Usage(f"there is no job {name!r} with a graph; see: operator-lib ps")
    found = estimates.of_job(connection, name, dag, runs=runs, workers=workers)
    if as_json:
        output.document(found.to_json())
    else:
        print(found)
