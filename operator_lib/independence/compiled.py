"""A function made from the source that was rewritten: same file, lines, name, defaults and variables around."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

from operator_lib import syntax
from operator_lib.independence.written import FLOW, MADE


def compiled(definition: ast.FunctionDef, original: FunctionType, begin: Callable[[], Any]) -> FunctionType:
    """The function; each call has a flow of its own, made by `begin`."""
    code = _code(definition, original)
    closure = dict(zip(original.__code__.co_freevars, original.__closure__ or (), strict=True))
    closure[_BEGIN] = CellType(begin)
    made = FunctionType(
        code,
        original.__globals__,
        original.__name__,
        original.__defaults__,
        tuple(closure[name] for name in code.co_freevars),
    )
    made.__kwdefaults__ = original.__kwdefaults__
    made.__dict__.update(original.__dict__)
    made.__doc__, made.__module__, made.__qualname__ = original.__doc__, original.__module__, original.__qualname__
    made.__annotations__ = original.__annotations__
    return made


_BEGIN = "__operator_begin__"


def _code(definition: ast.FunctionDef, original: FunctionType) -> CodeType:
    first = ast.Assign([ast.Name(FLOW, ast.Store())], ast.Call(ast.Name(_BEGIN, ast.Load()), [], []))
    definition.body.insert(0, ast.copy_location(first, definition.body[0]))
    outer_names = [name for name in original.__code__.co_freevars if name != "__class__"] + [_BEGIN]
    # In a class of the same name, so that names with two underscores are what they were there.
    owner = original.__qualname__.split(".")[-2:-1]
    name = owner[0] if owner and owner[0].isidentifier() else "Function"
    around = syntax.parse(f"def outer({', '.join(outer_names)}):\n    class {name}:\n        pass\n")
    inside: Any = around.body[0]
    inside.body[0].body = [definition]
    ast.fix_missing_locations(around)
    module = compile(around, original.__code__.co_filename, "exec", dont_inherit=True, flags=_flags(original))
    code = _find(module, definition.name)
    return _named(code.replace(co_qualname=original.__code__.co_qualname), original)


def _named(code: CodeType, original: FunctionType) -> CodeType:
    """What was made of a generator expression is called like one."""
    inside: list[Any] = [_named(one, original) if isinstance(one, CodeType) else one for one in code.co_consts]
    code = code.replace(co_consts=tuple(inside))
    if not code.co_name.startswith(MADE):
        return code
    return code.replace(co_name="<genexpr>", co_qualname=f"{original.__qualname__}.<locals>.<genexpr>")


def _flags(original: FunctionType) -> int:
    """``from __future__`` statements of its file."""
    return original.__code__.co_flags & 0x1000000  # annotations


def _find(code: CodeType, name: str) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == name:
                return constant
            if constant.co_name != "<lambda>":
                try:
                    return _find(constant, name)
                except LookupError:
                    continue
    raise LookupError(name)
