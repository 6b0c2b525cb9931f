"""Verbs that need no worker: ``dag`` and ``run``."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from operator_lib.cli import arguments, output, problems, target, values
from operator_lib.cli.flags import VALUES, Arguments, Json, Method, Target
from operator_lib.cli.usage import Usage


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(dag)
    app.command(context_settings=VALUES)(run)


def dag(
    where: Target,
    svg: Annotated[bool, typer.Option("--svg", help="A picture.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid flowchart.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="A Graphviz digraph.")] = False,
    as_json: Json = False,
    depth: Annotated[int | None, typer.Option("--depth", min=1, help="With --svg: boxes at most so deep.")] = None,
    out: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there.")] = None,
) -> None:
    """Draw an operator's graph. Reads its source; nothing is imported, nothing runs."""
    from operator_lib import trace

    forms = [form for form, asked in (("svg", svg), ("mermaid", mermaid), ("dot", dot), ("json", as_json)) if asked]
    if len(forms) > 1:
        raise Usage(f"choose one of --{' and --'.join(forms)}")
    if depth is not None and not svg:
        raise Usage("--depth goes with --svg")
    file, name = target.split(where)
    try:
        found = trace.build_from_file(file, name)
    except ValueError as problem:
        raise Usage(str(problem).replace(str(file), file.name)) from None
    if forms:
        text: str = found.to_svg(depth) if svg else getattr(found, f"to_{forms[0]}")()
    else:
        from operator_lib.trace.draw import terminal

        text = terminal.render(found, color=out is None and output.colourful())
    if out is None:
        print(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    print(f"{out}: {len(found.nodes)} nodes", file=sys.stderr)


def run(where: Target, args: Arguments = None, method: Method = "", as_json: Json = False) -> None:
    """Call an operator right here. Imports the file, as plain Python does."""
    # What the user's code prints must not mix with the JSON.
    with output.stdout_as_stderr() if as_json else contextlib.nullcontext():
        operator = target.instance(target.load(where))
        called = _member(operator, method)
        positional, named = arguments.parse(args, arguments.parameters_of(called))
        _fits(called, positional, named, where)
        found = _call(called, positional, named, as_json)
    values.show(found, as_json)


def _member(operator: Any, method: str) -> Any:
    try:
        return getattr(operator, method) if method else operator
    except AttributeError as problem:
        raise Usage(str(problem)) from None


def _fits(called: Any, positional: tuple[Any, ...], named: dict[str, Any], where: str) -> None:
    function = getattr(called, "forward", called)
    if not callable(called) or (function is not called and _not_written(called)):
        raise Usage(f"{where} cannot be called itself; name one of its methods: --method NAME")
    try:
        written = called if function is called else called.__dict__.get("__wrapped__", function)
        signature = inspect.signature(written)
    except (TypeError, ValueError, AttributeError):
        return
    try:
        signature.bind(*positional, **named)
    except TypeError as problem:
        raise Usage(f"{problem}; it is called as {signature}") from None


def _not_written(operator: Any) -> bool:
    from operator_lib import Operator

    kind = type(operator)
    return kind.forward is Operator.forward and kind.__call__.__module__.startswith("operator_lib.")


def _call(called: Any, positional: tuple[Any, ...], named: dict[str, Any], as_json: bool) -> Any:
    """The value, or the items: in text as they come, in JSON all at once, for the code behind them may print, too."""
    try:
        found = values.settled(called(*positional, **named))
        each = values.items(found)
        if each is None:
            return found
        return iter(list(each)) if as_json else _guarded(each)
    except Exception as error:
        raise problems.UserFailure(error) from None


def _guarded(each: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from each
    except Exception as error:
        raise problems.UserFailure(error) from None
