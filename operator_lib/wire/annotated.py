"""What `Annotated` says beside a type, as JSON Schema: ranges, lengths, words.

Read by the names of attributes, so that annotated-types (``Ge(1)``), pydantic (``Field(ge=1)``) and anything made like
them count, and none of them has to be installed. Patterns are left out: other languages read them differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]

_NUMBERS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_WORDS = ("description", "documentation")


def described(schema: Json, metadata: Sequence[Any]) -> Json:
    """`schema` with what stands beside it; what is not understood, or has no JSON form, is left out."""
    found: Json = {}
    for each in _flat(metadata):
        for name, key in _NUMBERS.items():
            value: Any = getattr(each, name, None)
            if type(value) in (int, float) and math.isfinite(value):
                found[key] = value
        for name, key in zip(("min_length", "max_length"), _LENGTHS.get(str(schema.get("type")), ()), strict=False):
            value = getattr(each, name, None)
            if type(value) is int and (value > 0 or name == "max_length"):
                found[key] = value
        for name in _WORDS:
            if isinstance(text := getattr(each, name, None), str):
                found["description"] = text
    return {**schema, **found}


def _flat(metadata: Sequence[Any]) -> Iterator[Any]:
    """What pydantic's ``Field`` holds stands beside it."""
    for each in metadata:
        yield each
        inner = getattr(each, "metadata", None)
        if isinstance(inner, (list, tuple)):
            yield from inner
