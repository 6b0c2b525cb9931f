"""Bringing operators to a worker: ``plan`` and ``deploy``."""

from __future__ import annotations

import inspect
import shlex
import sys
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be deployed, as the command line says it."""

    where: str
    name: str
    kind: str
    ignore: list[str] | None
    include: list[str] | None
    option: list[str] | None

    def packed(self) -> Package:
        """Import the file and put the package together; what the file prints goes to standard error."""
        from operator_lib.client import deploy as steps

        positional, given = arguments.parse(self.option)
        if positional:
            raise Usage(f"--option takes KEY=VALUE, got {positional[0]!r}")
        if self.kind not in ("", "job", "serving"):
            raise Usage(f"--type is job or serving, got {self.kind!r}")
        ignore, include = tuple(self.ignore or ()), tuple(self.include or ())
        with output.stdout_as_stderr():
            found = target.load(self.where)
            if inspect.isclass(found):
                target.check_constructor(found)
            return steps.pack(found, self.name, self.kind or None, given, ignore_patterns=ignore, include=include)

    def command(self) -> str:
        """What to type to carry it out."""
        words = ["operator-lib", "deploy", self.where]
        single = (("--name", [self.name] if self.name else []), ("--type", [self.kind] if self.kind else []))
        several = (("--ignore", self.ignore), ("--include", self.include), ("-o", self.option))
        for flag, values in (*single, *several):
            words += [word for value in values or () for word in (flag, value)]
        return shlex.join(words)


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

    order = Order(where, name, kind, ignore, include, option)
    package = order.packed()
    found = steps.plan(connect(address, token, start=True), package)
    if as_json:
        output.document(found.to_json())
    else:
        print(replace(found, command=order.command()))
    raise typer.Exit(found.exit_code)


def deploy(
    where: Target,
    name: Named = "",
    kind: Kind = "",
    ignore: Ignore = None,
    include: Include = None,
    option: Options = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="And again whenever a file is saved.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Until it answers.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until it must be ready.")] = 600,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Bring an operator to a worker. The same content again makes no new version."""
    order = Order(where, name, kind, ignore, include, option)

    def bring() -> None:
        package = order.packed()
        package.request.timeout = timeout
        package.request.detach = not wait
        _send(package, connect(address, token, start=True), as_json)

    if watch:
        from operator_lib.cli import redeploy

        redeploy.on_save(target.split(where)[0], bring, as_json=as_json)
    else:
        bring()


def _send(package: Package, connection: Connection, as_json: bool) -> None:
    """Carry it out and say what came of it."""
    from operator_lib.client import deploy as steps
    from operator_lib.client import inventory

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
