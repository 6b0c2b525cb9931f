"""Proves that a call changes nothing that anybody could see: reads its source, and that of whatever it calls.

An abstract interpreter of a part of Python. What it does not know is an `Obstacle`, so the proof can fail, but not lie.
It takes arguments and state for plain data (`plain.py`); whoever uses the proof asks whether they are, and whether
everything that was looked up still is what it was (`witness.py`).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from operator_lib import options as option_rules
from operator_lib import tree
from operator_lib.core import Operator
from operator_lib.decorator import FunctionOperator
from operator_lib.independence import calls, expressions, lookup, statements
from operator_lib.independence.plain import is_fixed, is_plain, is_record
from operator_lib.independence.things import (
    SIMPLE,
    Cell,
    Cells,
    Data,
    Frame,
    Known,
    Local,
    Obstacle,
    Thing,
    Unclear,
    join,
    reach,
)
from operator_lib.independence.witness import MISSING, Same, SameFunction, SameOfClass, Witness, of_class
from operator_lib.trace import source

# Expressions read for one proof; more would take longer than it is worth.
STEPS = 20_000
DEPTH = 24


@dataclass(slots=True)
class Proof:
    """What is known about calls of one operator."""

    name: str
    obstacles: list[Obstacle] = field(default_factory=list[Obstacle])
    """Empty: a call changes nothing."""
    witnesses: list[Witness] = field(default_factory=list[Witness])
    fixed: frozenset[str] = frozenset()
    """Parameters that have to be numbers or texts."""
    kinds: dict[str, type] = field(default_factory=dict[str, type])
    """Parameters that have to be objects of these dataclasses."""
    reads: tuple[str, ...] = ()
    declared: bool = False
    """Somewhere in it is an operator that was declared to be pure."""
    portable: bool = False
    """A process that imports the same code computes the same."""
    fresh: bool = False
    """The result is new: neither an argument nor a part of anybody's state."""
    own: bool = False
    """The result is made of new objects and of arguments."""
    shipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Globals whose values it looks at: module, name."""
    parameters: tuple[str, ...] = ()

    def holds(self) -> bool:
        """Whether everything is still what it was when the proof was made."""
        for witness in self.witnesses:  # noqa: SIM110  # a generator takes twice the time
            if not witness.holds():
                return False
        return True


class Prover:
    """One proof while it is being made."""

    def __init__(self) -> None:
        self.obstacles: dict[tuple[str, int, str], Obstacle] = {}
        self.witnesses: dict[Any, Witness] = {}
        self.reads: dict[str, None] = {}
        self.places: dict[Any, Cell] = {}
        self.made: dict[Any, Cell] = {}
        self.steps = 0
        self.stack: list[tuple[Any, Any]] = []
        self.apart = False
        """It looks at state that another process would not have."""
        self.hashing = False
        """The order of a set, or a hash, may show: another process has other ones."""
        self.declared = False
        self.shipped: dict[tuple[str, str], None] = {}
        """Data of modules that it looks at: module, name."""

    # --- what is noted -----------------------------------------------------------------------------------------------

    def obstacle(self, f: Frame, node: ast.AST | None, does: str, fix: str = "") -> None:
        line = getattr(node, "lineno", 0)
        self.obstacles.setdefault((f.file, line, does), Obstacle(does, f.file, line, fix))

    def watch(self, witness: Witness) -> None:
        self.witnesses.setdefault(_key(witness), witness)

    def read(self, title: str) -> None:
        self.reads.setdefault(title)

    def place(self, key: Any, title: str) -> Cell:
        """The cell of some data that was there before."""
        found = self.places.get(key)
        if found is None:
            found = self.places[key] = Cell(title, True)
        return found

    def new(self, f: Frame, node: ast.AST, inside: Cells = frozenset()) -> Data:
        """Data that is made here, out of other data."""
        key = (f.key, id(node))
        cell = self.made.get(key)
        if cell is None:
            cell = self.made[key] = Cell("", False)
        cell.inside |= reach(inside) - {cell}
        return Data(frozenset([cell]))

    def changed(self, f: Frame, node: ast.AST, of: Thing, verb: str = "changes") -> None:
        """The program changes this object in place."""
        if isinstance(of, Data):
            for cell in of.cells:
                if cell.external:
                    self.obstacle(f, node, f"{verb} {cell.title}", "make a copy of it first")
        elif isinstance(of, Known):
            self.obstacle(f, node, f"{verb} {of.title or 'an object'}")
        else:
            self.obstacle(f, node, f"{verb} a value that {_why(of)}")

    # --- calls -------------------------------------------------------------------------------------------------------

    def run(self, f: Frame, node: ast.AST, function: FunctionType, args: expressions.Args) -> Thing:
        """The result of a function whose source is read."""
        mark = (function.__code__, id(args.me.value) if args.me is not None else None)
        if mark in self.stack:
            return Data(frozenset([self.place("recursion", "the result of a recursive call")]))
        if len(self.stack) >= DEPTH or self.steps > STEPS:
            self.obstacle(f, node, f"{function.__name__} leads too deep to be read")
            return Unclear("was not read")
        file = source.load(function.__code__.co_filename)
        definition = file.function(function.__code__) if file is not None else None
        if file is None or definition is None:
            self.obstacle(f, node, f"calls {function.__name__}, of which there is no source", DECLARE)
            return Unclear("was not read")
        if file.is_generator(definition) or isinstance(definition, ast.AsyncFunctionDef):
            kind = "a generator" if file.is_generator(definition) else "a coroutine"
            self.obstacle(f, node, f"{function.__name__} is {kind}, which runs when it is asked to")
            return Unclear("was not read")
        self.apart = self.apart or not travels(function)
        inner = Frame(
            {},
            function.__code__.co_filename,
            function.__globals__,
            dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)),
            (*f.key, id(node)),
            function=function,
        )
        self._watch_function(function)
        self.bind(inner, node, definition, args, defaults=function)
        self.stack.append(mark)
        try:
            return self.body(inner, definition)
        finally:
            self.stack.pop()

    def local(self, f: Frame, node: ast.AST, what: Local, args: expressions.Args) -> Thing:
        """The result of a function that is written inside of the one that is read."""
        outer: Frame = what.frame
        if any(mark[0] is what.node for mark in self.stack) or len(self.stack) >= DEPTH:
            return Data(frozenset([self.place("recursion", "the result of a recursive call")]))
        inner = Frame({}, outer.file, outer.globals, {}, (*f.key, id(node)), outer=outer)
        self.bind(inner, node, what.node, args, defaults=None)
        self.stack.append((what.node, None))
        try:
            return self.body(inner, what.node)
        finally:
            self.stack.pop()

    def body(self, f: Frame, definition: Any) -> Thing:
        if isinstance(definition, ast.Lambda):
            return expressions.evaluate(self, f, definition.body)
        statements.visit(self, f, definition.body)
        found: Thing = SIMPLE
        for number, one in enumerate(f.returns):
            found = one if number == 0 else join(found, one)
        return found

    def bind(
        self, f: Frame, node: ast.AST, definition: Any, args: expressions.Args, defaults: FunctionType | None
    ) -> None:
        """Give the parameters their values; what does not fit is left to Python, which refuses it at the call."""
        spec: ast.arguments = definition.args
        names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        given = ([args.me] if args.me is not None else []) + list(args.positional)
        if args.exact:
            f.env.update(args.exact)
            if args.me is not None and names:
                f.env[names[0]] = args.me
            return
        rest = Data(frozenset[Cell]().union(*(lookup.cells_of(one) for one in (*given, *args.keywords.values()))))
        if args.spread:  # who gets what is only known when it runs
            for name in names[1 if args.me is not None else 0 :]:
                f.env[name] = rest
            if args.me is not None and names:
                f.env[names[0]] = args.me
        else:
            for name, value in zip(names, given, strict=False):
                f.env[name] = value
            for name, value in args.keywords.items():
                f.env[name] = value
        self._defaults(f, spec, names, defaults)
        if spec.vararg is not None:
            f.env[spec.vararg.arg] = self.new(f, spec.vararg, rest.cells)
        if spec.kwarg is not None:
            f.env[spec.kwarg.arg] = self.new(f, spec.kwarg, rest.cells)

    def _defaults(self, f: Frame, spec: ast.arguments, names: list[str], live: FunctionType | None) -> None:
        values: dict[str, Any] = {}
        if live is not None:
            tail = live.__defaults__ or ()
            values = dict(zip(names[len(names) - len(tail) :], tail, strict=False)) | (live.__kwdefaults__ or {})
        for name in (*names, *(a.arg for a in spec.kwonlyargs)):
            if name not in f.env:
                if name in values:
                    f.env[name] = lookup.there(self, values[name], f"the default of {name}")
                else:
                    f.env[name] = Unclear("is the default of a local function") if live is None else SIMPLE

    def _watch_function(self, function: FunctionType) -> None:
        self.watch(SameFunction(function, function.__code__, function.__defaults__))

    def operator(self, f: Frame, node: ast.AST, op: Any, title: str, args: expressions.Args) -> Thing:
        """The result of a call of an operator."""
        own = option_rules.of(op)
        self.apart = self.apart or (own is not None and bool(own.given))  # a process of ours does not keep to them
        if own is not None and own.pure:
            self.declared = True
            self.watch(Same(tree.state(op), "_options", tree.state(op).get("_options", MISSING)))
            return Data(frozenset([self.place(id(op), f"what {title} returns")]))
        if own is not None and own.pure is False:
            self.obstacle(f, node, f"calls {title}, which was declared not to be pure")
            return Unclear("was not read")
        if own is not None and any(option_rules.asks(own, name) for name in TELLING):
            self.obstacle(f, node, f"calls {title}, whose options have effects of their own")
            return Unclear("was not read")
        if tree.is_graph(op) or tree.is_module(op):
            self.obstacle(f, node, f"calls {title}, a {type(op).__name__}, which is not read", DECLARE)
            return Unclear("was not read")
        if isinstance(op, FunctionOperator):
            wrapped = tree.state(op).get("__wrapped__")
            self.watch(Same(tree.state(op), "__wrapped__", wrapped))
            return calls.apply(self, f, node, lookup.there(self, wrapped, title), args)
        cls: Any = type(op)
        entry = of_class(cls, "__call__")
        name = "forward" if entry is Operator.__dict__["__call__"] or _ours(entry) else "__call__"
        found = lookup.attribute(self, Known(op, title), name)
        self.watch(SameOfClass(cls, "__call__", entry))
        return calls.apply(self, f, node, found, args)


DECLARE = "if it changes nothing, say so: operator(pure=True)"
# Options whose keeping is an effect that others see.
TELLING = ("accumulate", "use_ctx", "batch", "cacheable")


def _ours(entry: Any) -> bool:
    return getattr(entry, "__module__", "") in (
        "operator_lib.core",
        "operator_lib.decorator",
        "operator_lib.containers",
    )


def _key(witness: Any) -> Any:
    parts = [getattr(witness, name) for name in witness.__slots__]
    return type(witness), *(part if isinstance(part, str) else id(part) for part in parts)


def _why(of: Thing) -> str:
    return of.why if isinstance(of, Unclear) else "is not plain data"


def prove(op: Any, name: str = "") -> Proof:
    """What can be shown about calls of `op`, whatever plain data they are given."""
    p = Prover()
    title = name or tree.name_of(op)
    file, line = _where(op)
    f = Frame({}, file, {}, {}, ())
    node = ast.Pass(lineno=line)
    parameters = _parameters(op)
    cells = {one: Cell(f"the argument {one}", True) for one in parameters}
    kinds = _annotated(op)
    everything = Data(frozenset(cells.values()))
    args = expressions.Args.of_parameters(
        {one: Data(frozenset([cell]), kind=kinds.get(one)) for one, cell in cells.items()}
    )
    try:
        result = p.operator(f, node, op, title, args)
    except RecursionError:
        p.obstacle(f, node, f"{title} leads too deep to be read")
        result = everything
    if not (p.declared or isinstance(result, Data)):
        p.obstacle(f, node, "gives something that is not plain data")  # what is done with it could have effects
    proof = Proof(
        title,
        list(p.obstacles.values()),
        list(p.witnesses.values()),
        frozenset(one for one, cell in cells.items() if cell.fixed),
        reads=tuple(p.reads),
        declared=p.declared,
        kinds=kinds,
        parameters=tuple(parameters) if isinstance(op, FunctionOperator) else tuple(parameters)[1:],
    )
    seen = reach(lookup.cells_of(result))
    outside = {cell for cell in seen if cell.external}
    proof.fresh = isinstance(result, Data) and (result.fixed or not outside)
    proof.own = isinstance(result, Data) and outside <= set(cells.values())
    if p.declared:
        proof.own = _own(op)
    proof.portable = not (p.apart or p.hashing or p.declared)
    proof.shipped = [one for one in p.shipped if one[0] != "__main__"]  # whose functions bring along what they read
    return proof


def _own(op: Any) -> bool:
    """Whether the source of an operator that is believed to be pure shows that its result is nobody else's."""
    p = Prover()
    cells, value = _read(p, op)
    return isinstance(value, Data) and {cell for cell in reach(value.cells) if cell.external} <= cells


def travels(function: FunctionType) -> bool:
    """Whether another process that imports the function by its name, or gets it as it is, has the same one."""
    if function.__module__ == "__main__" or "<locals>" in function.__qualname__:
        return True
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    found = getattr(found, "__func__", found)
    return found is function or tree.state(found).get("__wrapped__") is function


def obstacles_of(op: Any) -> list[Obstacle]:
    """What `forward` of an operator does that can be seen, whatever its options say."""
    p = Prover()
    _read(p, op)
    return list(p.obstacles.values())


def _read(p: Prover, op: Any) -> tuple[set[Cell], Thing]:
    """Read `forward`, whatever the options say: the cells of its parameters, and what it gives."""
    function = definition_of(op)
    if function is None:
        return set(), Unclear("has no source")
    me = None if isinstance(op, FunctionOperator) else Known(op, "self")
    names = _parameters(op)[0 if me is None else 1 :]
    cells = {n: Cell(f"the argument {n}", True) for n in names}
    args = expressions.Args.of_parameters({n: Data(frozenset([cell])) for n, cell in cells.items()})
    f = Frame({}, *_where(op)[:1], {}, {}, ())
    value = p.run(f, ast.Pass(lineno=_where(op)[1]), function, args.of(me))
    return set(cells.values()), value


def _parameters(op: Any) -> Sequence[str]:
    function = definition_of(op)
    if function is None:
        return ()
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    extra = bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return code.co_varnames[: count + extra]


def _annotated(op: Any) -> dict[str, type]:
    """Parameters without defaults that are annotated with dataclasses: methods of theirs can be read."""
    function = definition_of(op)
    if function is None:
        return {}
    code = function.__code__
    count = code.co_argcount - len(function.__defaults__ or ())
    wanted = {*code.co_varnames[:count]}
    found: dict[str, type] = {}
    for name, kind in function.__annotations__.items():
        named = function.__globals__.get(kind) if isinstance(kind, str) else kind
        if name in wanted and isinstance(named, type) and named.__module__ != "builtins" and is_record(named):
            found[name] = named
    return found


def definition_of(op: Any) -> FunctionType | None:
    """The function that a call of an operator ends up in, as far as one can see without asking its class."""
    found = tree.state(op).get("__wrapped__") if isinstance(op, FunctionOperator) else of_class(type(op), "forward")
    return found if isinstance(found, FunctionType) else None


def _where(op: Any) -> tuple[str, int]:
    function = definition_of(op)
    return (function.__code__.co_filename, function.__code__.co_firstlineno) if function is not None else ("", 0)


def fits(proof: Proof, values: tuple[Any, ...], count: int, names: tuple[str, ...]) -> bool:
    """Whether the arguments of a call are what its proof takes them for."""
    for one in values:
        if not is_plain(one):
            return False
    if not (proof.fixed or proof.kinds):
        return True
    named = dict(zip(proof.parameters, values[:count], strict=False)) | dict(zip(names, values[count:], strict=True))
    rest = values[len(proof.parameters) : count]
    if any(one in named and type(named[one]) is not kind for one, kind in proof.kinds.items()):
        return False
    if not proof.fixed:
        return True
    return all(is_fixed(named[one]) for one in proof.fixed if one in named) and all(is_fixed(one) for one in rest)
