"""Typed scalar programs as Python text that Numba compiles: one function a function, loops and branches as written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.recursion import recursive
from operator_lib.autobatch.typing.ops import Branch, Jump, Move, Op, Operand, Raise, Return, Typed, TypedBlock
from operator_lib.autobatch.typing.subscripts import rebuilt_index
from operator_lib.autobatch.typing.values import Const, Lane, leaves

DTYPES = frozenset({"bool", "int64", "int32", "float64", "float32"})
# Functions of NumPy that machine code computes to the same bit.
EXACT: dict[Any, str] = {
    np.sqrt: "sqrt({})",
    np.absolute: "abs({})",
    np.fabs: "abs({})",
    np.floor: "floor({})",
    np.ceil: "ceil({})",
    np.trunc: "trunc({})",
    np.rint: "rint({})",
    np.isnan: "isnan({})",
    np.isfinite: "isfinite({})",
    np.isinf: "isinf({})",
    np.square: "({0} * {0})",
}
FLOAT = TensorType(np.dtype(np.float64))
# Bytes.
LARGEST_TABLE = 1 << 16
# Calls within calls that the processor's own stack is trusted with.
DEEPEST = 4000
MATH = frozenset(
    {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "log10", "atan2", "hypot"}
)


class NotScalar(Exception):
    """The program has something that is not done lane by lane in machine code; the text says what."""


class Writer:
    """Writes the functions of a program."""

    dtypes = DTYPES
    divides = True
    """Whether whole numbers can be divided by zero, as arrays can."""

    def __init__(self, functions: Sequence[Typed]) -> None:
        self.functions = functions
        self.constants: dict[str, Any] = {}
        self.tables: list[np.ndarray[Any, Any]] = []
        """Arrays from outside whose numbers become part of the program."""
        self.counted = calls_itself(functions)
        self.tails = any(is_tail(op, b) for f in functions for b in f.blocks.values() for op in b.ops)
        self.lines: list[str] = []
        self._typed: Typed | None = None
        self._depth = 0
        self._variables: dict[tuple[str, str], str] = {}

    def text(self) -> str:
        """All functions; the first in `functions` is called ``main``."""
        for typed in self.functions:
            self._function(typed)
        return "\n".join(self.lines)

    def name(self, typed: Typed) -> str:
        return f"f{self.functions.index(typed)}"

    def _function(self, typed: Typed) -> None:
        if typed.code.shape is None:
            raise NotScalar(f"{typed.name}() leaves an outer loop from the else of an inner one")
        self._typed, self._variables = typed, {}
        params = [self.variable(lane) for lane in typed.parameters]
        if self.counted:
            params += ["room", "deep"] if self.tails else ["room"]
        self._depth = 0
        self._line(f"def {self.name(typed)}({', '.join(params)}):")
        self._depth = 1
        if self.counted:
            self._line(f"if room <= 0{' or deep > ' + str(DEEPEST) if self.tails else ''}:")
            self._line("    too_deep()")
            self._line(f"    return {self._nothing(typed)}")
        self._walk(typed.code.shape)

    def _nothing(self, typed: Typed) -> str:
        """A result of the right types."""
        assert typed.result is not None
        values = [f"{lane.type.dtype.name}(0)" for lane in leaves(typed.result)]
        return values[0] if len(values) == 1 else f"({''.join(value + ', ' for value in values)})" if values else "0"

    def _line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    def variable(self, lane: Lane) -> str:
        kind = lane.type
        if kind.shape or kind.dtype.name not in self.dtypes:
            raise NotScalar(f"{lane.name.lstrip('$%') or 'a value'} is {kind}")
        key = (lane.name, kind.dtype.name)
        if key not in self._variables:
            self._variables[key] = f"v{len(self._variables)}"
        return self._variables[key]

    # ---- control -------------------------------------------------------------------------------------------------

    def _walk(self, shape: Sequence[Any]) -> bool:
        """Write a list of the shape; gives whether control may come to its end."""
        assert self._typed is not None
        items = list(shape)
        place = 0
        while place < len(items):
            kind, *rest = items[place]
            place += 1
            if kind == "block":
                block = self._typed.blocks.get(rest[0])
                if block is None:
                    return False
                after = items[place] if place < len(items) and items[place][0] == "if" else None
                if not self._block(block, after):
                    return False
                place += after is not None
            elif kind == "loop":
                if rest[0][0][1] not in self._typed.blocks:
                    return False
                # Numba 0.68 loses what a round assigned when `while True` is left by break.
                self._line("on = True")
                self._line("while on:")
                self._inside(rest[0])
            else:
                self._line(kind)
                return False
        return True

    def _inside(self, shape: Sequence[Any], moves: Sequence[Move] = ()) -> bool:
        self._depth += 1
        start = len(self.lines)
        self._moves(moves)
        goes_on = self._walk(shape)
        if len(self.lines) == start:
            self._line("pass")
        self._depth -= 1
        return goes_on

    def _block(self, block: TypedBlock, branch: Any) -> bool:
        for place, op in enumerate(block.ops):
            self._op(op, tail=place == len(block.ops) - 1 and is_tail(op, block))
        last = block.exit
        if isinstance(last, Return):
            values = self._results(last)
            self._line(f"return {values}")
            return False
        if isinstance(last, Raise):
            self._line("raise ValueError")
            return False
        if isinstance(last, Branch):
            assert branch is not None
            self._line(f"if {self.variable(last.condition)}:")
            one = self._inside(branch[1], last.true.moves)
            self._line("else:")
            two = self._inside(branch[2], last.false.moves)
            return one or two
        assert isinstance(last, Jump)
        return self._jump(last, branch)

    def _jump(self, last: Jump, branch: Any) -> bool:
        """Write the way to the next block: which side of a branch is known when its condition is a constant."""
        self._moves(last.moves)
        if branch is None:
            return True
        for side in (branch[1], branch[2]):
            if side and side[0] == ("block", last.block):
                return self._walk(side)
        return True

    def _moves(self, moves: Sequence[Move]) -> None:
        pairs = [(self.variable(m.target), self._as(m.value, m.target.type)) for m in moves]
        pairs = [(target, value) for target, value in pairs if target != value]
        targets = {target for target, _ in pairs}
        if len(pairs) > 1 and any(value in targets for _, value in pairs):
            self._line(f"{', '.join(t for t, _ in pairs)} = {', '.join(v for _, v in pairs)}")
            return
        for target, value in pairs:
            self._line(f"{target} = {value}")

    def _results(self, last: Return) -> str:
        assert self._typed is not None
        assert self._typed.result is not None
        kinds = [lane.type for lane in leaves(self._typed.result)]
        values = [self._as(value, kind) for value, kind in zip(last.values, kinds, strict=True)]
        return values[0] if len(values) == 1 else f"({''.join(value + ', ' for value in values)})" if values else "0"

    # ---- operations ----------------------------------------------------------------------------------------------

    def operand(self, value: Operand) -> str:
        if isinstance(value, Lane):
            return self.variable(value)
        return self.constant(value.value)

    def constant(self, value: Any) -> str:
        kind = type(value)
        if (kind in (bool, int) and abs(value) < 2**63) or (kind is float and math.isfinite(value)):
            return f"({value!r})"
        if (isinstance(value, np.generic) and value.dtype.name in DTYPES) or kind is float:
            for name, known in self.constants.items():
                if known is value:
                    return name
            name = f"c{len(self.constants)}"
            self.constants[name] = value
            return name
        raise NotScalar(f"a {kind.__name__} is used")

    def _as(self, value: Operand, kind: TensorType) -> str:
        """The operand in exactly that type."""
        if isinstance(value, Lane) and value.type.dtype == kind.dtype:
            return self.operand(value)
        if isinstance(value, Const) and np.ndim(value.value):
            raise NotScalar("an array is used")
        return self.cast(kind, self.operand(value))

    def cast(self, kind: TensorType, text: str, *, natural: bool = False) -> str:
        """Text that has that type; `natural`: Python's own numbers have it already."""
        return f"{kind.dtype.name}({text})"

    def _op(self, op: Op, *, tail: bool) -> None:
        if op.kind == "call":
            self._call(op, tail=tail)
        elif op.kind == "raise_if":
            self._line(f"if {self.operand(op.args[0])}: raise ValueError")
        elif op.kind == "index":
            self._index(op)
        else:
            out = self.variable(op.outs[0]) if len(op.outs) == 1 else ""
            self._line(f"{out} = {self._value(op, op.outs[0].type if op.outs else None)}")
            if op.kind == "math":
                self._line(f"if not isfinite({out}): raise ValueError")

    def _value(self, op: Op, kind: TensorType | None) -> str:
        if kind is None or op.kind not in ("elementwise", "cast", "select", "spread", "math"):
            what = getattr(op.detail, "name", "") or op.kind
            raise NotScalar(f"{what} in line {op.position.line}")
        if op.kind == "cast":
            return f"{self.operand(op.args[0])} != 0" if kind.dtype.kind == "b" else self._as(op.args[0], kind)
        if op.kind == "spread":
            return self._as(op.args[0], kind)
        if op.kind == "select":
            condition, one, two = op.args
            return f"{self._as(one, kind)} if {self.operand(condition)} else {self._as(two, kind)}"
        if op.kind == "math":
            name = op.detail.__name__
            if name not in MATH:
                raise NotScalar(f"math.{name} in line {op.position.line}")
            given = ", ".join(self._as(value, FLOAT) for value in op.args)
            return self.cast(kind, f"math_{name}({given})", natural=True)
        return self._elementwise(op, kind)

    def _elementwise(self, op: Op, kind: TensorType) -> str:
        symbol, args = op.detail, op.args
        if not isinstance(symbol, str):
            if symbol not in EXACT:
                raise NotScalar(f"{getattr(symbol, '__name__', symbol)} in line {op.position.line}")
            wide = args[0].type.dtype.name if isinstance(args[0], Lane) else "float64"
            if kind.dtype.kind == "f" and wide not in ("float64", kind.dtype.name):
                raise NotScalar(f"{symbol.__name__} of {wide}")
            return self.cast(
                kind, EXACT[symbol].format(self.operand(args[0])), natural=symbol is np.sqrt or wide == kind.dtype.name
            )
        if symbol == "not":
            return f"not {self.operand(args[0])}"
        if symbol == "u~" and kind.dtype.kind == "b":
            return f"not {self.operand(args[0])}"
        if len(args) == 1:
            return self.cast(kind, f"{symbol[1:]}{self.operand(args[0])}", natural=True)
        if symbol in ("==", "!=", "<", "<=", ">", ">="):
            return f"{self._compared(args[0], args[1])} {symbol} {self._compared(args[1], args[0])}"
        return self._arithmetic(symbol, args, kind, op)

    def _compared(self, value: Operand, other: Operand) -> str:
        """Python numbers take the other side's type; whole numbers are compared with floats as floats."""
        if isinstance(other, Lane) and other.type.dtype.kind == "f" and not _is_float(value):
            return self._as(value, other.type)
        return self.operand(value)

    def _arithmetic(self, symbol: str, args: Sequence[Operand], kind: TensorType, op: Op) -> str:
        integer = kind.dtype.kind in "iu"
        if kind.dtype.kind == "b" and symbol not in "&|^":
            raise NotScalar(f"{symbol} of truth values in line {op.position.line}")
        one, two = (self._as(value, kind) for value in args)
        if symbol in ("//", "%"):
            if not integer:
                raise NotScalar(f"{symbol} of floats in line {op.position.line}")
            if self.divides and not (isinstance(args[1], Const) and args[1].value not in (0, -1)):
                helper = "floor_divided" if symbol == "//" else "remainder"
                return self.cast(kind, f"{helper}({one}, {two})", natural=True)
        if symbol == "**":
            if not (isinstance(args[1], Const) and args[1].value == 2):
                raise NotScalar(f"** in line {op.position.line}")
            return self.cast(kind, f"{one} * {one}", natural=True)
        if symbol in ("<<", ">>"):
            way = "left" if symbol == "<<" else "right"
            return self.cast(kind, f"shifted_{way}({one}, {two})", natural=True)
        if kind.dtype.name in ("int64", "float64"):
            return f"{one} {symbol} {two}"
        return self.cast(kind, f"{one} {symbol} {two}", natural=True)

    def _index(self, op: Op) -> None:
        base, *lanes = op.args
        if not isinstance(base, Const) or not isinstance(base.value, np.ndarray) or op.outs[0].type.shape:
            raise NotScalar(f"an array in line {op.position.line}")
        if base.value.dtype.name not in DTYPES:
            raise NotScalar(f"an array of {base.value.dtype} in line {op.position.line}")
        found = rebuilt_index(op.detail, [f"int64({self.operand(lane)})" for lane in lanes])
        parts = found if isinstance(found, tuple) else (found,)
        if len(parts) != base.value.ndim or not all(isinstance(part, str | int) for part in parts):
            raise NotScalar(f"an array in line {op.position.line}")
        name = self.table(base.value, np.ascontiguousarray(base.value))
        for part, size in zip(parts, base.value.shape, strict=True):
            if isinstance(part, str):
                self._line(f"if not -{size} <= {part} < {size}: raise ValueError")
        self._line(f"{self.variable(op.outs[0])} = {name}[{', '.join(map(str, parts))}]")

    def table(self, array: np.ndarray[Any, Any], kept: Any) -> str:
        """A name for the numbers of an array. Somebody may write to it: it is compared at each call."""
        if array.nbytes > LARGEST_TABLE:
            raise NotScalar(f"an array of {array.nbytes} bytes is read")
        self.tables.append(array)
        name = f"c{len(self.constants)}"
        self.constants[name] = kept
        return name

    def _call(self, op: Op, *, tail: bool) -> None:
        callee: Typed = op.detail
        given = [self._as(value, param.type) for value, param in zip(op.args, callee.parameters, strict=True)]
        if self.counted:
            given += ["room" if tail else "room - 1"]
            given += ["deep + 1"] if self.tails else []
        outs = ", ".join(self.variable(out) for out in op.outs)
        if len(op.outs) > 1:
            outs = f"({outs})"
        self._line(f"{outs + ' = ' if outs else ''}{self.name(callee)}({', '.join(given)})")


def _is_float(value: Operand) -> bool:
    return isinstance(value, Lane) and value.type.dtype.kind == "f"


def is_tail(op: Op, block: TypedBlock) -> bool:
    return op.kind == "call" and isinstance(block.exit, Return) and block.exit.values == op.outs


def calls_itself(functions: Sequence[Typed]) -> bool:
    callees = {
        typed.label: {op.detail.label for block in typed.blocks.values() for op in block.ops if op.kind == "call"}
        for typed in functions
    }
    return recursive(callees)
