"""The function as it was written, called for one example after the other: for programs on arrays in small batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.native.growth import Looked, may_grow
from operator_lib.autobatch.native.literals import Literals
from operator_lib.autobatch.native.source import NotScalar, calls_itself
from operator_lib.autobatch.typing.joins import type_of_constant
from operator_lib.autobatch.typing.ops import Op, Operand, Return, Typed, TypedBlock
from operator_lib.autobatch.typing.values import Lane, Rec, Tup, Value, filled, leaves

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled

Driver = Callable[[Sequence[Any], "int | None"], list[Any]]
# Of a single example they may have other bits than of a batch.
PRODUCTS = frozenset({"matmul", "dot", "vdot", "vecdot", "matvec", "vecmat", "inner", "tensordot", "einsum", "norm"})
# Examples on which the machine has to agree first.
CHECKED = 16
# Types whose numbers do the same as Python's own, as long as nothing raises.
EXACT = frozenset({"bool", "float64", "complex128"})


def rows_of(compiled: Compiled) -> Driver:
    """Columns in, columns out.

    Raises:
        NotScalar: the function as it was written could do something else than the machine; the text says what.
    """
    _check(compiled)
    main = compiled.main
    assert main.result is not None
    build = _builder(compiled)
    kinds = [lane.type for lane in leaves(main.result)]
    call = _calling(compiled)

    def run(columns: Sequence[Any], limit: int | None) -> list[Any]:
        del limit  # there is no recursion
        with np.errstate(all="ignore"):
            found = [list(_parts(main.result, call(build(place, columns)))) for place in range(len(columns[0]))]
        return [
            np.array([row[n] for row in found], kind.dtype).reshape((len(found), *kind.shape))
            for n, kind in enumerate(kinds)
        ]

    return _Checked(compiled, run)


class _Checked:
    """Agrees with the machine on the first examples, to the bit; raises if not."""

    def __init__(self, compiled: Compiled, run: Driver) -> None:
        self._compiled, self._run, self._agrees = compiled, run, False

    def __call__(self, columns: Sequence[Any], limit: int | None) -> list[Any]:
        found = self._run(columns, limit)
        if not self._agrees and len(columns[0]):
            from operator_lib.autobatch.compiled import run_machine

            some, count = [column[:CHECKED] for column in columns], min(CHECKED, len(columns[0]))
            ran, _ = run_machine(self._compiled, some, count, stackless=False, limit=None, lanes=None, most_first=False)
            if ran.failed or any(a.tobytes() != b[:count].tobytes() for a, b in zip(ran.out, found, strict=True)):
                self._compiled.loop = False
                raise ValueError("another result than the machine's")
            self._agrees = True
        return found


def _check(compiled: Compiled) -> None:
    functions = compiled.functions
    if not compiled.main.parameters or compiled.engine.strict or calls_itself(functions):
        raise NotScalar("checks and depth are the machine's")
    looked, literals = Looked(functions), Literals(functions)
    for typed in functions:
        for block in typed.blocks.values():
            for op in block.ops:
                _check_op(typed, block, op, looked, literals)
            moves = [(move.value, move.target) for jump in block.jumps() for move in jump.moves]
            if isinstance(block.exit, Return) and typed is not compiled.main and typed.result is not None:
                moves += zip(block.exit.values, leaves(typed.result), strict=True)
            for value, target in moves:
                if not _same(value, target):
                    raise NotScalar(f"{target.name} changes its type")


def _check_op(typed: Typed, block: TypedBlock, op: Op, looked: Looked, literals: Literals) -> None:
    if op.kind == "each":
        raise NotScalar(f"{op.detail.name} in line {op.position.line} may do something that must not be done twice")
    if op.kind == "call":
        callee: Typed = op.detail
        if not all(_same(value, target) for value, target in zip(op.args, callee.parameters, strict=True)):
            raise NotScalar(f"an argument of {callee.name} changes its type")
    if op.kind in ("library", "each") and op.detail.name in PRODUCTS:
        raise NotScalar(f"{op.detail.name} in line {op.position.line}")
    # Numbers of arrays wrap and round in Python, too.
    if not literals.mix(typed, block, op):
        return
    whole = op.outs[0].type.weak and op.outs[0].type.dtype.kind == "i"
    if not whole or (may_grow(op) and looked.at(typed, op.outs[0])):
        raise NotScalar(f"numbers of Python's in line {op.position.line}")


def _same(value: Operand, target: Lane) -> bool:
    """Whether a variable's type says what Python's variable holds."""
    found = value.type if isinstance(value, Lane) else type_of_constant(value.value)
    if found is None or found.dtype != target.type.dtype or found.shape != target.type.shape:
        return False
    return found.weak == target.type.weak or found.dtype.name in EXACT


def _builder(compiled: Compiled) -> Callable[[int, Sequence[Any]], dict[str, Any]]:
    """What makes one example's arguments: single numbers of the array's type, rows, constants."""
    written = [lane.alias is not None and lane.alias.stored is not None for lane in compiled.main.parameters]

    def build(place: int, columns: Sequence[Any]) -> dict[str, Any]:
        cells = iter(
            [
                column[place].item() if lane.type.weak else column[place].copy() if own else column[place]
                for column, lane, own in zip(columns, compiled.main.parameters, written, strict=True)
            ]
        )
        return {name: filled(value, cells) for name, value in compiled.arguments.items()}

    return build


def _calling(compiled: Compiled) -> Callable[[dict[str, Any]], Any]:
    from operator_lib.autobatch.batched import plainly

    function = compiled.main.code.function
    return lambda given: plainly(function, given)


def _parts(value: Value | None, found: Any) -> Iterator[Any]:
    """The leaves of a result, in the order of the columns."""
    if isinstance(value, Lane):
        if np.shape(found) != value.type.shape:
            raise ValueError("another shape than was inferred")
        yield found
    elif isinstance(value, Tup):
        for item, part in zip(value.items, found, strict=True):
            yield from _parts(item, part)
    elif isinstance(value, Rec):
        for key, item in value.items:
            yield from _parts(item, found[key])
