"""Statements → blocks."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from operator_lib.autobatch.frontend.builder import Builder, Loop, Shape
from operator_lib.autobatch.frontend.expressions import BINARY, expression
from operator_lib.autobatch.frontend.scope import loaded
from operator_lib.autobatch.instructions import Block, BranchOp, IndirectGotoOp, RaiseOp


def statements(b: Builder, nodes: Sequence[ast.stmt]) -> None:
    """Translate one after the other; what cannot be reached is still checked."""
    for node in nodes:
        rule = _RULES.get(type(node))
        if rule is None:
            raise b.refuse(node)
        rule(b, node)


def _expression(b: Builder, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        expression(b, node.value)


def _assign(b: Builder, node: ast.Assign) -> None:
    value = expression(b, node.value)
    for target in node.targets:
        _store(b, target, value)


def _annotated(b: Builder, node: ast.AnnAssign) -> None:
    if node.value is not None:
        _store(b, node.target, expression(b, node.value))


def _store(b: Builder, target: ast.expr, value: str) -> None:
    if isinstance(target, ast.Name):
        b.emit("move", (value,), target, out=target.id)
    elif isinstance(target, ast.Tuple | ast.List):
        star = next((i for i, item in enumerate(target.elts) if isinstance(item, ast.Starred)), None)
        parts = [b.emit("unpack", (value,), target, (i, len(target.elts), star)) for i in range(len(target.elts))]
        for item, part in zip(target.elts, parts, strict=True):
            _store(b, item.value if isinstance(item, ast.Starred) else item, part)
    elif isinstance(target, ast.Subscript):
        if isinstance(target.value, ast.Name):  # read last: in the block where it is written to
            index = expression(b, target.slice)
            base = expression(b, target.value)
        else:
            base, index = expression(b, target.value), expression(b, target.slice)
        b.emit("store", (base, index, value), target)
    else:
        raise b.refuse(
            target,
            "an attribute cannot be assigned in a batch",
            "The object is the same for all examples: keep the value in a local name, and return it.",
        )


def _augmented(b: Builder, node: ast.AugAssign) -> None:
    op = BINARY[type(node.op)]
    if isinstance(node.target, ast.Name):
        old = b.emit("load", (node.target.id,), node.target, node.target.id)
        b.emit("inplace", (old, expression(b, node.value)), node, op, node.target.id)
    elif isinstance(node.target, ast.Subscript):
        base, index = expression(b, node.target.value), expression(b, node.target.slice)
        old = b.emit("index", (base, index), node.target)
        new = b.emit("inplace", (old, expression(b, node.value)), node, op)
        if isinstance(node.target.value, ast.Name):
            base = expression(b, node.target.value)
        b.emit("store", (base, index, new), node.target)
    else:
        _store(b, node.target, "")


def _if(b: Builder, node: ast.If) -> None:
    condition = expression(b, node.test)
    true, false, after = b.new_block("then"), b.new_block("else"), b.new_block("after")
    b.branch(condition, true, false)
    outer = b.shape
    sides = [_side(b, true, node.body, after), _side(b, false, node.orelse, after)]
    b.shape = outer
    b.shape.append(("if", *sides))
    b.begin(after)


def _side(b: Builder, block: Block, body: Sequence[ast.stmt], after: Block) -> Shape:
    b.shape = []
    b.begin(block)
    statements(b, body)
    b.goto(after)
    return b.shape


def _while(b: Builder, node: ast.While) -> None:
    head = b.new_block("while", loop=True)
    after = b.new_block("after")
    _loop(b, node, head, after, lambda: expression(b, node.test), lambda: None)


def _for(b: Builder, node: ast.For) -> None:
    items = expression(b, node.iter)
    place = (node.lineno, node.col_offset)
    items = b.emit("iterate", (items,), node.iter, (place, b.rounds.get(place)))
    count = b.emit("length", (items,), node.iter)
    if place in b.rounds:
        _written_out(b, node, items, count, b.rounds[place])
        return
    index = b.emit("const", (), node.iter, 0)
    head = b.new_block("for", loop=True)
    after = b.new_block("after")

    def test() -> str:
        return b.emit("compare", (index, count), node.iter, "<")

    def advance() -> None:
        item = b.emit("item", (items, index), node.target)
        one = b.emit("const", (), node.target, 1)
        b.emit("binary", (index, one), node.target, "+", index)
        _store(b, node.target, item)

    _loop(b, node, head, after, test, advance)


def _written_out(b: Builder, node: ast.For, items: str, count: str, rounds: int) -> None:
    """Each round as a branch of its own: which of them there are is known."""
    after = b.new_block("after")
    for number in range(rounds):
        body, following = b.new_block("round"), b.new_block("next")
        index = b.emit("const", (), node.iter, number)
        b.branch(b.emit("compare", (index, count), node.iter, "<"), body, following)
        outer, b.shape = b.shape, []
        b.loops.append(Loop(following.name, after.name, -1))
        b.begin(body)
        _store(b, node.target, b.emit("item", (items, index), node.target))
        statements(b, node.body)
        b.goto(following)
        b.loops.pop()
        inside, b.shape = b.shape, outer
        b.shape.append(("if", inside, []))
        b.begin(following)
    statements(b, node.orelse)
    b.goto(after)
    b.begin(after)


def _loop(
    b: Builder,
    node: ast.While | ast.For,
    head: Block,
    after: Block,
    test: Callable[[], str],
    advance: Callable[[], Any],
) -> None:
    body, done = b.new_block("body"), b.new_block("done")
    b.goto(head)
    outer, b.shape = b.shape, []
    b.begin(head)
    b.open_loops += 1
    b.branch(test(), body, done)
    inside = b.shape
    b.loops.append(Loop(head.name, after.name, b.open_loops))
    b.shape = []
    b.begin(body)
    advance()
    statements(b, node.body)
    b.goto(head)
    rounds = b.shape
    b.loops.pop()
    b.shape = []
    b.begin(done)
    statements(b, node.orelse)
    b.goto(after)
    inside.append(("if", rounds, [*b.shape, ("break",)]))
    b.open_loops -= 1
    b.shape = outer
    b.shape.append(("loop", inside))
    b.begin(after)


def _break(b: Builder, node: ast.Break) -> None:
    b.jump("break", b.loops[-1])


def _continue(b: Builder, node: ast.Continue) -> None:
    b.jump("continue", b.loops[-1])


def _return(b: Builder, node: ast.Return) -> None:
    value = expression(b, node.value) if node.value else b.emit("const", (), node, None)
    b.end(IndirectGotoOp((value,)))


def _raise(b: Builder, node: ast.Raise) -> None:
    if node.exc is None:
        raise b.refuse(node, "raise without an exception", "Name the exception: raise ValueError(...).")
    _raise_expression(b, node, node.exc)


def _raise_expression(b: Builder, node: ast.stmt, exception: ast.expr) -> None:
    names = [name for name in loaded(exception) if name in b.names]
    tree = ast.fix_missing_locations(ast.Expression(exception))
    values = tuple(b.emit("load", (name,), node, name) for name in names)
    b.end(RaiseOp(values, (compile(tree, b.source.file, "eval"), tuple(names)), b.at(node)))


def _assert(b: Builder, node: ast.Assert) -> None:
    condition = expression(b, node.test)
    fails, after = b.new_block("fails"), b.new_block("after")
    b.end(BranchOp(condition, after.name, fails.name))
    outer, b.shape = b.shape, []
    b.begin(fails)
    call = ast.Call(ast.Name("AssertionError", ast.Load()), [node.msg] if node.msg else [], [])
    _raise_expression(b, node, ast.fix_missing_locations(ast.copy_location(call, node)))
    side, b.shape = b.shape, outer
    b.shape.append(("if", [], side))
    b.begin(after)


def _pass(b: Builder, node: ast.Pass) -> None:
    pass


_RULES: dict[type[ast.stmt], Callable[[Builder, Any], None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Pass: _pass,
}
