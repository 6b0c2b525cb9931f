"""``schedule NAME "CRON"``, and ``schedule list | pause | resume | delete``: runs that start by themselves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from operator_lib.cli import arguments, output
from operator_lib.cli.flags import Address, Json, Token, connect
from operator_lib.cli.usage import Usage

if TYPE_CHECKING:
    from operator_lib.client.schedules import Schedule

ADD = "add"


class _AddByDefault(TyperGroup):
    """``schedule NAME CRON`` is ``schedule add NAME CRON``; the latter also for jobs with the name of a verb."""

    default = ADD

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [self.default, *args]
        return super().resolve_command(ctx, args)


group = typer.Typer(
    cls=_AddByDefault,
    no_args_is_help=True,
    help='Start runs of a job by themselves: operator-lib schedule NAME "CRON".',
    rich_markup_mode=None,
)

Which = Annotated[
    str, typer.Argument(metavar="ID|NAME", help="A schedule, or a job: all of its schedules.", show_default=False)
]


def add(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="schedule")


@group.command(name=ADD)
def add_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A job.", show_default=False)],
    cron: Annotated[
        str,
        typer.Argument(
            metavar="CRON",
            help="Minute, hour, day, month and weekday in one word, as in '0 3 * * *'; or @daily and the like.",
            show_default=False,
        ),
    ],
    timezone: Annotated[str, typer.Option("--timezone", metavar="ZONE", help="Whose clock: an IANA name.")] = "UTC",
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="KEY=VALUE", help="A keyword argument of the runs; several times."),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option("--grace", metavar="S", help="Seconds by which a run may be late (default 3600)."),
    ] = None,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Start runs of a job whenever it is due."""
    from operator_lib.client import inventory
    from operator_lib.client.job import JobHandle

    handle = inventory.latch(connect(address, token), name)
    if not isinstance(handle, JobHandle):
        raise Usage(f"{name} is a serving: it answers calls, it has no runs to start")
    positional, named = arguments.parse(inputs, inventory.parameters(handle))
    if positional:
        raise Usage(f"--input {(inputs or [''])[0]!r}: give it as KEY=VALUE")
    made = handle.job.schedule(cron, timezone=timezone, inputs=named, grace=grace)
    if as_json:
        output.document(made.to_dict())
    else:
        due = f"the next run is due at {output.moment(made.next)}" if made.next else "no run is due"
        print(f"{made.id}: {name} at {made.cron} ({made.timezone}); {due}")


@group.command(name="list")
def list_(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Of one job.", show_default=False)] = "",
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """List schedules, with the time of the next run."""
    from operator_lib.client import schedules

    found = schedules.listed(connect(address, token), name)
    if as_json:
        output.document([schedule.to_dict() for schedule in found])
    elif not found:
        print('No schedules. Try: operator-lib schedule NAME "0 3 * * *"', file=sys.stderr)
    else:
        headers = ("ID", "JOB", "CRON", "ZONE", "NEXT", "LAST RUN", "NOTE")
        output.table(headers, [_row(schedule) for schedule in found])


def _row(schedule: Schedule) -> tuple[str, ...]:
    due = "paused" if schedule.paused else output.moment(schedule.next) if schedule.next else "never"
    return schedule.id, schedule.job, schedule.cron, schedule.timezone, due, schedule.last_run or "-", schedule.note


@group.command()
def pause(which: Which, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Start no runs until it is resumed."""
    _change("Pause", which, "paused", address, token, as_json)


@group.command()
def resume(which: Which, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Start runs again, beginning with the next that is due."""
    _change("Resume", which, "resumed", address, token, as_json)


@group.command()
def delete(which: Which, address: Address = "", token: Token = "", as_json: Json = False) -> None:
    """Remove a schedule. Its runs stay."""
    _change("Delete", which, "deleted", address, token, as_json)


def _change(verb: str, which: str, words: str, address: str, token: str, as_json: bool) -> None:
    from operator_lib.client import schedules

    found = schedules.change_named(connect(address, token), verb, which)
    if as_json:
        output.document([schedule.to_dict() for schedule in found])
        return
    for schedule in found:
        print(f"{schedule.id}: {schedule.job} at {schedule.cron} ({schedule.timezone}) is {words}")
