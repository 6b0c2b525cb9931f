"""Calls of functions that stay functions in the batch."""

from __future__ import annotations

from operator_lib.autobatch.frontend.code import Code
from operator_lib.autobatch.typing.engine import Pending, generalised
from operator_lib.autobatch.typing.ops import Op, Operand
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import Tup, Value, leaves, rename


def instance_call(t: Tracer, code: Code, bound: dict[str, Value]) -> Value:
    """Lanes go to the function and come back with its result."""
    recursive = t.engine.on_stack(code, t.instance)
    original = bound
    if recursive:
        bound = {name: generalised(value) for name, value in bound.items()}
    given = Tup(tuple(bound.values()))
    t.kept(given)
    _shared_arguments(t, given)
    callee = t.engine.instance(code, bound, (t.instance, t.home))
    if callee.result is None:
        raise Pending
    if not t.engine.final:
        return _fresh(t, callee.result)
    operands: list[Operand] = []
    entry = callee.entry[code.graph.blocks[0].name]
    for name, value in entry.items():
        operands += [move.value for move in t.moves(rename(value, name, boxes=True), original[name])]
    result = _fresh(t, callee.result)
    t.ops.append(Op("call", tuple(operands), tuple(leaves(result)), callee.typed, t.position))
    return result


def _shared_arguments(t: Tracer, given: Tup) -> None:
    """The callee's parameter is a second name for an array that the caller goes on using."""
    t.shared_by(given)
    names = [leaf.name for leaf in leaves(given) if leaf.alias is not None and leaf.name]
    for leaf in leaves(given):
        if leaf.alias is not None and names.count(leaf.name) > 1:
            leaf.alias.note(shared=t.position)


def _fresh(t: Tracer, result: Value) -> Value:
    """The result under names of the caller's own."""
    t._count += 1
    return rename(result, f"${t._count}", boxes=t.engine.final)
