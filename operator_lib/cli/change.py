"""Changing what is on a worker: ``cancel``, ``resume``, ``versions``, ``rollback``, ``scale``, ``delete``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from operator_lib.cli import output
from operator_lib.cli.flags import Address, Json, Name, RunId, Token, connect
from operator_lib.cli.usage import Usage


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(cancel)
    app.command()(resume)
    app.command()(versions)
    app.command()(rollback)
    app.command()(scale)
    app.command()(delete)


def cancel(run: RunId, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """End a run. One that has ended stays as it is."""
    from operator_lib.client import inventory

    connection = connect(address, token)
    before = inventory.run(connection, run)
    if not before.over:
        inventory.run_handle(connection, run).cancel()
    _done(
        {"id": run, "status": before.status, "cancelled": not before.over},
        f"run {run} has ended already: {before.status}" if before.over else f"run {run} is being cancelled",
        as_json,
    )


def resume(run: RunId, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Start a run again that failed or was cancelled. What it had finished is not done again."""
    from operator_lib.client import inventory

    found = inventory.run_handle(connect(address, token), run).resume()
    _done({"id": run, "status": found.status, "attempts": found.attempts}, f"run {run} goes on", as_json)


def versions(name: Name, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """List the versions of a deployment."""
    found = _manager(name, address, token).versions()
    if as_json:
        output.document(found)
        return
    rows = [
        (str(v["number"]), "live" if v["live"] else "", v["status"], output.ago(v["created"]), v["message"])
        for v in found
    ]
    output.table(("VERSION", "LIVE", "STATUS", "CREATED", "MESSAGE"), rows)


def rollback(
    name: Name,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="Its number.")],
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Make an earlier version live again."""
    _manager(name, address, token).rollback(version)
    _done({"name": name, "version": version}, f"{name}: version {version} is live", as_json)


def scale(
    name: Name,
    replicas: Annotated[str, typer.Argument(metavar="N|auto", help="Replicas; auto: as the options say.")],
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Set the number of replicas of a serving."""
    if replicas != "auto" and not replicas.isdecimal():
        raise Usage(f"N is a number of replicas, or auto, got {replicas!r}")
    count = None if replicas == "auto" else int(replicas)
    found = _manager(name, address, token)
    if not hasattr(found, "scale"):
        raise Usage(f"{name} is a job: it has no replicas, its runs start when they are submitted")
    found.scale(count)
    words = "as many replicas as needed" if count is None else f"{count} replica{'s' * (count != 1)}"
    _done({"name": name, "replicas": count}, f"{name}: {words}", as_json)


def delete(name: Name, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Remove a deployment. Runs in flight finish."""
    _manager(name, address, token).delete()
    _done({"name": name, "deleted": True}, f"{name} is deleted", as_json)


def _manager(name: str, address: str, token: str) -> Any:
    from operator_lib.client import inventory

    return inventory.manager(connect(address, token), name)


def _done(found: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        output.document(found)
    else:
        print(words)
