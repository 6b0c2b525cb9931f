"""Arguments checked against a version's type hints before anything is accepted, by the stored schema alone."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

import jsonschema_rs

from operator_lib.wire.leaves import LEAVES
from operator_lib.wire.methods import Method, Schema
from operator_lib.wire.schema import json_schema
from operator_lib.worker.http.binary import answers, form_schema, says_bytes, takes_bytes, takes_only_text
from operator_lib.worker.http.complaints import Complaint, complaints, named
from operator_lib.worker.http.errors import Refusal

Json = dict[str, Any]

# How many complaints one answer lists.
SHOWN = 50
# Texts that are checked as the runner will read them.
_TEXTS: dict[str, Any] = {
    "date-time": dt.datetime,
    "date": dt.date,
    "time": dt.time,
    "uuid": uuid.UUID,
    "decimal": Decimal,
    "fraction": Fraction,
    "base64": bytes,
    "number": float,
}


def _reads(kind: Any) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            LEAVES[kind](text, "")
        except (TypeError, ValueError):
            return False
        return True

    return check


_FORMATS = {name: _reads(kind) for name, kind in _TEXTS.items()}


class Arguments:
    """What one method takes: the object of its keyword arguments, or its first argument alone."""

    def __init__(self, method: Method, name: str) -> None:
        self.name = name
        self.doc = method.doc
        self.streams = "generator" in method.kind
        self.keywords = json_schema(method)
        self.first = next((p for p in method.params if p.kind in _POSITIONAL), None)
        self.alone = self._alone(method)
        self._check_keywords = compiled(self.keywords)
        self._check_alone = compiled({**(self.first.schema if self.first else {})})
        self.files = frozenset(p.name for p in method.params if takes_bytes(p))
        self.form = form_schema(method.params, self.keywords) if any(map(says_bytes, method.params)) else None
        self.answers = answers(method.returns, method.returns_schema)
        others = [p for p in method.params if p.required and p is not self.first]
        self.alone_as_bytes = self.first is not None and says_bytes(self.first) and not others
        self._check_fields = compiled({key: value for key, value in self.keywords.items() if key != "required"})

    def _alone(self, method: Method) -> Json | None:
        """The schema of a first argument that stands for the whole body, None where there is no such call."""
        others = [p for p in method.params if p.required and p is not self.first]
        if self.first is None or others:
            return None
        return without_objects(dict(self.first.schema))

    def body(self) -> Json:
        """The schema of the request's body."""
        if self.alone is None:
            return self.keywords
        defs = {**self.keywords.get("$defs", {}), **self.alone.get("$defs", {})}
        either = [{key: value for key, value in each.items() if key != "$defs"} for each in (self.keywords, self.alone)]
        return {"anyOf": either, **({"$defs": defs} if defs else {})}

    def check(self, value: Any) -> None:
        """Refuse a body that the method could not be called with.

        Raises:
            Refusal: 422; its details name every place.
        """
        self._refuse(list(self._problems(value)))

    def check_fields(self, values: Json, files: Collection[str]) -> None:
        """The same for arguments by name, some of which came as files."""
        self._refuse(list(self._field_problems(values, files)))

    def takes_text(self, name: str) -> bool:
        """Whether a field of a form can only be text."""
        return takes_only_text(self.keywords["properties"].get(name, {}))

    def _refuse(self, problems: list[Complaint]) -> None:
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            message = f"{self.name}: {problems[0]}{more}"
            raise Refusal(422, "ValidationError", message, [p.to_json() for p in problems[:SHOWN]])

    def _field_problems(self, values: Json, files: Collection[str]) -> Iterator[Complaint]:
        known = self.keywords["properties"]
        yield from complaints(self._check_fields.iter_errors(values), self.keywords)
        for name in files:
            if name in values:
                yield Complaint(name, "is there twice, as a file and as text", "once")
            elif name not in known and not self.keywords["additionalProperties"]:
                words = f"one of {', '.join(known) or 'none'}"
                yield Complaint(name, f"there is no such argument; known: {words.removeprefix('one of ')}", words)
            elif name in known and name not in self.files:
                yield Complaint(name, "cannot be a file; give it as text or JSON", "JSON")
        for name in self.keywords.get("required", ()):
            if name not in values and name not in files:
                yield Complaint(name, "is missing", "an argument")

    def _problems(self, value: Any) -> Iterator[Complaint]:
        if isinstance(value, dict):
            if not self._check_keywords.is_valid(value):
                yield from complaints(self._check_keywords.iter_errors(value), self.keywords)
            return
        if self.first is None:
            yield Complaint("", f"it takes no positional argument, got {named(value)}", "object")
            return
        if not self._check_alone.is_valid(value):
            yield from complaints(self._check_alone.iter_errors(value), dict(self.first.schema), self.first.name)
        for name in self.keywords.get("required", ()):
            if name != self.first.name:
                yield Complaint(name, "is missing: give the arguments by name, in an object", "an argument")


_POSITIONAL = ("positional_only", "positional_or_keyword", "var_positional")


@lru_cache(maxsize=256)
def arguments_of(schema_json: str) -> Mapping[str, Arguments]:
    """By the name of the method; ``""`` is the object itself, called."""
    data = json.loads(schema_json or "{}")
    if not data.get("methods"):
        return {}
    schema = Schema.from_json(data)
    return {name: Arguments(method, name or schema.name) for name, method in schema.methods.items()}


def compiled(schema: Json) -> Any:
    """A validator that accepts what the runner can read: a little more than the schema shows."""
    return jsonschema_rs.Draft202012Validator(
        widened(schema), validate_formats=True, ignore_unknown_formats=True, formats=_FORMATS
    )


def widened(schema: Any) -> Any:
    """The forms that `wire.annotations` takes beyond the one that is documented; see "Plain JSON" in wire/README.md."""
    if isinstance(schema, list):
        return [widened(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = cast("Json", schema)
    made = {key: value if key in ("default", "enum", "const") else widened(value) for key, value in found.items()}
    if made.get("type") == "number":
        return {**made, "type": ["number", "string"], "format": "number"}
    if made.get("type") == "array" and found.get("items") == {"type": "number"} and made.get("maxItems") == 2:
        return {**made, "type": ["array", "number"]}  # a complex number without its imaginary part
    if made.get("format") in ("decimal", "fraction"):
        return {**made, "type": ["number", "string"]}
    if made.get("contentEncoding") == "base64":
        return {**made, "format": "base64"}
    if "x-enum-varnames" in made:
        return {**made, "enum": [*made["enum"], *(n for n in made["x-enum-varnames"] if n not in made["enum"])]}
    return made


def without_objects(schema: Json) -> Json | None:
    """What is left of a schema for a body that is no object; None if nothing."""
    defs = schema.get("$defs", {})
    kinds = schema.get("type")
    if "$ref" in schema:
        target = defs.get(str(schema["$ref"]).rpartition("/")[2], {})
        return None if target.get("type") == "object" else schema
    if "anyOf" in schema:
        arms = [without_objects({**arm, "$defs": defs} if defs else arm) for arm in schema["anyOf"]]
        kept = [{k: v for k, v in arm.items() if k != "$defs"} for arm in arms if arm is not None]
        return {**schema, "anyOf": kept} if kept else None
    if kinds == "object":
        return None
    if kinds is None and "enum" not in schema:
        return {**schema, "type": ["array", "boolean", "null", "number", "string"]}
    return schema
