"""A call whose way through the callee is known: its operations become the caller's."""

from __future__ import annotations

from operator_lib.autobatch.frontend.code import Code
from operator_lib.autobatch.instructions import BranchOp, GotoOp, IndirectGotoOp, PrimOp
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import Const, Value

MOST_BLOCKS = 64


class NotStraight(Exception):
    """The callee branches, or writes to an array: it stays a function."""


def straight(t: Tracer, code: Code, arguments: dict[str, Value]) -> Value | None:
    """The result, if no branch of the callee differs from example to example; else None and nothing is changed."""
    outer = (t.code, t.block, t.env, t.position, t.path, t.index)
    start = len(t.ops)
    t.engine.opened.append(code.function)
    t.path = (*t.path, t.index, code.function)
    t.code, t.env = code, dict(arguments)
    try:
        return _followed(t, code)
    except NotStraight:
        del t.ops[start:]
        return None
    finally:
        t.engine.opened.pop()
        t.code, t.block, t.env, t.position, t.path, t.index = outer


def _followed(t: Tracer, code: Code) -> Value:
    from operator_lib.autobatch.typing.rules import RULES

    name = code.graph.blocks[0].name
    for round_ in range(MOST_BLOCKS):
        t.block = code.graph.block(name)
        t.path = (*t.path, round_)
        for index, op in enumerate(t.block.instructions):
            t.index = index
            assert isinstance(op, PrimOp)
            assert op.position is not None
            t.position = op.position
            RULES[op.function](t, op)
        last = t.block.terminator
        if isinstance(last, IndirectGotoOp):
            return t.env[last.vars_in[0]]
        if isinstance(last, GotoOp) and last.block is not None:
            name = last.block
        elif isinstance(last, BranchOp):
            condition = t.truth(t.env[last.cond_var])
            if not isinstance(condition, Const):
                raise NotStraight
            name = last.true_block if condition.value else last.false_block
        else:
            raise NotStraight
    raise NotStraight
