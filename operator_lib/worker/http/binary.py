"""Which arguments and results may travel as raw bytes, as far as their annotations tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operator_lib.wire.methods import Param

Json = dict[str, Any]

# Annotations without a JSON Schema of their own, or with one that does not show it.
_NAMES = re.compile(r"\b(BinaryIO|BytesIO|IO\[bytes\]|BufferedIOBase|RawIOBase|IOBase|ndarray|NDArray|memoryview)\b")
_ARRAYS = re.compile(r"\b(ndarray|NDArray)\b")
_ANY = ("", "Any", "typing.Any", "object")
_FILE: Json = {"type": "string", "format": "binary"}


def takes_bytes(param: Param) -> bool:
    """Whether a parameter can be given as raw bytes."""
    return param.annotation in _ANY or bool(_NAMES.search(param.annotation)) or _any_arm(param.schema, _is_bytes)


def says_bytes(param: Param) -> bool:
    """The same, and the annotation says so."""
    return param.annotation not in _ANY and takes_bytes(param)


def takes_only_text(schema: Mapping[str, Any]) -> bool:
    """Whether nothing but text fits."""
    if "anyOf" in schema:
        return all(takes_only_text(arm) or arm.get("type") == "null" for arm in schema["anyOf"])
    return schema.get("type") == "string" or ("enum" in schema and all(type(c) is str for c in schema["enum"]))


def form_schema(params: tuple[Param, ...], keywords: Json) -> Json:
    """The JSON Schema of a form: that of the keyword arguments, with files for what is bytes."""
    files = {p.name: _field(p.schema) for p in params if says_bytes(p)}
    return {**keywords, "properties": {**keywords["properties"], **files}}


def _field(schema: Mapping[str, Any]) -> Json:
    listed = schema.get("type") == "array" and _any_arm(schema.get("items", {}), _is_bytes)
    return {"type": "array", "items": _FILE, "minItems": 1} if listed else _FILE


def answers(annotation: str, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Media types that a result has besides JSON."""
    if _ARRAYS.search(annotation):
        return ("application/x-npy",)
    if _any_arm(schema, lambda arm: "contentMediaType" in arm):
        return ("image/png", "image/jpeg", "image/webp", "image/gif")
    if _any_arm(schema, _is_bytes) and schema.get("type") != "array":
        return ("application/octet-stream",)
    return ()


def _is_bytes(schema: Mapping[str, Any]) -> bool:
    return schema.get("contentEncoding") == "base64" or schema.get("format") == "path"


def _any_arm(schema: Mapping[str, Any], fits: Any) -> bool:
    arms = schema.get("anyOf", ())
    items = schema.get("items", {}) if schema.get("type") == "array" else {}
    return bool(fits(schema)) or any(_any_arm(arm, fits) for arm in (*arms, *([items] if items else [])))
