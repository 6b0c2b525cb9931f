"""What a JSON Schema validator has to say, in words for people: where, what, what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

Json = dict[str, Any]

_FORMATS = {
    "date-time": "an ISO 8601 date and time",
    "date": "an ISO 8601 date",
    "time": "an ISO 8601 time",
    "uuid": "a UUID",
    "decimal": "a decimal number",
    "fraction": "a fraction",
    "base64": "base64 text",
    "number": "number",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One place of the arguments that does not fit. The path is like ``images[3].width``, "" the whole."""

    path: str
    message: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def to_json(self) -> Json:
        return {"path": self.path, "message": self.message, "expected": self.expected}


def complaints(errors: Iterable[Any], schema: Json, prefix: str = "") -> Iterator[Complaint]:
    """In words. `schema` is the one that people see: what a validator accepts besides is not held up to them."""
    for error in errors:
        place = prefix + "".join(_step(step) for step in error.instance_path)
        yield from _complain(error, schema, place if prefix else place.removeprefix("."))


def _step(step: Any) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if str(step).isidentifier() else f"[{json.dumps(step)}]"


def _complain(error: Any, schema: Json, place: str) -> Iterator[Complaint]:
    kind = error.kind
    dot = "." if place else ""
    match kind.name:
        case "required":
            yield Complaint(f"{place}{dot}{kind.property}", "is missing", _expected(error, schema, kind.property))
        case "additionalProperties":
            known = _known(error, schema)
            words = f"there is no such {'field' if place else 'argument'}; known: {known}"
            for name in kind.unexpected:
                yield Complaint(f"{place}{dot}{name}", words, f"one of {known}")
        case "anyOf" | "oneOf" if getattr(kind, "context", None):
            yield from _no_arm(error, schema, place)
        case "type":
            expected = _kinds(_seen(error, schema).get("type")) or _kinds(kind.types)
            yield Complaint(place, f"expected {expected}, got {named(error.instance)}", expected)
        case "enum":
            choices = ", ".join(json.dumps(choice) for choice in _seen(error, schema).get("enum", kind.options))
            yield Complaint(place, f"must be one of {choices}, got {_short(error.instance)}", f"one of {choices}")
        case "format":
            expected = _FORMATS.get(kind.format, str(kind.format))
            yield Complaint(place, f"expected {expected}, got {_short(error.instance)}", expected)
        case _:
            yield Complaint(place, str(error.message)[:300], f"{kind.name} {_short(kind.value)}")


def _no_arm(error: Any, schema: Json, place: str) -> Iterator[Complaint]:
    """None of several: the complaints of the arm that has at least the right type, or all types that there are."""
    arms: list[list[Any]] = error.kind.context
    here = list(error.instance_path)
    fitting = [arm for arm in arms if not any(e.kind.name == "type" and list(e.instance_path) == here for e in arm)]
    if fitting:
        best = max(fitting, key=lambda arm: max((len(e.instance_path) for e in arm), default=0))
        for inner in best:
            rest = "".join(_step(step) for step in list(inner.instance_path)[len(here) :])
            yield from _complain(inner, schema, f"{place}{rest}" if place else rest.removeprefix("."))
        return
    shown = [_word(arm) for arm in _seen(error, schema).get("anyOf", ()) if isinstance(arm, dict)]
    told = [_kinds(e.kind.types) for arm in arms for e in arm if e.kind.name == "type"]
    expected = " or ".join(dict.fromkeys(kind for kind in shown or told if kind)) or "something else"
    yield Complaint(place, f"expected {expected}, got {named(error.instance)}", expected)


def _seen(error: Any, schema: Json) -> Json:
    """The part of the documented schema that the error is about, {} where it cannot be found."""
    found: Any = schema
    for step in list(error.schema_path)[:-1]:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def _known(error: Any, schema: Json) -> str:
    return ", ".join(_seen(error, schema).get("properties", {})) or "none"


def _expected(error: Any, schema: Json, name: str) -> str:
    part = _seen(error, schema).get("properties", {}).get(name, {})
    arms = [_word(arm) for arm in part.get("anyOf", ())]
    return _word(part) or " or ".join(arm for arm in arms if arm) or "a value"


def _word(schema: Json) -> str:
    return _kinds(schema.get("type")) or str(schema.get("$ref", schema.get("title", ""))).rpartition("/")[2]


def _kinds(kinds: Any) -> str:
    if not kinds:
        return ""
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def named(value: Any) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else text[:97] + "..."
