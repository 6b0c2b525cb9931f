"""Calls: into source that can be read, of what is known, or in the way."""

from __future__ import annotations

import ast
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from operator_lib import tree
from operator_lib.independence import known, lookup
from operator_lib.independence.plain import is_record
from operator_lib.independence.things import (
    SIMPLE,
    Bound,
    Data,
    Frame,
    Known,
    Local,
    Method,
    Property,
    Several,
    Super,
    Thing,
    Unclear,
    join,
    reach,
)

if TYPE_CHECKING:
    from operator_lib.independence.expressions import Args
    from operator_lib.independence.prover import Prover

DECLARE = "if it changes nothing, make it an operator and say so: operator(pure=True)"
_NOT_READ = Unclear("was not read")


def call(p: Prover, f: Frame, node: ast.Call) -> Thing:
    """The visitor of ``ast.Call``."""
    from operator_lib.independence import expressions

    if isinstance(node.func, ast.Name) and node.func.id == "super":
        return _super(f, node)
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("items", "values", "keys") and not node.args:
        of = lookup.opened(p, expressions.value_of(p, f, node.func.value))
        if isinstance(of, Known) and type(of.value) is dict:
            return Unclear("holds operators and their names")
    callee = expressions.evaluate(p, f, node.func)
    args = expressions.Args()
    for one in node.args:
        args.spread = args.spread or isinstance(one, ast.Starred)
        args.positional.append(expressions.value_of(p, f, one))
    for one in node.keywords:
        value = expressions.value_of(p, f, one.value)
        args.spread = args.spread or one.arg is None
        args.keywords[one.arg or "**"] = value
    return apply(p, f, node, callee, args)


def _super(f: Frame, node: ast.Call) -> Thing:
    """``super()`` without arguments, in a method whose first parameter is still what it was."""
    cell = f.closure.get("__class__")
    code = f.function.__code__ if f.function is not None else None
    me = f.env.get(code.co_varnames[0]) if code is not None and code.co_argcount else None
    if cell is None or not isinstance(me, Known) or node.args or "super" in f.env or "super" in f.globals:
        return Unclear("is found by super()")
    cls: Any = cell.cell_contents
    return Super(cls, me) if cls in type(me.value).__mro__ else Unclear("is found by super()")


def apply(p: Prover, f: Frame, node: ast.AST, callee: Thing, args: Args) -> Thing:
    """``callee(*args)``."""
    if isinstance(callee, Several):
        found: list[Thing] = [apply(p, f, node, one, args) for one in callee.options]
        made = found[0]
        for one in found[1:]:
            made = join(made, one)
        return made
    if isinstance(callee, Bound) and not tree.is_operator(callee.me.value) and _installed(callee.function):
        return _stands_in_the_way(p, f, node, Known(callee.function, callee.function.__name__))
    if isinstance(callee, Bound):
        return p.run(f, node, callee.function, args.of(callee.me))
    if isinstance(callee, Local):
        return p.local(f, node, callee, args)
    if isinstance(callee, Method):
        return _method(p, f, node, callee, args)
    if isinstance(callee, Property):
        return apply(p, f, node, p.run(f, node, callee.function, type(args)(me=callee.me)), args)
    if isinstance(callee, Known):
        return _known(p, f, node, callee, args)
    p.obstacle(f, node, f"calls {_words(node)}, which is not known", DECLARE)
    return _NOT_READ


def _words(node: ast.AST) -> str:
    func = getattr(node, "func", None)
    return ast.unparse(func) if func is not None else "something"


def _known(p: Prover, f: Frame, node: ast.AST, callee: Known, args: Args) -> Thing:
    value = callee.value
    if tree.is_operator(value):
        return p.operator(f, node, value, callee.title, args)
    if isinstance(value, type):
        return _class(p, f, node, value, args)
    if getattr(value, "__module__", None) == "builtins" and isinstance(value, BuiltinFunctionType):
        return _builtin(p, f, node, value.__name__, value, args)
    if known.harmless(value, frozenset(args.keywords)):
        return _harmless(p, f, node, value, args)
    if isinstance(value, FunctionType) and not _installed(value):
        return p.run(f, node, value, args)
    return _stands_in_the_way(p, f, node, callee)


def _installed(function: FunctionType) -> bool:
    """Functions of packages are long; what they lead to is not read."""
    file = function.__code__.co_filename
    return "site-packages" in file or "dist-packages" in file or file.startswith("<frozen") or _standard(file)


def _standard(file: str) -> bool:
    import os

    return file.startswith(os.path.dirname(os.__file__) + os.sep)


def _stands_in_the_way(p: Prover, f: Frame, node: ast.AST, callee: Known) -> Thing:
    says = known.says(callee.value)
    name = _words(node) if isinstance(node, ast.Call) else callee.title
    does = f"calls {name}, which {says}"
    p.obstacle(f, node, does, DECLARE if says == "is not known" else "")
    return _NOT_READ


def _all_data(p: Prover, f: Frame, node: ast.AST, args: Args) -> frozenset[Any]:
    from operator_lib.independence import expressions

    cells: frozenset[Any] = frozenset()
    for one in args.all:
        cells |= expressions.data(p, f, node, one, "hands on").cells
    return cells


def _harmless(p: Prover, f: Frame, node: ast.AST, value: Any, args: Args) -> Thing:
    cells = _all_data(p, f, node, args)
    if getattr(value, "__module__", "") in ("math", "cmath", "time"):
        return SIMPLE
    return Data(reach(cells) | p.new(f, node, cells).cells)


def _builtin(p: Prover, f: Frame, node: ast.AST, name: str, value: Any, args: Args) -> Thing:
    from operator_lib.independence import expressions

    if name == "getattr" and len(args.positional) >= 2 and isinstance(node, ast.Call):
        wanted = node.args[1]
        if isinstance(wanted, ast.Constant) and isinstance(wanted.value, str) and len(args.positional) == 2:
            return expressions.settled(expressions.attribute_of(p, f, node, args.positional[0], wanted.value))
    if name == "len" and len(args.positional) == 1:
        args.positional[0] = lookup.opened(p, args.positional[0])
        if isinstance(args.positional[0], Known) and type(args.positional[0].value) in (list, tuple, dict):
            return SIMPLE
    if name == "isinstance" and len(args.positional) == 2:
        return SIMPLE if isinstance(args.positional[0], Data) else _NOT_READ
    if name in known.FIXED:
        p.hashing = p.hashing or name == "hash"
        _all_data(p, f, node, args)
        return SIMPLE
    if name in known.FRESH or name in known.ALIAS:
        return _makes(p, f, node, name, args)
    return _stands_in_the_way(p, f, node, Known(value, name))


def _makes(p: Prover, f: Frame, node: ast.AST, name: str, args: Args) -> Thing:
    """Builtins that give something made of their arguments, and may call one of them."""
    from operator_lib.independence import expressions

    p.hashing = p.hashing or name in ("set", "frozenset")
    positional = list(args.positional)
    calling: list[Thing] = []
    if name in known.CALLING and positional:
        calling.append(positional.pop(0))
    keywords = dict(args.keywords)
    if "key" in keywords:
        calling.append(keywords.pop("key"))
    if name == "enumerate" or name in ("reversed", "list", "tuple", "zip", "sorted", "iter"):
        opened = [expressions.items(p, f, node, one) for one in positional]
        if any(not isinstance(one, Data) for one in opened):
            return _of_operators(p, f, node, name, positional, opened)
    cells: frozenset[Any] = frozenset()
    for one in (*positional, *keywords.values()):
        cells |= expressions.data(p, f, node, one, "hands on").cells
    inside = Data(reach(cells))
    for one in calling:
        if not (isinstance(one, Data) and one.fixed):  # not None
            result = apply(p, f, node, one, expressions.Args([inside] * (len(positional) if name == "map" else 1)))
            cells |= lookup.cells_of(result)
    if name in known.ALIAS:
        if name == "next" and positional:
            p.changed(f, node, expressions.settled(positional[0]), "takes from")
        return Data(reach(cells))
    return p.new(f, node, cells)


def _of_operators(p: Prover, f: Frame, node: ast.AST, name: str, positional: list[Thing], opened: list[Thing]) -> Thing:
    """``enumerate(self.stages)``, ``zip(self.stages, xs)``: pairs of which some members are operators."""
    if name in ("list", "tuple", "reversed", "iter") and len(opened) == 1:
        return Unclear("is a copy of a container of operators")
    return Unclear("holds operators and other things")


def _class(p: Prover, f: Frame, node: ast.AST, cls: type, args: Args) -> Thing:
    """An object is made."""
    if cls.__module__ == "builtins" and cls.__name__ in (known.FIXED | known.FRESH):
        return _builtin(p, f, node, cls.__name__, cls, args)
    if issubclass(cls, BaseException) and _plain_exception(cls):
        _all_data(p, f, node, args)
        return Unclear("is an exception")
    if known.harmless(cls, frozenset(args.keywords)) or is_record(cls):
        factory = args.positional[:1] if cls.__name__ == "defaultdict" else []
        rest = args.positional[1:] if factory else args.positional
        if factory and not (isinstance(factory[0], Known) and factory[0].value in (int, float, list, dict, set, str)):
            p.obstacle(f, node, "calls defaultdict with a function that is not known")
        from operator_lib.independence import expressions

        cells = _all_data(p, f, node, expressions.Args(rest, args.keywords))
        return Data(p.new(f, node, cells).cells, kind=cls)
    p.obstacle(f, node, f"makes an object of {cls.__name__}, whose constructor is not read", DECLARE)
    return _NOT_READ


def _plain_exception(cls: type) -> bool:
    """Whether making one runs no code of the user's."""
    return (
        all(
            base.__module__ == "builtins" or not ({"__init__", "__new__"} & base.__dict__.keys())
            for base in cls.__mro__
        )
        and type(cls) is type
    )


def _method(p: Prover, f: Frame, node: ast.AST, what: Method, args: Args) -> Thing:
    """A method of data: of whichever built-in class it is, its name says what it does."""
    from operator_lib.independence import expressions

    of, name = what.of, what.name
    own = lookup.method_of(p, of, name)
    if own is not None:
        given = expressions.Args([of, *args.positional], args.keywords, args.spread)
        return p.run(f, node, own, given)
    calling = [args.keywords.pop("key")] if name == "sort" and "key" in args.keywords else []
    for one in calling:
        apply(p, f, node, one, expressions.Args([Data(reach(of.cells))]))
    cells = _all_data(p, f, node, args)
    if known.TELLING & args.keywords.keys():
        p.obstacle(f, node, f"calls {name} with {', '.join(sorted(known.TELLING & args.keywords.keys()))}")
    if name in known.PURE_METHODS:
        if name in known.FIXED_METHODS:
            return SIMPLE
        return Data(reach(of.cells | cells) | p.new(f, node, of.cells | cells).cells, False)
    if name in known.CHANGERS:
        p.changed(f, node, of)
        for cell in of.cells:
            cell.inside |= reach(cells) - {cell}
        return Data(reach(of.cells | cells))
    p.obstacle(f, node, f"calls the method {name}, which is not known", DECLARE)
    return _NOT_READ
