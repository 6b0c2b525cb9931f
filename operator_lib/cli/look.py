"""Seeing what is on a worker: ``ps``, ``runs``, ``show``, ``logs``, ``stub``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_lib.cli import output, problems, told
from operator_lib.cli.flags import Address, Json, Name, RunId, Token, connect
from operator_lib.cli.usage import Usage

if TYPE_CHECKING:
    from operator_lib.client.inventory import RunDetail, RunInfo

STATES = ("PENDING", "RUNNING", "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(ps)
    app.command()(runs)
    app.command()(show)
    app.command()(logs)
    app.command()(stub)


def ps(address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """List deployments. With kind, live version, status, replicas, and runs going on."""
    from operator_lib.client import inventory

    found = inventory.deployments(connect(address, token))
    if as_json:
        output.document([asdict(info) for info in found])
    elif not found:
        print("Nothing is deployed. Try: operator-lib deploy FILE:NAME", file=sys.stderr)
    else:
        headers = ("NAME", "KIND", "VERSION", "STATUS", "REPLICAS", "RUNNING", "WAITING", "UPDATED")
        output.table(
            headers,
            [
                (
                    info.name,
                    info.kind,
                    str(info.version),
                    info.status,
                    str(info.replicas) if info.kind == "serving" else "-",
                    str(info.running) if info.kind == "job" else "-",
                    str(info.waiting) if info.kind == "job" else "-",
                    output.ago(info.updated),
                )
                for info in found
            ],
        )


def runs(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Of one job.", show_default=False)] = "",
    status: Annotated[str, typer.Option("--status", help="|".join(STATES))] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many, newest first.")] = 20,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """List runs, newest first."""
    from operator_lib.client import inventory

    if status and status.upper() not in STATES:
        raise Usage(f"--status is one of {', '.join(STATES)}, got {status!r}")
    found = inventory.runs(connect(address, token), name, status=status.upper(), limit=limit)
    if as_json:
        output.document([_plain(info) for info in found])
    elif not found:
        print("No runs.", file=sys.stderr)
    else:
        headers = ("RUN", "JOB", "VERSION", "STATUS", "CREATED", "DURATION", "CAUSE")
        output.table(headers, [_row(info) for info in found])


def _row(info: RunInfo) -> tuple[str, ...]:
    cause = info.cause.splitlines()[0] if info.cause else ""
    duration = output.seconds(info.duration)
    return info.id, info.job, str(info.version), info.status, output.ago(info.created), duration, cause


def _plain(info: RunInfo) -> dict[str, Any]:
    return {**asdict(info), "duration": info.duration}


def show(run: RunId, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Show a run. State, cause, times, where it failed, and its graph with the status of every node."""
    from operator_lib.client import inventory

    detail = inventory.run_detail(connect(address, token), run)
    if as_json:
        output.document(_document(detail))
        return
    info = detail.info
    rows = [("run", info.id), ("job", f"{info.job}, version {info.version}"), ("state", output.state(info.status))]
    if detail.error is not None:
        rows.append(("cause", f"{info.cause or problems.error_line(detail.error)}"))
    elif info.cause:
        rows.append(("cause", info.cause))
    if detail.operator_path:
        rows.append(("failed at", detail.operator_path))
    rows.append(("attempts", str(info.attempts)))
    rows.append(("created", output.moment(info.created)))
    if info.started is not None:
        rows.append(("waited", output.seconds(info.started - info.created)))
    if info.duration is not None:
        rows.append(("took" if info.over else "running", output.seconds(info.duration)))
    if detail.has_value:
        rows.append(("result", _short(repr(detail.value))))
    elif info.ended_well:
        rows.append(("result", f"{detail.result_size:,} bytes; latch on to the job in Python to read it"))
    if detail.dag is not None and (unplaced := detail.dag.extra.get("unplaced")):
        first = unplaced["places"][0]
        where = f"{first['path']} at {first['file']}:{first['line']}"
        rows.append(("not in graph", f"{unplaced['calls']:,} calls that the source did not show, such as {where}"))
    output.fields(rows)
    if detail.dag is not None:
        from operator_lib.trace.draw import terminal

        print("\n" + terminal.render(detail.dag, color=output.colourful(), status=True))
    if detail.decisions:
        title, shown = ("the way there", detail.way) if detail.way else ("decisions", detail.decisions)
        print("\n" + "\n".join(told.lines(shown, title)))
    remote = problems.remote_cause(detail.error) if detail.error is not None else None
    if remote is not None:
        print("\n" + remote.remote_traceback.strip())


def _document(detail: RunDetail) -> dict[str, Any]:
    from operator_lib.client.inventory import plain_json

    return {
        **_plain(detail.info),
        "operator_path": detail.operator_path,
        "error": problems.describe(detail.error) if detail.error is not None else None,
        "result": plain_json(detail.value) if detail.has_value else None,
        "result_size": detail.result_size,
        "dag": detail.dag.to_dict() if detail.dag is not None else None,
        "decisions": [one.to_json() for one in detail.decisions],
    }


def _short(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def logs(
    name: Annotated[str, typer.Argument(metavar="RUN|NAME", help="A run, a job (its latest run) or a serving.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Print what a run or a serving has printed."""
    from operator_lib.client import inventory

    for event in inventory.logs(connect(address, token), name, follow=follow):
        if as_json:
            output.json_line(event)
        else:
            path = event.get("path", "")
            print(
                (output.paint(f"{path} | ", "dim") if path and output.colourful() else "") + event["text"], flush=True
            )


def stub(
    name: Name,
    out: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Instead of NAME.pyi.")] = "",
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Write the methods of a deployment as a .pyi file.

    For editors and type checkers.
    """
    from operator_lib.client import inventory
    from operator_lib.client.stubs import stub as write

    file = write(inventory.latch(connect(address, token), name), out or None)
    if as_json:
        output.document({"name": name, "file": str(file)})
    else:
        print(file)
