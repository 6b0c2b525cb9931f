"""Bringing operators to a worker: ``plan`` and ``deploy``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from operator_lib.cli import arguments, output, target
from operator_lib.cli.flags import Address, Json, Target, Token, connect
from operator_lib.cli.usage import Usage

if TYPE_CHECKING:
    from operator_lib.client.connect import Connection
    from operator_lib.client.deploy import Package

Named = Annotated[str, typer.Option("--name", "-n", help="Of the deployment; by default made from file and name.")]
Kind = Annotated[str, typer.Option("--type", metavar="job|serving", help="Default: what the operator is made for.")]
Ignore = Annotated[list[str] | None, typer.Option("--ignore", metavar="PATTERN", help="As a line of .nboxignore.")]
Include = Annotated[list[str] | None, typer.Option("--include", metavar="PATH", help="Travels although ignored.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option, such as timeout=60.")
]


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(plan)
    app.command()(deploy)


def plan(
    where: Target,
    name: Named = "",
    kind: Kind = "",
    ignore: Ignore = None,
    include: Include = None,
    option: Options = None,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Say what a deploy would do. Exit code 0: nothing to do, 2: changes, 1: it would fail."""
    from operator_lib.client import deploy as steps

    package, connection = _packed(where, name, kind, ignore, include, option, address, token)
    found = steps.plan(connection, package)
    if as_json:
        output.document(found.to_json())
    else:
        print(replace(found, command=_command(where, name, kind, ignore, include, option)))
    raise typer.Exit(found.exit_code)


def deploy(
    where: Target,
    name: Named = "",
    kind: Kind = "",
    ignore: Ignore = None,
    include: Include = None,
    option: Options = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Until it answers.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until it must be ready.")] = 600,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Bring an operator to a worker. The same content again makes no new version."""
    from operator_lib.client import deploy as steps
    from operator_lib.client import inventory

    package, connection = _packed(where, name, kind, ignore, include, option, address, token)
    package.request.timeout = timeout
    package.request.detach = not wait
    sent = steps.send(connection, package)
    done = steps.carry_out(connection, package, lambda line: print(line, file=sys.stderr, flush=True))
    info = inventory.describe(done.deployment)
    if as_json:
        shown = {"name": info.name, "kind": info.kind, "id": info.id, "version": info.version, "status": info.status}
        output.document(shown | {"unchanged": done.unchanged, "sent_bytes": sent, "url": info.url or None})
        return
    news = "unchanged" if done.unchanged else f"{sent:,} bytes sent"
    print(
        f"{output.paint(info.name, 'bold')} ({info.kind}): version {info.version} {output.state(info.status)}, {news}"
    )
    if info.url:
        print(info.url)
    verb = "submit --watch" if info.kind == "job" else "call"
    print(output.paint(f"Call it with: operator-lib {verb} {info.name}", "dim"))


def _packed(
    where: str,
    name: str,
    kind: str,
    ignore: list[str] | None,
    include: list[str] | None,
    option: list[str] | None,
    address: str,
    token: str,
) -> tuple[Package, Connection]:
    """Import the file and put the package together; what the file prints goes to standard error."""
    from operator_lib.client import deploy as steps

    positional, given = arguments.parse(option)
    if positional:
        raise Usage(f"--option takes KEY=VALUE, got {positional[0]!r}")
    if kind not in ("", "job", "serving"):
        raise Usage(f"--type is job or serving, got {kind!r}")
    with output.stdout_as_stderr():
        found = target.load(where)
        package = steps.pack(
            found, name, kind or None, given, ignore_patterns=tuple(ignore or ()), include=tuple(include or ())
        )
    return package, connect(address, token, start=True)


def _command(
    where: str, name: str, kind: str, ignore: list[str] | None, include: list[str] | None, option: list[str] | None
) -> str:
    """What to type to carry a plan out."""
    import shlex

    words = ["operator-lib", "deploy", where]
    single = (("--name", [name] if name else []), ("--type", [kind] if kind else []))
    for flag, values in (*single, ("--ignore", ignore), ("--include", include), ("-o", option)):
        words += [word for value in values or () for word in (flag, value)]
    return shlex.join(words)
