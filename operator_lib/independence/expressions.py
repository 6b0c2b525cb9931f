"""What an expression gives, and what stands in the way of moving it. Everything that is not listed here does."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from operator_lib.independence import lookup
from operator_lib.independence.calls import call
from operator_lib.independence.things import (
    SIMPLE,
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
    from operator_lib.independence.prover import Prover


def evaluate(p: Prover, f: Frame, node: ast.expr | None) -> Thing:
    """The value of an expression, read in evaluation order."""
    if node is None:
        return SIMPLE
    p.steps += 1
    visitor = VISITORS.get(type(node))
    if visitor is None:
        p.obstacle(f, node, f"{_word(node)} is not followed")
        return Unclear("was not read")
    return visitor(p, f, node)


def data(p: Prover, f: Frame, node: ast.AST, value: Thing, use: str) -> Data:
    """The value as data, which is what `use` needs; an obstacle where it may be something else."""
    if isinstance(value, Data):
        return value
    if isinstance(value, Several) and all(isinstance(one, Data) for one in value.options):
        return Data(lookup.cells_of(value))
    if isinstance(value, Known) and type(value.value) in (type, bool):
        return SIMPLE
    p.obstacle(f, node, f"{use} {_what(value)}")
    return Data(lookup.cells_of(value))


def _what(value: Thing) -> str:
    if isinstance(value, Unclear):
        return f"a value that {value.why}"
    return value.title if isinstance(value, Known) and value.title else "something that is not plain data"


def _word(node: ast.AST) -> str:
    return {"Await": "await", "Yield": "yield", "YieldFrom": "yield from"}.get(type(node).__name__, type(node).__name__)


def _constant(p: Prover, f: Frame, node: ast.Constant) -> Thing:
    return SIMPLE


def _name(p: Prover, f: Frame, node: ast.Name) -> Thing:
    if node.id in f.env and node.id not in f.declared:
        return f.env[node.id]
    return lookup.name(p, f, node.id)


def _attribute(p: Prover, f: Frame, node: ast.Attribute) -> Thing:
    return attribute_of(p, f, node, evaluate(p, f, node.value), node.attr)


def attribute_of(p: Prover, f: Frame, node: ast.AST, base: Thing, name: str) -> Thing:
    """``base.name``."""
    if isinstance(base, Data):
        return Method(base, name)
    if isinstance(base, Known):
        found = lookup.attribute(p, base, name)
        if isinstance(found, Property):
            return p.run(f, node, found.function, Args(me=found.me))
        return found
    if isinstance(base, Super):
        return lookup.inherited(p, base, name)
    if isinstance(base, Several):
        return _joined(attribute_of(p, f, node, one, name) for one in base.options)
    return Unclear(f"is an attribute of {_what(base)}")


def settled(value: Thing) -> Thing:
    """An attribute of data that is not called is a part of it."""
    return Data(reach(value.of.cells)) if isinstance(value, Method) else value


def _joined(values: Any) -> Thing:
    found: Thing | None = None
    for one in values:
        found = one if found is None else join(found, one)
    return found if found is not None else SIMPLE


def value_of(p: Prover, f: Frame, node: ast.expr | None) -> Thing:
    """As `evaluate`, for everything but the function of a call."""
    return settled(evaluate(p, f, node))


def _operation(p: Prover, f: Frame, node: ast.expr) -> Thing:
    """Operators on data make data."""
    parts = [
        data(p, f, node, value_of(p, f, one), "computes with")
        for one in ast.iter_child_nodes(node)
        if isinstance(one, ast.expr)
    ]
    if all(one.fixed for one in parts):
        return SIMPLE
    return p.new(f, node, frozenset().union(*(one.cells for one in parts)))


def _compare(p: Prover, f: Frame, node: ast.Compare) -> Thing:
    values = [value_of(p, f, one) for one in (node.left, *node.comparators)]
    if all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
        return SIMPLE
    parts = [data(p, f, node, one, "compares") for one in values]
    if all(one.fixed for one in parts) or all(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
        return SIMPLE
    return p.new(f, node)


def _boolean(p: Prover, f: Frame, node: ast.BoolOp) -> Thing:
    found = [value_of(p, f, one) for one in node.values]
    for one in found[:-1]:
        truth(p, f, node, one)
    return _joined(found)


def truth(p: Prover, f: Frame, node: ast.AST, value: Thing) -> None:
    """``if value``: an object may decide that by code of its own."""
    if isinstance(value, Known):
        cls: Any = type(value.value)
        if cls in (list, tuple, dict) or not (hasattr(cls, "__bool__") or hasattr(cls, "__len__")):
            return
    data(p, f, node, value, "looks whether there is")


def _if(p: Prover, f: Frame, node: ast.IfExp) -> Thing:
    truth(p, f, node, value_of(p, f, node.test))
    return join(value_of(p, f, node.body), value_of(p, f, node.orelse))


def _display(p: Prover, f: Frame, node: ast.List | ast.Tuple | ast.Set) -> Thing:
    if isinstance(node, ast.Set):
        p.hashing = True
    return _holding(p, f, node, [_spread(p, f, one) for one in node.elts])


def _spread(p: Prover, f: Frame, node: ast.expr) -> Thing:
    if isinstance(node, ast.Starred):
        return Data(reach(data(p, f, node, value_of(p, f, node.value), "takes apart").cells))
    return value_of(p, f, node)


def _holding(p: Prover, f: Frame, node: ast.expr, values: list[Thing]) -> Thing:
    """A new container; one with operators in it stands for its members."""
    if values and not all(isinstance(one, Data) for one in values):
        return Unclear("holds something that is not plain data")
    if isinstance(node, ast.Tuple) and all(isinstance(one, Data) and one.fixed for one in values):
        return SIMPLE
    return p.new(f, node, frozenset().union(*(lookup.cells_of(one) for one in values)))


def _dict(p: Prover, f: Frame, node: ast.Dict) -> Thing:
    keys = [value_of(p, f, one) for one in node.keys if one is not None]
    return _holding(p, f, node, [*keys, *(value_of(p, f, one) for one in node.values)])


def _subscript(p: Prover, f: Frame, node: ast.Subscript) -> Thing:
    base = value_of(p, f, node.value)
    index = value_of(p, f, node.slice)
    base = lookup.opened(p, base)
    if isinstance(base, Known) and isinstance(base.value, list | tuple | dict):
        data(p, f, node, index, "looks up")
        if isinstance(node.slice, ast.Constant):
            return lookup.member(p, base.value, node.slice.value, base.title)
        return lookup.elements(p, base.value, base.title)
    of = data(p, f, node, base, "takes a part of")
    data(p, f, node, index, "looks up")
    if isinstance(node.slice, ast.Slice):  # a copy with the same members, or, of an array, a view
        return SIMPLE if of.fixed else Data(of.cells | p.new(f, node, of.cells).cells)
    return Data(reach(of.cells), of.fixed)


def _slice(p: Prover, f: Frame, node: ast.Slice) -> Thing:
    for one in (node.lower, node.upper, node.step):
        data(p, f, node, value_of(p, f, one), "cuts by")
    return SIMPLE


def _text(p: Prover, f: Frame, node: ast.JoinedStr | ast.FormattedValue) -> Thing:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node.value, node.format_spec]
    for one in parts:
        if one is not None:
            data(p, f, node, value_of(p, f, one), "writes out")
    return SIMPLE


def _comprehension(p: Prover, f: Frame, node: Any) -> Thing:
    if isinstance(node, ast.SetComp):
        p.hashing = True
    inner = Frame({}, f.file, f.globals, {}, f.key, outer=f)
    for part in node.generators:
        if part.is_async:
            p.obstacle(f, node, "async for is not followed")
        source = value_of(p, inner, part.iter)
        bind(p, inner, part.target, items(p, inner, node, source))
        for test in part.ifs:
            truth(p, inner, node, value_of(p, inner, test))
    made = [
        value_of(p, inner, one) for one in ([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
    ]
    return _holding(p, f, node, made)


def items(p: Prover, f: Frame, node: ast.AST, source: Thing) -> Thing:
    """What iterating gives."""
    source = lookup.opened(p, source)
    if isinstance(source, Known) and isinstance(source.value, list | tuple):
        return lookup.elements(p, source.value, source.title)
    if isinstance(source, Several):
        return _joined(items(p, f, node, one) for one in source.options)
    of = data(p, f, node, source, "goes through")
    return Data(reach(of.cells), of.fixed)


def bind(p: Prover, f: Frame, target: ast.expr, value: Thing) -> None:
    """Assign to a name, or to several; to anything else it is a change."""
    if isinstance(target, ast.Name):
        if target.id in f.declared:
            p.obstacle(f, target, f"writes the global {target.id}")
        else:
            made = settled(value)
            f.env[target.id] = join(f.env[target.id], made) if f.weak and target.id in f.env else made
    elif isinstance(target, ast.Tuple | ast.List):
        inner = items(p, f, target, settled(value))
        for one in target.elts:
            bind(p, f, one.value if isinstance(one, ast.Starred) else one, inner)
    elif isinstance(target, ast.Attribute):
        of = value_of(p, f, target.value)
        verb = "writes"
        if isinstance(of, Known):
            title = f"{of.title}.{target.attr}" if of.title else target.attr
            p.obstacle(f, target, f"{verb} {title}")
        else:
            _put(p, f, target, of, value)
    elif isinstance(target, ast.Subscript):
        of = value_of(p, f, target.value)
        data(p, f, target, value_of(p, f, target.slice), "looks up")
        _put(p, f, target, of, value)


def _put(p: Prover, f: Frame, target: ast.expr, of: Thing, value: Thing) -> None:
    p.changed(f, target, of)
    if not isinstance(value, Data):
        p.obstacle(f, target, "puts something into a container that is not plain data")
    for cell in lookup.cells_of(of):
        cell.inside |= reach(lookup.cells_of(value)) - {cell}


def _walrus(p: Prover, f: Frame, node: ast.NamedExpr) -> Thing:
    value = value_of(p, f, node.value)
    if f.outer is not None:
        p.obstacle(f, node, "assigns from inside a comprehension")
    bind(p, f, node.target, value)
    return value


def _lambda(p: Prover, f: Frame, node: ast.Lambda) -> Thing:
    return Local(node, f)


def _starred(p: Prover, f: Frame, node: ast.Starred) -> Thing:
    return _spread(p, f, node)


@dataclass(slots=True)
class Args:
    """The arguments of a call."""

    positional: list[Thing] = field(default_factory=list[Thing])
    keywords: dict[str, Thing] = field(default_factory=dict[str, Thing])
    spread: bool = False
    """With ``*`` or ``**``: who gets what is not known before."""
    me: Known | None = None
    exact: Mapping[str, Thing] = field(default_factory=dict[str, Thing])
    """Parameters by name, whatever their kind."""

    @property
    def all(self) -> list[Thing]:
        return [*self.positional, *self.keywords.values(), *self.exact.values()]

    def of(self, me: Known | None) -> Args:
        return Args(self.positional, self.keywords, self.spread, me, self.exact)

    @staticmethod
    def of_parameters(values: Mapping[str, Thing]) -> Args:
        return Args(exact=values)


VISITORS: dict[type, Callable[..., Thing]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: call,
    ast.BinOp: _operation,
    ast.UnaryOp: _operation,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _if,
    ast.List: _display,
    ast.Tuple: _display,
    ast.Set: _display,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.JoinedStr: _text,
    ast.FormattedValue: _text,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
    ast.Starred: _starred,
}
