"""Type hints as JSON Schema (draft 2020-12), for OpenAPI and forms: what `from_json` accepts."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime as dt
import enum
import io
import pathlib
import types
import typing
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from operator_lib.errors import SerializationError
from operator_lib.wire.annotated import described
from operator_lib.wire.hints import arms, field_types, is_named_tuple
from operator_lib.wire.json_values import to_json

if TYPE_CHECKING:
    from operator_lib.wire.methods import Method, Param

Json = dict[str, Any]

_SIMPLE: dict[Any, Json] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    bytearray: {"type": "string", "contentEncoding": "base64"},
    memoryview: {"type": "string", "contentEncoding": "base64"},
    io.BytesIO: {"type": "string", "contentEncoding": "base64"},
    typing.BinaryIO: {"type": "string", "contentEncoding": "base64"},
    typing.IO: {"type": "string", "contentEncoding": "base64"},
    complex: {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    dt.time: {"type": "string", "format": "time"},
    dt.timedelta: {"type": "number", "description": "seconds"},
    Decimal: {"type": "string", "format": "decimal"},
    Fraction: {"type": "string"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    pathlib.Path: {"type": "string", "format": "path"},
    pathlib.PurePath: {"type": "string", "format": "path"},
}
_LISTS: set[Any] = {
    *(list, deque, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection),
    *(collections.abc.Iterable, collections.abc.Iterator, collections.abc.Generator),
    *(collections.abc.AsyncIterable, collections.abc.AsyncIterator, collections.abc.AsyncGenerator),
}
_SETS = {set, frozenset, collections.abc.Set, collections.abc.MutableSet}
_DICTS = {dict, OrderedDict, defaultdict, Counter, collections.abc.Mapping, collections.abc.MutableMapping}
_LIBRARIES: dict[tuple[str, str], Json] = {
    ("numpy", "ndarray"): {"type": "array"},
    ("torch", "Tensor"): {"type": "array"},
    ("pandas", "DataFrame"): {"type": "array", "items": {"type": "object"}},
    ("polars", "DataFrame"): {"type": "array", "items": {"type": "object"}},
    ("pandas", "Series"): {"type": "array"},
    ("PIL", "Image"): {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
}


def json_schema(method: Method) -> Json:
    """The JSON object of keyword arguments that a method takes.

    >>> from operator_lib.wire.schema import schema_of
    >>> def area(width: float, height: float = 1.0) -> float: ...
    >>> json_schema(schema_of(area).methods[""])["required"]
    ['width']
    """
    properties: Json = {}
    defs: Json = {}
    required: list[str] = []
    extra: bool | Json = False
    for param in method.params:
        own = {key: value for key, value in param.schema.items() if key != "$defs"}
        defs.update(param.schema.get("$defs", {}))
        if param.kind == "var_keyword":
            extra = own or True
        elif param.kind != "var_positional":
            properties[param.name] = {**own, **_default(param)}
            if param.required:
                required.append(param.name)
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": extra}
    if required:
        schema["required"] = required
    if defs:
        schema["$defs"] = defs
    if method.doc:
        schema["description"] = method.doc
    return schema


def _default(param: Param) -> Json:
    if param.default is None:
        return {}
    try:
        return {"default": to_json(param.value())}
    except SerializationError:
        return {}


def type_schema(hint: Any) -> Json:
    """The JSON Schema of one type hint, ``{}`` (anything) without one; classes are below ``$defs``."""
    defs: Json = {}
    try:
        schema = _schema(hint, defs)
    except Exception:  # an annotation is the user's: whatever it does, it must not stop a deploy
        return {}
    return {**schema, "$defs": defs} if defs else schema


def _schema(hint: Any, defs: Json) -> Json:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Union or origin is types.UnionType:
        return {"anyOf": [_schema(arm, defs) for arm in args]}
    if origin is Literal:
        return {"enum": [to_json(choice) for choice in args]}
    if origin is Annotated:
        return described(_schema(args[0], defs), args[1:])
    unwrapped = arms(hint)
    if len(unwrapped) != 1:
        return {"anyOf": [_schema(arm, defs) for arm in unwrapped]} if unwrapped else {}
    if unwrapped[0] is not hint:
        return _schema(unwrapped[0], defs)
    kind = origin or hint
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    return _container(kind, args, defs) or _class(kind, defs)


def _container(kind: Any, args: tuple[Any, ...], defs: Json) -> Json:
    if kind is tuple:
        if not args or (len(args) == 2 and args[1] is Ellipsis):
            return _list(args[:1], defs)
        items = [_schema(arm, defs) for arm in args]
        return {"type": "array", "prefixItems": items, "minItems": len(args), "maxItems": len(args)}
    if kind in _LISTS:
        return _list(args[:1], defs)
    if kind in _SETS:
        return {**_list(args[:1], defs), "uniqueItems": True}
    if kind in _DICTS:
        values = {"type": "integer"} if kind is Counter else _schema(args[1], defs) if len(args) == 2 else {}
        return {"type": "object", "additionalProperties": values or True}
    return {}


def _list(args: tuple[Any, ...], defs: Json) -> Json:
    items = _schema(args[0], defs) if args else {}
    return {"type": "array", "items": items} if items else {"type": "array"}


def _class(kind: Any, defs: Json) -> Json:
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, enum.Enum):
        values, names = [to_json(member.value) for member in kind], [member.name for member in kind]
        # The names are accepted as well; the values are what comes out.
        return {"title": kind.__name__, "enum": values} | ({"x-enum-varnames": names} if names != values else {})
    if hasattr(kind, "model_json_schema"):
        return _model(kind, defs)
    if dataclasses.is_dataclass(kind) or is_named_tuple(kind) or typing.is_typeddict(kind):
        if kind.__name__ not in defs:
            defs[kind.__name__] = {}  # a placeholder, so that a class may contain itself
            defs[kind.__name__] = _record(kind, defs)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    module = kind.__module__.partition(".")[0]
    if module == "numpy" and kind.__name__ not in ("ndarray", "dtype"):
        return _numpy_scalar(kind)
    return dict(_LIBRARIES.get((module, kind.__name__), {}))


def _numpy_scalar(kind: type) -> Json:
    import numpy as np

    for base, name in (
        (np.integer, "integer"),
        (np.floating, "number"),
        (np.bool_, "boolean"),
        (np.str_, "string"),
    ):
        if issubclass(kind, base):
            return {"type": name}
    return {}


def _model(kind: Any, defs: Json) -> Json:
    schema = kind.model_json_schema(ref_template="#/$defs/{model}")
    defs.update(schema.pop("$defs", {}))
    if "$ref" not in schema:
        defs[kind.__name__] = schema
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _record(kind: Any, defs: Json) -> Json:
    known = field_types(kind)
    title: str = kind.__name__
    if dataclasses.is_dataclass(kind):
        fields = [field for field in dataclasses.fields(kind) if field.init]
        missing = dataclasses.MISSING
        names = [field.name for field in fields]
        required = [f.name for f in fields if f.default is missing and f.default_factory is missing]
        defaults = {f.name: f.default for f in fields if f.default is not missing}
    elif is_named_tuple(kind):
        names, defaults = list(kind._fields), dict(kind._field_defaults)
        required = [name for name in names if name not in defaults]
    else:
        names, defaults, required = list(known), {}, sorted(kind.__required_keys__)
    properties: Json = {name: _schema(known.get(name, Any), defs) for name in names}
    for name, default in defaults.items():
        try:
            properties[name] = {**properties[name], "default": to_json(default)}
        except SerializationError:
            continue
    schema: Json = {
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": False,
    }
    return {**schema, "required": required} if required else schema
