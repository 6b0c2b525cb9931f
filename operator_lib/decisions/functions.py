"""The function that tells its decisions, in the place of the user's: same file, lines, name, defaults, closure."""

from __future__ import annotations

import ast
import copy
import opcode
import os
from types import CodeType, FunctionType
from typing import Any

from operator_lib import syntax
from operator_lib.decisions.marking import Marking, Spot
from operator_lib.decisions.pieces import MARK
from operator_lib.trace import source

# Functions that ask for their own names or code would see what was done to them.
_LOOKS = frozenset({"locals", "vars", "dir", "eval", "exec", "__code__", "_getframe", "currentframe", "f_locals"})

_JUMPS = frozenset((*opcode.hasjrel, *opcode.hasjabs))

Marked = tuple[CodeType, tuple[Spot, ...]]

# By file, too: code of the same text is equal wherever it stands.
_marked: dict[tuple[str, CodeType, frozenset[str], frozenset[str]], Marked | None] = {}
_MANY = 4096


def marked(function: FunctionType, owner: type | None) -> Marked | None:
    """Its code with marks in the place of sites, and what they stand for; None where there is nothing to tell, or the
    source is not what runs. `owner` is the class of the object that it is called as a method of."""
    if not _of_project(function):
        return None
    code = function.__code__
    names = frozenset(_names(code))
    functions = frozenset(name for name in names if _of_project(function.__globals__.get(name)))
    methods = frozenset(name for name in names if owner is not None and _of_project(_method(owner, name)))
    key = code.co_filename, code, functions, methods
    if key in _marked:
        return _marked.get(key)
    if len(_marked) >= _MANY:
        _marked.clear()
    found = _marked[key] = _mark(function, functions, methods)
    return found


def _names(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for one in _inner(code):
        found |= _names(one)
    return found


def _method(owner: type, name: str) -> Any:
    return next((vars(cls)[name] for cls in owner.__mro__ if name in vars(cls)), None)


def _of_project(found: Any) -> bool:
    """Whether it is a function of the user's, whose decisions are told, too."""
    if type(found) is not FunctionType or str(found.__module__).startswith("operator_lib."):
        return False
    file = found.__code__.co_filename
    return source.is_project_file(file, os.path.dirname(os.path.realpath(file)))


def _mark(function: FunctionType, functions: frozenset[str], methods: frozenset[str]) -> Marked | None:
    code = function.__code__
    if not (functions or methods or _jumps(code)):
        return None  # without reading its file
    file = source.load(code.co_filename)
    definition = file.function(code) if file is not None else None
    if file is None or not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef) or _looks(code):
        return None
    written = frozenset(_as_written(name, code) for name in methods)
    marking = Marking(file, code.co_varnames[0] if code.co_argcount else "", functions, written)
    try:
        if not _same(_compiled(_bare(definition), function, file.imported), code):
            return None  # the file has changed since, or somebody has rewritten the function
        again = _bare(definition)
        again.body = marking.block(again.body)
        if not marking.spots:
            return None
        return _compiled(again, function, file.imported), tuple(marking.spots)
    except (SyntaxError, ValueError, LookupError, RecursionError):
        return None


def _jumps(code: CodeType) -> bool:
    """Whether it, or what it is made of, goes one way or another: a condition, a loop, a handler."""
    return not _JUMPS.isdisjoint(code.co_code[::2]) or any(map(_jumps, _inner(code)))


def _as_written(name: str, code: CodeType) -> str:
    """A name of an attribute as the source has it: ``__fit``, which is looked up as ``_Search__fit``."""
    own = "".join(code.co_qualname.split(".")[-2:-1]).lstrip("_")
    return name.removeprefix(f"_{own}") if name.startswith(f"_{own}__") else name


def bound(function: FunctionType, code: CodeType, sites: list[Any]) -> FunctionType:
    """The marked code with these sites, as a function like the one given."""
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    code = _with_sites(code, sites)
    cells = tuple(closure[name] for name in code.co_freevars)
    made = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, cells)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__doc__, made.__module__, made.__qualname__ = function.__doc__, function.__module__, function.__qualname__
    made.__annotations__ = function.__annotations__
    return made


def _with_sites(code: CodeType, sites: list[Any]) -> CodeType:
    def one(constant: Any) -> Any:
        if type(constant) is CodeType:
            return _with_sites(constant, sites)
        if type(constant) is str and constant.startswith(MARK):
            return sites[int(constant[len(MARK) :])]
        return constant

    return code.replace(co_consts=tuple(one(constant) for constant in code.co_consts))


def _looks(code: CodeType) -> bool:
    """Whether it, or a function inside, asks what it is made of."""
    return not _LOOKS.isdisjoint(code.co_names) or any(_looks(one) for one in _inner(code))


def _bare(definition: Any) -> Any:
    """The definition without what was evaluated when it was made."""
    made = copy.deepcopy(definition)
    made.decorator_list, made.returns, made.type_params = [], None, []
    spec = made.args
    for one in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg):
        if one is not None:
            one.annotation = None
    spec.defaults = [_none(one) for one in spec.defaults]
    spec.kw_defaults = [None if one is None else _none(one) for one in spec.kw_defaults]
    return made


def _none(node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Constant(None), node)


def _compiled(definition: Any, function: FunctionType, imported: frozenset[str]) -> CodeType:
    """In a function with the variables around, in a class of the same name: then names are what they were there.

    `imported` are the names that the module imports: Python compiles calls of what is in them in another way.
    """
    original = function.__code__
    free = [name for name in original.co_freevars if name != "__class__"]
    owner = original.co_qualname.split(".")[-2:-1]
    name = owner[0] if owner and owner[0].isidentifier() else "_"  # in which private names stay as they are
    imports = "".join(f"import {one}\n" for one in imported)
    around = syntax.parse(f"{imports}def outer({', '.join(free)}):\n    class {name}:\n        pass\n")
    inside: Any = around.body[-1]
    inside.body[0].body = [definition]
    ast.fix_missing_locations(around)
    flags = original.co_flags & 0x1000000  # from __future__ import annotations
    code = _find(compile(around, original.co_filename, "exec", dont_inherit=True, flags=flags), definition.name)
    code = _renamed(code, code.co_qualname, original.co_qualname)
    return code.replace(co_firstlineno=original.co_firstlineno)


def _renamed(code: CodeType, before: str, after: str) -> CodeType:
    """With the qualified names that it, and what is defined inside, have in the program."""

    def one(constant: Any) -> Any:
        if type(constant) is CodeType:
            return _renamed(constant, before, after)
        named = type(constant) is str and constant.startswith(f"{before}.<locals>.")  # of a class
        return after + constant[len(before) :] if named else constant

    consts = tuple(one(constant) for constant in code.co_consts)
    return code.replace(co_qualname=after + code.co_qualname[len(before) :], co_consts=consts)


def _find(code: CodeType, name: str) -> CodeType:
    for wanted in ("outer", None, name):
        code = next(one for one in _inner(code) if wanted is None or one.co_name == wanted)
    return code


def _same(one: CodeType, other: CodeType) -> bool:
    parts = [(code.co_code, code.co_names, code.co_varnames, code.co_freevars) for code in (one, other)]
    if parts[0] != parts[1] or len(one.co_consts) != len(other.co_consts):
        return False
    return all(_alike(a, b) for a, b in zip(one.co_consts, other.co_consts, strict=True))


def _alike(one: Any, other: Any) -> bool:
    """Whether constants are the same: 1 and 1.0 are not."""
    if type(one) is not type(other):
        return False
    if type(one) is CodeType:
        return _same(one, other)
    if type(one) is frozenset:
        return set(map(repr, one)) == set(map(repr, other))
    return repr(one) == repr(other)


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]
