"""Looking at an object, a class or a function: what a caller may use of it."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from operator_lib import tree
from operator_lib.options import Options
from operator_lib.wire import plain
from operator_lib.wire.callers import batched, for_callers, item_of
from operator_lib.wire.hints import resolve
from operator_lib.wire.json_schema import json_schema, type_schema
from operator_lib.wire.methods import Method, Param, Schema
from operator_lib.wire.refusal import Unencodable

__all__ = ["Method", "Param", "Schema", "json_schema", "schema_of"]

_OURS = ("operator_lib.core", "operator_lib.decorator")
_FRONTENDS = "operator_lib.frontends."
_DUNDERS = (
    *("__len__", "__getitem__", "__setitem__", "__delitem__", "__contains__"),
    *("__iter__", "__next__", "__reversed__", "__bool__"),
)
_DATA = (property, functools.cached_property, types.MemberDescriptorType, types.GetSetDescriptorType)
_LONGEST_DEFAULT = 10_000  # characters


def schema_of(target: Any, options: Options | None = None) -> Schema:
    """What can be called on an instance, a class (its instances) or a function.

    The `options` say what of the callable itself is the callers' part: see `wire.callers`.
    Private names, and everything that comes from `Operator`, are not part of it.
    """
    function = _function(target)
    if function is not None:
        method = method_of("", function, options=options)
        name = getattr(target, "__name__", None) or type(target).__name__
        return Schema(name=name, doc=method.doc, methods={"": method})
    kind = target if isinstance(target, type) else type(target)
    members = dict(_members(kind))
    methods: dict[str, Method] = {}
    main = _main(kind, members)
    if main is not None:
        methods[""] = method_of("", main, drop=1, options=options)
    for name, member in members.items():
        made = None if name.startswith("_") else _method(kind, name, member, options if member is main else None)
        if made is not None:
            methods[name] = made
    return Schema(
        name=kind.__name__,
        doc=inspect.cleandoc(kind.__doc__ or "") if _is_users(kind) else "",
        methods=methods,
        attributes=tuple(dict.fromkeys(_attributes(kind, members, methods))),
        dunders=tuple(name for name in _DUNDERS if members.get(name) is not None),
        dynamic="__getattr__" in members,
    )


def method_of(name: str, function: Any, *, drop: int = 0, options: Options | None = None) -> Method:
    """The description of one callable, without its first ``drop`` parameters."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # some functions written in C do not tell
        signature = inspect.signature(lambda *args, **kwargs: None)
    parameters = list(signature.parameters.values())
    for _ in range(drop):
        if parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            del parameters[0]
    seen = for_callers(signature.replace(parameters=parameters), options)
    parameters = list(seen.parameters.values())
    hidden = len(signature.parameters) - len(parameters)
    known = _type_hints(function)
    if batched(options):
        known = {name: item for name, hint in known.items() if (item := item_of(hint)) is not inspect.Parameter.empty}
    returns = seen.return_annotation
    return Method(
        name=name,
        kind=_kind(function),
        params=tuple(_param(parameter, known) for parameter in parameters),
        hidden=hidden,
        returns=_annotation(returns),
        doc=inspect.cleandoc(getattr(function, "__doc__", None) or ""),
        returns_schema={} if returns is inspect.Signature.empty else type_schema(known.get("return", Any)),
    )


# Which members there are


def _is_users(kind: type) -> bool:
    module = kind.__module__
    ours = module in _OURS or module.startswith(_FRONTENDS)
    return kind is not object and not ours and kind not in (typing.Generic, typing.Protocol)


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Class members of the user, those of base classes first."""
    for base in reversed(kind.__mro__):
        if _is_users(base):
            yield from vars(base).items()


def _function(target: Any) -> Any:
    """The function behind a function, a partial, a decorated function or a method; None for objects and
    classes.
    """
    if isinstance(target, type):
        return None
    operator = getattr(sys.modules.get("operator_lib.core"), "Operator", None)
    if operator is not None and isinstance(target, operator):
        return tree.called(target) if "__wrapped__" in vars(target) or tree.stands_in(target) else None
    if inspect.isroutine(target) or isinstance(target, functools.partial):
        return target
    return target if callable(target) and inspect.isfunction(getattr(target, "__wrapped__", None)) else None


def _main(kind: type, members: Mapping[str, Any]) -> Any:
    """What runs when an instance is called: the user's ``__call__``, or the ``forward`` of an operator."""
    own = members.get("__call__")
    if own is not None:
        return own
    operator = getattr(sys.modules.get("operator_lib.core"), "Operator", None)
    return members.get("forward") if operator is not None and issubclass(kind, operator) else None


def _method(kind: type, name: str, member: Any, options: Options | None) -> Method | None:
    if isinstance(member, (*_DATA, type)):
        return None
    if isinstance(member, staticmethod):
        return method_of(name, cast("staticmethod[..., Any]", member).__func__, options=options)
    if isinstance(member, classmethod):
        return method_of(name, cast("classmethod[Any, ..., Any]", member).__func__, drop=1, options=options)
    if isinstance(member, functools.partialmethod):
        return method_of(name, getattr(kind, name), drop=1, options=options)
    if not callable(member):
        return None
    wrapped = getattr(member, "__wrapped__", None)
    function = wrapped if not inspect.isroutine(member) and inspect.isfunction(wrapped) else member
    return method_of(name, function, drop=int(hasattr(member, "__get__")), options=options)


def _attributes(kind: type, members: Mapping[str, Any], methods: Mapping[str, Method]) -> Iterator[str]:
    for base in reversed(kind.__mro__):
        if _is_users(base):
            yield from (name for name in inspect.get_annotations(base) if not name.startswith("_"))
    for name, member in members.items():
        if not name.startswith("_") and name not in methods and not isinstance(member, type):
            yield name


# What one callable looks like


def _kind(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = cast("functools.partial[Any]", function).func
    if not inspect.isroutine(function):
        function = getattr(type(function), "__call__", function)  # noqa: B004
    if inspect.isasyncgenfunction(function):
        return "async_generator"
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    return "generator" if inspect.isgeneratorfunction(function) else "function"


def _type_hints(function: Any) -> dict[str, Any]:
    inner = function
    while isinstance(inner, functools.partial):
        inner = cast("functools.partial[Any]", inner).func
    inner = inspect.unwrap(inner)
    if not inspect.isroutine(inner) and hasattr(type(inner), "__call__"):  # noqa: B004
        inner = cast("Callable[..., Any]", type(inner).__call__)
    try:
        return typing.get_type_hints(inner, include_extras=True)
    except Exception:
        names = getattr(inner, "__globals__", {})
        raw: dict[str, Any] = getattr(inner, "__annotations__", {})
        resolved = {name: resolve(hint, names) for name, hint in raw.items()}
        return {name: hint for name, hint in resolved.items() if hint is not None}


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _param(parameter: inspect.Parameter, known: Mapping[str, Any]) -> Param:
    required, default, shown = True, None, ""
    if parameter.default is not inspect.Parameter.empty:
        required, default, shown = False, _default(parameter.default), _short(parameter.default)
    elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        required = False
    has_type = parameter.annotation is not inspect.Parameter.empty
    schema = type_schema(known.get(parameter.name, Any)) if has_type else {}
    return Param(
        name=parameter.name,
        kind=parameter.kind.name.lower(),
        required=required,
        default=default,
        default_repr=shown,
        annotation=_annotation(parameter.annotation),
        schema=schema,
    )


def _default(value: Any) -> str | None:
    from operator_lib.wire.tagged import Writer

    writer = Writer()
    try:
        text = plain.encode(writer.write(value)).decode("utf-8", "surrogatepass")
    except (Unencodable, ValueError):
        return None
    return None if writer.buffers or len(text) > _LONGEST_DEFAULT else text


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= 200 else text[:197] + "..."
