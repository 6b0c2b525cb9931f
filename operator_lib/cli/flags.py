"""Options that many commands share, and the worker they speak to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from operator_lib.cli import completion

if TYPE_CHECKING:
    from operator_lib.client.connect import Connection

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Address = Annotated[
    str, typer.Option("--address", metavar="HOST:PORT|URL", envvar="OPERATOR_LIB_ADDRESS", help="The worker.")
]
Token = Annotated[str, typer.Option("--token", envvar="OPERATOR_LIB_TOKEN", help="Its token.", show_default=False)]
Target = Annotated[
    str, typer.Argument(metavar="FILE:NAME", help="An operator: the file, and its name in it.", show_default=False)
]
Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A deployment.", show_default=False, autocompletion=completion.deployments),
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of a run.", show_default=False, autocompletion=completion.runs)
]
Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="ARGS", help="JSON values or key=value; what is not JSON is text.", show_default=False),
]
Method = Annotated[str, typer.Option("--method", "-m", metavar="NAME", help="A method or an attribute.")]

# Values may begin with a dash: -3 is a number.
VALUES = {"ignore_unknown_options": True}


def connect(address: str, token: str, *, start: bool = False) -> Connection:
    """The worker meant by the options.

    Raises:
        ConnectionError: nobody answers; with `start` the local worker is started instead.
    """
    from operator_lib.client.connect import connect as to

    return to(address or None, token or None, start=start)
