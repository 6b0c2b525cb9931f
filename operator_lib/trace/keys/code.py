"""One piece of code: its meaning as text, and what its bytecode asks the world for."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from operator_lib.trace.normal import normal
from operator_lib.trace.source import FunctionNode, SourceFile, load

# Names of builtins that look attributes up by a name that is only known when the program runs.
BY_NAME = frozenset({"getattr", "hasattr", "setattr", "delattr", "vars", "dir", "attrgetter", "methodcaller"})
_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_ATTRIBUTE = frozenset(
    {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "LOAD_SUPER_ATTR", "IMPORT_FROM"},
)  # fmt: skip


# Pieces of code that it is kept of what they ask for: it is asked several times of each.
_KNOWN = 4096


@dataclass(slots=True)
class Asked:
    """What code asks for: dotted global names, imports, attribute names; the same for code nested in it."""

    chains: dict[tuple[str, ...], None] = field(default_factory=dict[tuple[str, ...], None])
    imports: dict[tuple[str, int, tuple[str, ...]], None] = field(
        default_factory=dict[tuple[str, int, tuple[str, ...]], None]
    )
    names: set[str] = field(default_factory=set[str])


@lru_cache(_KNOWN)
def asked(code: CodeType) -> Asked:
    """Read from the bytecode: what is executed, whatever the file says by now. Not to be changed."""
    found = Asked()
    _read(code, found)
    return found


def _read(code: CodeType, found: Asked) -> None:
    chain: list[str] = []
    constants: list[Any] = []
    for step in dis.get_instructions(code):
        name = step.opname
        if chain and name not in ("LOAD_ATTR", "LOAD_METHOD"):
            found.chains[tuple(chain)] = None
            chain = []
        if name in _GLOBAL:
            chain = [step.argval]
        elif name in _ATTRIBUTE:
            found.names.add(step.argval)
            if chain:
                chain.append(step.argval)
        elif name == "IMPORT_NAME":
            level, wanted = constants[-2:]
            found.imports[step.argval, level, tuple(wanted or ())] = None
        elif name == "LOAD_CONST":
            constants.append(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _read(constant, found)
        else:
            # Frameworks call methods by their names: a word may be one.
            found.names.update(_words(constant))


def _words(constant: Any) -> Iterator[str]:
    if isinstance(constant, str) and len(constant) < 200:
        yield from (word for word in constant.split(".") if word.isidentifier())
    elif isinstance(constant, tuple | frozenset):
        for part in constant:
            yield from _words(part)


def text(function: FunctionType, *, exact: bool = False) -> str:
    """The function's normalised source; its bytecode where the source is not what is executed, or is not there.

    Args:
        exact: annotations count too (a decorator may read them).
    """
    code = function.__code__
    node, file = source(code)
    if node is None or file is None:
        return "bytecode " + bytecode(code)
    said = normal(node, (), file.imports)
    return said + " " + _annotated(node) if exact or getattr(node, "decorator_list", None) else said


def source(code: CodeType) -> tuple[FunctionNode | None, SourceFile | None]:
    """The definition of `code`, provided that it still compiles to it."""
    file = load(code.co_filename)
    node = file.function(code) if file is not None else None
    if file is None or node is None or code not in _compiled(file):
        return None, None
    return node, file


def owner(code: CodeType) -> str | None:
    """What a method calls the object that it is called on; None for other functions."""
    outer = code.co_qualname.split(".")[-2:-1]
    return code.co_varnames[0] if code.co_argcount and outer not in ([], ["<locals>"]) else None


def imported(code: CodeType) -> dict[str, str]:
    """What the names that the file of `code` imports stand for: ``np`` for ``numpy``."""
    _, file = source(code)
    return file.imports if file is not None else {}


_codes: dict[str, tuple[SourceFile, frozenset[CodeType]]] = {}


def _compiled(file: SourceFile) -> frozenset[CodeType]:
    kept = _codes.get(file.filename)
    if kept is None or kept[0] is not file:
        try:
            whole = compile(file.text, file.filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return frozenset()
        kept = _codes[file.filename] = file, frozenset(_nested(whole))
    return kept[1]


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def by_computed_name(code: CodeType) -> bool:
    """Whether attributes may be looked up by names that do not stand in the code."""
    chains = asked(code).chains
    if not any(chain[-1] in BY_NAME or "__dict__" in chain for chain in chains):
        return "__dict__" in asked(code).names
    node, _ = source(code)
    if node is None:
        return True
    told = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call) and _told(call)}
    mentioned = (n for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute))
    return any(_name(n) in (*BY_NAME, "__dict__") and id(n) not in told for n in mentioned)


def _told(call: ast.Call) -> bool:
    """Whether the name stands there."""
    at = 0 if _name(call.func) in ("attrgetter", "methodcaller") else 1
    return len(call.args) > at and isinstance(call.args[at], ast.Constant) and _name(call.func) not in ("vars", "dir")


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def annotated(code: CodeType) -> str:
    """Those of a function, as they are written."""
    node, _ = source(code)
    return _annotated(node) if node is not None else ""


def _annotated(node: FunctionNode) -> str:
    spec = node.args
    parts = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    said = [ast.dump(p.annotation) for p in parts if p is not None and p.annotation is not None]
    returns = getattr(node, "returns", None)
    return ",".join(said) + ("->" + ast.dump(returns) if returns is not None else "")


def bytecode(code: CodeType) -> str:
    """What is executed, as text."""
    constants = [bytecode(c) if isinstance(c, CodeType) else _constant(c) for c in code.co_consts]
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    return repr(
        (code.co_name, counts, code.co_code.hex(), code.co_exceptiontable.hex(), code.co_names, constants,
         code.co_freevars, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    )  # fmt: skip


def _constant(value: Any) -> str:
    if isinstance(value, frozenset):
        return f"frozenset{sorted(map(_constant, value))}"
    if isinstance(value, tuple):
        return f"({','.join(map(_constant, value))})"
    return f"{type(value).__name__} {value!r}"
