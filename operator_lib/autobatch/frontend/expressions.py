"""Expressions → instructions, in the order in which Python evaluates them."""

from __future__ import annotations

import ast
from collections.abc import Callable

from operator_lib.autobatch.frontend.builder import Builder, Shape
from operator_lib.autobatch.instructions import Block, BranchOp

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.MatMult: "@",
}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not"}


def expression(b: Builder, node: ast.expr) -> str:
    """The name of the variable that holds the value of `node`."""
    rule = _RULES.get(type(node))
    if rule is None:
        raise b.refuse(node)
    return rule(b, node)


def _constant(b: Builder, node: ast.Constant) -> str:
    return b.emit("const", (), node, node.value)


def _name(b: Builder, node: ast.Name) -> str:
    if node.id in b.names:
        # A copy: what is read is the value now, also when the name is assigned before the value is used.
        return b.emit("load", (node.id,), node, node.id)
    return b.emit("name", (), node, node.id)


def _attribute(b: Builder, node: ast.Attribute) -> str:
    return b.emit("getattr", (expression(b, node.value),), node, node.attr)


def _binary(b: Builder, node: ast.BinOp) -> str:
    left = expression(b, node.left)
    return b.emit("binary", (left, expression(b, node.right)), node, BINARY[type(node.op)])


def _unary(b: Builder, node: ast.UnaryOp) -> str:
    return b.emit("unary", (expression(b, node.operand),), node, UNARY[type(node.op)])


def _compare(b: Builder, node: ast.Compare) -> str:
    left = expression(b, node.left)
    if len(node.ops) == 1:
        return b.emit("compare", (left, expression(b, node.comparators[0])), node, COMPARE[type(node.ops[0])])
    out = b.temporary()
    after = b.new_block("compared")
    closed: list[tuple[Shape, Shape]] = []
    for index, (op, other) in enumerate(zip(node.ops, node.comparators, strict=True)):
        right = expression(b, other)
        b.emit("compare", (left, right), node, COMPARE[type(op)], out)
        left = right
        if index < len(node.ops) - 1:
            closed.append(_open_rest(b, out, when=True, after=after.name))
    _close_rests(b, closed, after)
    return out


def _open_rest(b: Builder, condition: str, *, when: bool, after: str) -> tuple[Shape, Shape]:
    """Go on in a block that only the lanes run whose condition is `when`; the others go to `after`."""
    rest = b.new_block("rest")
    true, false = (rest.name, after) if when else (after, rest.name)
    b.end(BranchOp(condition, true, false))
    inner: Shape = []
    b.shape.append(("if", inner, []) if when else ("if", [], inner))
    outer, b.shape = b.shape, []
    b.begin(rest)
    return outer, inner


def _close_rests(b: Builder, opened: list[tuple[Shape, Shape]], after: Block) -> None:
    """All lanes meet in `after`: those that ran the rests, and those that went there at once."""
    b.goto(after)
    for outer, inner in reversed(opened):
        inner[:] = b.shape
        b.shape = outer
    b.begin(after)


def _boolean(b: Builder, node: ast.BoolOp) -> str:
    out = b.temporary()
    after = b.new_block("decided")
    closed: list[tuple[Shape, Shape]] = []
    for index, value in enumerate(node.values):
        b.emit("move", (expression(b, value),), value, out=out)
        if index < len(node.values) - 1:
            closed.append(_open_rest(b, out, when=isinstance(node.op, ast.And), after=after.name))
    _close_rests(b, closed, after)
    return out


def _conditional(b: Builder, node: ast.IfExp) -> str:
    out = b.temporary()
    condition = expression(b, node.test)
    true, false, after = b.new_block("then"), b.new_block("else"), b.new_block("chosen")
    b.branch(condition, true, false)
    outer = b.shape
    sides: list[Shape] = []
    for block, value in ((true, node.body), (false, node.orelse)):
        b.shape = []
        b.begin(block)
        b.emit("move", (expression(b, value),), value, out=out)
        b.goto(after)
        sides.append(b.shape)
    b.shape = outer
    b.shape.append(("if", *sides))
    b.begin(after)
    return out


def _call(b: Builder, node: ast.Call) -> str:
    function = expression(b, node.func)
    parameters = b.source.node.args.posonlyargs + b.source.node.args.args
    if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and parameters:
        owner = b.emit("name", (), node, "__class__")
        return b.emit(
            "call", (function, owner, b.emit("load", (parameters[0].arg,), node, parameters[0].arg)), node, ()
        )
    values = [expression(b, argument) for argument in node.args]
    names: list[str | None] = []
    for keyword in node.keywords:
        found = expression(b, keyword.value)
        names.append(keyword.arg)
        values.append(found if keyword.arg else b.emit("keywords", (found,), keyword.value))
    return b.emit("call", (function, *values), node, tuple(names))


def _tuple(b: Builder, node: ast.Tuple) -> str:
    return b.emit("tuple", tuple(expression(b, item) for item in node.elts), node)


def _list(b: Builder, node: ast.List) -> str:
    return b.emit("list", tuple(expression(b, item) for item in node.elts), node)


def _starred(b: Builder, node: ast.Starred) -> str:
    return b.emit("starred", (expression(b, node.value),), node)


def _dict(b: Builder, node: ast.Dict) -> str:
    pairs: list[tuple[str, str]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            spread = b.emit("keywords", (expression(b, value),), value)
            pairs.append((spread, spread))
        else:
            pairs.append((expression(b, key), expression(b, value)))
    return b.emit("dict", tuple(name for pair in pairs for name in pair), node)


def _subscript(b: Builder, node: ast.Subscript) -> str:
    base = expression(b, node.value)
    return b.emit("index", (base, expression(b, node.slice)), node)


def _slice(b: Builder, node: ast.Slice) -> str:
    none = ast.copy_location(ast.Constant(None), node)
    return b.emit("slice", tuple(expression(b, part or none) for part in (node.lower, node.upper, node.step)), node)


def _walrus(b: Builder, node: ast.NamedExpr) -> str:
    value = expression(b, node.value)
    b.emit("move", (value,), node, out=node.target.id)
    return value


_RULES: dict[type[ast.expr], Callable[[Builder, ast.expr], str]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _conditional,
    ast.Call: _call,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Starred: _starred,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.NamedExpr: _walrus,
}  # type: ignore[reportAssignmentType]
