"""``secrets set | list | unset``: values that a worker keeps for operators that name them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from operator_lib.cli import output
from operator_lib.cli.flags import VALUES, Address, Json, Token, connect
from operator_lib.cli.usage import Usage

group = typer.Typer(no_args_is_help=True, help="Secrets of a worker.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of an environment variable.", show_default=False)]


def add(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="secrets")


@group.command(name="set", context_settings=VALUES)
def set_(
    name: Name,
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", help="Better left out: it is asked for, or read from standard input."),
    ] = None,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Keep a value. It is asked for on a terminal, and read from standard input elsewhere."""
    from operator_lib.client import secrets

    if value is not None:
        print(
            f"warning: a value on the command line can be seen by others (ps) and stays in the shell's history; "
            f"leave it out: operator-lib secrets set {name}",
            file=sys.stderr,
        )
    secrets.put(connect(address, token, start=True), name, _read(name) if value is None else value)
    if as_json:
        output.document({"name": name, "set": True})
    else:
        print(f"{name} is set; processes that start from now on get it")


def _read(name: str) -> str:
    if sys.stdin.isatty():
        value: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
        return value
    try:
        value = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise Usage(
            f"the value of {name} on standard input is not UTF-8 text; encode it, for instance by base64"
        ) from None
    # The newline that `echo` and editors add is not meant.
    return value.removesuffix("\n").removesuffix("\r")


@group.command(name="list")
def list_(address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """List names and dates. Values are never shown."""
    from operator_lib.client import secrets

    found = secrets.listed(connect(address, token))
    if as_json:
        output.document([asdict(info) for info in found])
    elif not found:
        print("No secrets. Try: operator-lib secrets set NAME", file=sys.stderr)
    else:
        rows = [(info.name, output.ago(info.created), output.ago(info.updated)) for info in found]
        output.table(("NAME", "CREATED", "CHANGED"), rows)


@group.command()
def unset(name: Name, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Forget a secret. Processes that have it keep it."""
    from operator_lib.client import secrets

    secrets.remove(connect(address, token), name)
    if as_json:
        output.document({"name": name, "unset": True})
    else:
        print(f"{name} is unset")
