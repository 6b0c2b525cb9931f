"""Which variables may hold a Python number where the program's type says number of an array.

``total = 0`` is a Python int until something of an array has been added to it, whatever type the variable has by then.
While only such numbers meet, Python neither rounds nor wraps as the type does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from operator_lib.autobatch.native.growth import Place
from operator_lib.autobatch.typing.ops import Op, Operand, Return, Typed, TypedBlock
from operator_lib.autobatch.typing.values import Const, Lane

# Their result is a number of an array as soon as one operand is.
MIXING = frozenset({"+", "-", "*", "**", "//", "%", "u-", "u+", "<<", ">>"})


class Literals:
    """Places where a literal, or what came of literals alone, may be."""

    def __init__(self, functions: Sequence[Typed]) -> None:
        self._found: set[Place] = set()
        size = -1
        while size != len(self._found):
            size = len(self._found)
            for typed in functions:
                self._found.update(self._of(typed))

    def mix(self, typed: Typed, block: TypedBlock, op: Op) -> bool:
        """Whether the operation may be on literals alone."""
        return op.kind == "elementwise" and op.detail in MIXING and all(self._is(typed, block, v) for v in op.args)

    def _is(self, typed: Typed, block: TypedBlock, value: Operand) -> bool:
        if isinstance(value, Const):
            return True
        return not value.type.shape and (value.type.weak or _place(typed, block, value) in self._found)

    def _of(self, typed: Typed) -> Iterator[Place]:
        for block in typed.blocks.values():
            for op in block.ops:
                if op.kind == "call":
                    yield from self._of_call(typed, block, op)
                elif self.mix(typed, block, op) or self._passes(typed, block, op):
                    yield _place(typed, block, op.outs[0])
            for jump in block.jumps():
                yield from (_place(typed, block, m.target) for m in jump.moves if self._is(typed, block, m.value))
            if isinstance(block.exit, Return):
                values = enumerate(block.exit.values)
                yield from ((typed.label, f"return {n}") for n, value in values if self._is(typed, block, value))

    def _of_call(self, typed: Typed, block: TypedBlock, op: Op) -> Iterator[Place]:
        callee: Typed = op.detail
        pairs = zip(op.args, callee.parameters, strict=True)
        yield from ((callee.label, lane.name) for value, lane in pairs if self._is(typed, block, value))
        for number, out in enumerate(op.outs):
            if (callee.label, f"return {number}") in self._found:
                yield _place(typed, block, out)

    def _passes(self, typed: Typed, block: TypedBlock, op: Op) -> bool:
        """Whether an operand that may be a literal may be the result."""
        return op.kind in ("select", "spread") and any(self._is(typed, block, value) for value in op.args[-2:])


def _place(typed: Typed, block: TypedBlock, lane: Lane) -> Place:
    # Names of what is not a variable are used again in other blocks.
    return typed.label, f"{block.name}{lane.name}" if lane.name.startswith("$") else lane.name
