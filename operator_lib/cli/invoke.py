"""Using what is deployed: ``call``, ``submit`` and ``replay``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_lib.cli import arguments, output, values
from operator_lib.cli.flags import VALUES, Address, Arguments, Json, Method, Name, RunId, Token, connect
from operator_lib.cli.usage import Usage

if TYPE_CHECKING:
    from operator_lib.client.connect import Connection
    from operator_lib.client.run import RemoteRun


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command(context_settings=VALUES)(call)
    app.command(context_settings=VALUES)(submit)
    app.command(context_settings=VALUES)(replay)


def call(
    name: Name,
    args: Arguments = None,
    method: Method = "",
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Call a serving, or run a job and wait; print the value."""
    from operator_lib.client import inventory
    from operator_lib.client.job import JobHandle

    handle: Any = inventory.latch(connect(address, token, start=True), name)
    positional, named = arguments.parse(args, inventory.parameters(handle, method))
    if isinstance(handle, JobHandle):
        if method:
            raise Usage(f"{name} is a job: it has no methods; --method is for servings")
        run = _submitted(handle, positional, named)
        _finish(run, as_json)
        return
    values.show(_called(handle, method, positional, named), as_json)


Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show the run until it has ended.")]


def submit(
    name: Name,
    args: Arguments = None,
    watch: Watch = False,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Start a run of a job; print its id."""
    from operator_lib.client import inventory
    from operator_lib.client.job import JobHandle

    connection = connect(address, token, start=True)
    handle: Any = inventory.latch(connection, name)
    if not isinstance(handle, JobHandle):
        raise Usage(f"{name} is a serving; call it: operator-lib call {name}")
    positional, named = arguments.parse(args, inventory.parameters(handle))
    _started(connection, _submitted(handle, positional, named), watch, as_json)


def replay(
    run: RunId,
    args: Arguments = None,
    from_node: Annotated[
        str, typer.Option("--from", metavar="NODE", help="An operator's path: it, and what began after it, runs again.")
    ] = "",
    version: Annotated[int, typer.Option(metavar="N", min=0, help="Of the job; 0: the live one.")] = 0,
    watch: Watch = False,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Run again what a change of code or ARGS affects.

    A new run, which takes over all else that RUN has finished.
    """
    from operator_lib.client import inventory

    connection = connect(address, token)
    old = inventory.run_handle(connection, run)
    inputs: Any = None
    if args:
        positional, inputs = arguments.parse(args, inventory.parameters(inventory.latch(connection, f"job:{old.job}")))
        if positional and inputs:
            raise Usage("give the arguments of a replay either all by name or all by position")
        inputs = inputs or positional
    try:
        new = old.replay(from_node or None, version or None, inputs)
    except TypeError as problem:  # the arguments do not fit; nothing has been sent
        raise Usage(str(problem)) from None
    _started(connection, new, watch, as_json)


def _started(connection: Connection, run: RemoteRun, watch: bool, as_json: bool) -> None:
    if watch:
        _watched(connection, run, as_json)
    elif as_json:
        output.document({"id": run.id, "job": run.job, "version": run.version, "status": run.status})
    else:
        print(run.id)


def _submitted(handle: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> RemoteRun:
    try:
        return handle.submit(*positional, **named)
    except TypeError as problem:  # the arguments do not fit; nothing has been sent
        raise Usage(f"{problem}{_called_as(handle, '')}") from None


def _called(handle: Any, method: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
    from operator_lib.errors import RemoteError

    member = getattr(handle, method) if method else handle
    if not callable(member):
        if positional or named:
            raise Usage(f"{method} is an attribute, it takes no arguments")
        return member
    try:
        found = member(*positional, **named)
    except TypeError as problem:
        if isinstance(problem, RemoteError):
            raise
        raise Usage(f"{problem}{_called_as(handle, method)}{_methods(handle) if not method else ''}") from None
    return values.settled(found)


def _called_as(handle: Any, name: str) -> str:
    method = handle._schema.find(name)
    if method is None:
        return ""
    stars = {"var_positional": "*", "var_keyword": "**"}
    words = [
        f"{stars.get(param.kind, '')}{param.name}"
        + ("" if param.required or param.kind in stars else f"={param.value()!r}")
        for param in method.params
    ]
    return f"; it takes ({', '.join(words)})"


def _methods(handle: Any) -> str:
    names = [name for name in handle._schema.methods if name]
    return f"; it has the methods {', '.join(names)}: --method NAME" if names else ""


def _finish(run: RemoteRun, as_json: bool) -> None:
    try:
        found = run.result()
    except KeyboardInterrupt:
        _goes_on(run)
        raise
    values.show(found, as_json)


def _watched(connection: Connection, run: RemoteRun, as_json: bool) -> None:
    from operator_lib.cli.story import Story
    from operator_lib.cli.watch import watch
    from operator_lib.client import inventory

    events = run.events(follow=True)
    try:
        if as_json:
            for event in events:
                output.json_line(event)
        else:
            watch(events, Story(run.id, run.job, inventory.static_dag(connection, run.job, run.version)))
    except KeyboardInterrupt:
        _goes_on(run)
        raise
    found = run.result()
    if as_json:
        output.json_line({"kind": "result", "value": inventory.plain_json(found)})
    else:
        values.show(found, False)


def _goes_on(run: RemoteRun) -> None:
    print(f"\nRun {run.id} goes on; end it: operator-lib cancel {run.id}", file=sys.stderr)
