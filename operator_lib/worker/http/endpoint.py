"""One row of the table that both the routes and the OpenAPI document are made from, so that they cannot disagree."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from operator_lib.worker.http.errors import Refusal

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

Json = dict[str, Any]
Handler = Callable[["Worker", Request, Json], Awaitable[Response]]

_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a header. `schema` is its JSON Schema: one type, bounds, an enumeration."""

    name: str
    schema: Mapping[str, Any]
    description: str
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers when all went well."""

    status: int
    description: str
    schema: Mapping[str, Any] | None = None
    media: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method of a path: what answers, and what the document says of it.

    Attributes:
        errors: statuses of `errors.error_response` beyond those that every route may answer with.
        body: schema of the request's JSON, None without one.
        bodies: schemas of bodies of other media types.
        kind: "job" or "serving" where the document repeats the row for every deployment, with its own schema.
    """

    method: str
    path: str
    handle: Handler
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    body: Mapping[str, Any] | None = None
    kind: str = ""
    open: bool = False
    bodies: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def query(self, request: Request) -> Json:
        """The query parameters by name, as their schemas say; those that were not given are left out.

        Raises:
            Refusal: 400, with the place.
        """
        known = {p.name: p for p in self.parameters if p.place == "query"}
        given: Json = {}
        for name, text in request.query_params.multi_items():
            if name not in known:
                takes = ", ".join(known) or "no query parameters"
                raise _wrong(name, f"there is no query parameter {name!r} here; known: {takes}", takes)
            if name in given:
                raise _wrong(name, f"query parameter {name}: given twice", "once")
            given[name] = _parse(known[name], text)
        return given


def _parse(parameter: Parameter, text: str) -> Any:
    schema, about = parameter.schema, f"query parameter {parameter.name}"
    kind = schema["type"]
    if kind == "boolean":
        if text not in _TRUTH:
            raise _wrong(parameter.name, f"{about}: must be true or false, got {text!r:.80}", "true or false")
        return _TRUTH[text]
    if kind == "string":
        if "enum" in schema and text not in schema["enum"]:
            choices = ", ".join(schema["enum"])
            raise _wrong(parameter.name, f"{about}: must be one of {choices}, got {text!r:.80}", choices)
        if not text:
            raise _wrong(parameter.name, f"{about}: is empty", "text")
        if len(text) > schema.get("maxLength", math.inf):
            words = f"at most {schema['maxLength']} characters"
            raise _wrong(parameter.name, f"{about}: must have {words}, got {len(text)}", words)
        return text
    value = _number(text, whole=kind == "integer")
    low, high = schema["minimum"], schema["maximum"]
    if value is None or not low <= value <= high:
        words = f"{'an integer' if kind == 'integer' else 'a number'} from {low} to {high}"
        raise _wrong(parameter.name, f"{about}: must be {words}, got {text!r:.80}", words)
    return value


def _number(text: str, *, whole: bool) -> float | int | None:
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if whole or not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _wrong(name: str, message: str, expected: str) -> Refusal:
    return Refusal(400, "ValidationError", message, [{"path": name, "message": message, "expected": expected}])
