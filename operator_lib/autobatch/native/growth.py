"""Where Python's whole numbers, which grow, would give something else than those of 64 bits, which wrap.

Sums, differences and products of numbers that have wrapped are right modulo 2 ** 64, and so are those of numbers that
have grown: the two differ only when somebody looks, that is compares, divides, converts, indexes. What is only added
up and returned needs no check until the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from operator_lib.autobatch.typing.ops import Move, Op, Operand, Return, Typed, TypedBlock
from operator_lib.autobatch.typing.values import Const, Lane

Place = tuple[str, str]
"""A function's label and a name in it."""

MODULAR = frozenset({"+", "-", "*", "&", "|", "^", "u-", "u+", "u~"})
# Counting in steps smaller than this takes longer than anybody waits.
SMALL_STEP = 1 << 20


def may_grow(op: Op) -> bool:
    """Whether the result may need more bits than the operands have, if none of them is the smallest number."""
    if len(op.outs) != 1 or op.outs[0].type.dtype.kind != "i":
        return False
    if op.kind == "cast":
        return any(isinstance(value, Lane) and value.type.dtype.kind == "f" for value in op.args)
    if op.kind != "elementwise":
        return False
    if op.detail in ("+", "-") and any(isinstance(a, Const) and abs(a.value) < SMALL_STEP for a in op.args):
        return False
    return op.detail in ("+", "-", "*", "**", "<<")


def turns(op: Op) -> bool:
    """Whether the smallest number of 64 bits, and it alone, would give one that needs more."""
    if len(op.outs) != 1 or op.outs[0].type.dtype.kind != "i" or op.kind != "elementwise":
        return False
    if op.detail == "//":
        return not isinstance(op.args[1], Const) or op.args[1].value == -1
    return op.detail == "u-" or op.detail is np.absolute


class Looked:
    """The places whose exact value matters."""

    def __init__(self, functions: Sequence[Typed]) -> None:
        self._found: set[Place] = set()
        size = -1
        while size != len(self._found):  # until nothing is added: calls and loops lead back
            size = len(self._found)
            for typed in functions:
                for block in typed.blocks.values():
                    self._block(typed, block)

    def at(self, typed: Typed, lane: Lane) -> bool:
        """Whether it matters what is in a variable, and not only what it is modulo 2 ** 64."""
        return (typed.label, lane.name) in self._found

    def _block(self, typed: Typed, block: TypedBlock) -> None:
        if isinstance(block.exit, Return):
            self._add(typed, (value for n, value in enumerate(block.exit.values) if self._result(typed, n)))
        for jump in block.jumps():
            for move in jump.moves:
                if self.at(typed, move.target) or _converts(move):
                    self._add(typed, [move.value])
        for op in reversed(block.ops):
            self._add(typed, self._looked_at(typed, op))

    def _looked_at(self, typed: Typed, op: Op) -> Iterator[Operand]:
        out = any(self.at(typed, lane) for lane in op.outs)
        if op.kind == "call":
            callee: Typed = op.detail
            for value, parameter in zip(op.args, callee.parameters, strict=True):
                if self.at(callee, parameter) or _converts(Move(parameter, value)):
                    yield value
            for number, lane in enumerate(op.outs):
                if self.at(typed, lane):
                    self._found.add((callee.label, f"return {number}"))
            return
        passed = op.kind == "select" or (op.kind == "elementwise" and op.detail in MODULAR)
        whole = all(lane.type.dtype.kind in "iu" for lane in op.outs)
        if out or not passed or not whole:
            yield from op.args

    def _result(self, typed: Typed, number: int) -> bool:
        return (typed.label, f"return {number}") in self._found

    def _add(self, typed: Typed, values: Iterable[Operand]) -> None:
        self._found.update((typed.label, value.name) for value in values if isinstance(value, Lane))


def _converts(move: Move) -> bool:
    return isinstance(move.value, Lane) and move.value.type.dtype != move.target.type.dtype
