"""A decision as it is noted, made into an event when somebody reads it."""

from __future__ import annotations

from typing import Any

from operator_lib.decisions.values import HIDDEN, Hide, Said, describe, secret


def to_event(told: tuple[Any, ...]) -> dict[str, Any]:
    """``("decision", t, call, path, log, site, outcome, values, missed)``, as `operator_lib.engine.events` has it."""
    _, t, call, path, log, site, outcome, values, missed = told
    spot = site.spot
    file = log.file(site.watched.original.__code__.co_filename)
    event: dict[str, Any] = {"kind": "decision", "t": t, "call": call, "operator": path, "file": file}
    event |= {"line": spot.line, "col": spot.col, "what": spot.what, "source": spot.source}
    named = [(number, spot.operands[number], value) for number, value in values]
    event["values"] = [[number, operand, _said(operand, value, log.hide)] for number, operand, value in named]
    event["outcome"] = outcome
    return event | {"missed": True} if missed else event


def _said(operand: str, value: Any, hide: Hide) -> str:
    if secret(operand) and type(value) in (str, bytes, Said):
        return HIDDEN
    return value if type(value) is Said else describe(value, hide)
