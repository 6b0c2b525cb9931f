"""Typed scalar programs as Python text for Python itself: as close to the function as it was written as can be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.native.growth import Looked, may_grow, turns
from operator_lib.autobatch.native.source import NotScalar, Writer, is_tail
from operator_lib.autobatch.typing.ops import Branch, Jump, Move, Op, Operand, Raise, Return, Typed, TypedBlock
from operator_lib.autobatch.typing.subscripts import rebuilt_index
from operator_lib.autobatch.typing.values import Const, Lane, leaves

# What Python compares fastest: numbers of one digit of its own.
ONE_DIGIT = (1 << 30) - 1
# Operations that may be written where their result is used.
FOLDED = frozenset({"elementwise", "cast", "select", "spread", "math", "index", "call"})
# A variable, and a line that copies one.
NAME = re.compile(r"\bv\d+\b")
COPY = re.compile(r"( *)(v\d+) = (v\d+)")

SMALLEST = -(1 << 63)


def wide(value: int) -> int:
    """The number, when it has no more than 64 bits and is not the smallest, whose opposite would have more."""
    if not SMALLEST < value <= 9223372036854775807:
        raise OverflowError
    return value


@dataclass(frozen=True, slots=True)
class Written:
    """An expression that waits for its place."""

    text: str
    reads: frozenset[str]
    test: str = ""
    """The same as a condition, where that is shorter."""


class PythonWriter(Writer):
    """Numbers are Python's own. What leaves 64 bits raises where it matters (`growth`): the machine knows what then."""

    dtypes = frozenset({"bool", "int64", "float64"})
    divides = False

    def __init__(self, functions: Sequence[Typed]) -> None:
        super().__init__(functions)
        self.as_written = True
        """Whether the functions, as they were written, would do the same."""
        self.turns = any(turns(op) for typed in functions for block in typed.blocks.values() for op in block.ops)
        """Whether there is something that the smallest number must not come to."""
        self._looked = Looked(functions)
        self._bounds: dict[str, int] = {}
        self._waiting: dict[str, Written] = {}
        self._reads: set[str] = set()
        self._uses: dict[str, int] = {}
        self._checks = 0

    def _function(self, typed: Typed) -> None:
        if typed.code.shape is None:
            raise NotScalar(f"{typed.name}() leaves an outer loop from the else of an inner one")
        self._typed, self._variables = typed, {}
        self._depth = 0
        self._line(f"def {self.name(typed)}({', '.join(self.variable(lane) for lane in typed.parameters)}):")
        self._depth = 1
        start = len(self.lines)
        self._walk(typed.code.shape)
        self.lines[start:] = _merged(self.lines[start:])

    # ---- control -------------------------------------------------------------------------------------------------

    def _walk(self, shape: Sequence[Any]) -> bool:
        assert self._typed is not None
        items = list(shape)
        for place, (kind, *rest) in enumerate(items):
            if kind == "block":
                block = self._typed.blocks.get(rest[0])
                if block is None:
                    return False
                branch = items[place + 1] if place + 1 < len(items) and items[place + 1][0] == "if" else None
                if not self._block(block, branch):
                    return False
            elif kind == "loop":
                if rest[0][0][1] not in self._typed.blocks:
                    return False
                self._line("while True:")
                self._inside(rest[0])
                self._tighten()
            elif kind != "if":
                self._line(kind)
                return False
        return True

    def _tighten(self) -> None:
        """A loop that begins with ``if not c: break`` as ``while c``."""
        indent = "    " * self._depth
        start = max(n for n, line in enumerate(self.lines) if line == f"{indent}while True:")
        first = self.lines[start + 1].strip()
        if first.startswith("if not ") and first.endswith(": break"):
            self.lines[start : start + 2] = [f"{indent}while {first[7:-7]}:"]
            if len(self.lines) == start + 1:
                self.lines.append(f"{indent}    pass")

    def _block(self, block: TypedBlock, branch: Any) -> bool:
        self._waiting, self._uses, self._bounds = {}, _uses(block), {}
        for place, op in enumerate(block.ops):
            self._op(op, tail=place == len(block.ops) - 1 and is_tail(op, block))
        last = block.exit
        if isinstance(last, Return):
            if self._typed is not self.functions[0] and self._typed is not None and self._typed.result is not None:
                pairs = zip(last.values, leaves(self._typed.result), strict=True)
                self.as_written = self.as_written and all(_same_type(value, lane.type) for value, lane in pairs)
            self._line(f"return {self._results(last)}")
            return False
        if isinstance(last, Raise):
            self._line("raise ValueError")
            return False
        if isinstance(last, Branch):
            return self._branch(last, branch)
        assert isinstance(last, Jump)
        return self._jump(last, branch)

    def _branch(self, last: Branch, branch: Any) -> bool:
        moved = (move.value for jump in (last.true, last.false) for move in jump.moves)
        self._settle({value.name for value in moved if isinstance(value, Lane)})
        condition = self._condition(last.condition)
        start = len(self.lines)
        self._line(f"if {condition}:")
        one = self._inside(branch[1], last.true.moves)
        middle = len(self.lines)
        self._line("else:")
        two = self._inside(branch[2], last.false.moves)
        indent = "    " * self._depth
        then, other = self.lines[start + 1 : middle], self.lines[middle + 1 :]
        chosen = _chosen(condition, [line.strip() for line in then], [line.strip() for line in other])
        if chosen:
            self.lines[start:] = [indent + chosen]
        elif other == [f"{indent}    pass"]:
            del self.lines[middle:]
        elif other == [f"{indent}    break"]:
            self.lines[start:] = [f"{indent}if not {condition}: break", *(line[4:] for line in then)]
        elif not one:  # nobody comes to the end of the first side
            self.lines[middle:] = [line[4:] for line in other]
        return one or two

    def _condition(self, value: Lane) -> str:
        waits = self._waiting.get(self.variable(value))
        text = self.operand(value)
        return waits.test or text if waits is not None else text

    def _inside(self, shape: Sequence[Any], moves: Sequence[Move] = ()) -> bool:
        waiting, uses = self._waiting, self._uses
        found = super()._inside(shape, moves)
        self._waiting, self._uses = waiting, uses
        return found

    def _moves(self, moves: Sequence[Move]) -> None:
        pending: list[tuple[str, Written]] = []
        for move in moves:
            self.as_written = self.as_written and _same_type(move.value, move.target.type)
            made = self._expression(lambda m=move: self._as(m.value, m.target.type))
            target = self.variable(move.target)
            if made.text != target:
                pending.append((target, made))
        while pending:
            free = [pair for pair in pending if not any(pair[0] in o.reads for t, o in pending if t != pair[0])]
            if not free:  # values change places
                self._line(f"{', '.join(t for t, _ in pending)} = {', '.join(w.text for _, w in pending)}")
                return
            for pair in free:
                self._line(f"{pair[0]} = {pair[1].text}")
                pending.remove(pair)
                break

    # ---- operations ----------------------------------------------------------------------------------------------

    def operand(self, value: Operand) -> str:
        if not isinstance(value, Lane):
            return self.constant(value.value)
        name = self.variable(value)
        found = self._waiting.pop(name, None)
        if found is not None:
            self._reads |= found.reads
            return f"({found.text})"
        self._reads.add(name)
        return name

    def _as(self, value: Operand, kind: TensorType) -> str:
        if isinstance(value, Const) and not np.ndim(value.value) and isinstance(value.value, int | float | np.generic):
            return self.constant(kind.dtype.type(value.value).item())
        return super()._as(value, kind)

    def constant(self, value: Any) -> str:
        if isinstance(value, np.generic) and value.dtype.name in self.dtypes:
            value = value.item()
        return super().constant(value)

    def cast(self, kind: TensorType, text: str, *, natural: bool = False) -> str:
        if natural and kind.dtype.kind != "b":
            return text
        self.as_written = False
        return super().cast(kind, text)

    def _op(self, op: Op, *, tail: bool) -> None:
        if op.kind == "raise_if":
            self._line(f"if {self.operand(op.args[0])}: raise ValueError")
            return
        if op.kind == "call":
            made = self._expression(lambda: self._called(op, tail=tail))
        else:
            made = self._expression(lambda: self._checked(op))
        if len(op.outs) != 1:
            outs = ", ".join(self.variable(lane) for lane in op.outs)
            self._line(f"{outs} = {made.text}" if outs else made.text)
            return
        (out,) = op.outs
        name = self.variable(out)
        self._settle({other for other, written in self._waiting.items() if name in written.reads})
        uses = self._uses.get(out.name, 0)
        if op.kind in FOLDED and uses == 1:
            self._waiting[name] = replace(made, test=_test(op, made.text))
        elif uses or op.kind not in ("elementwise", "cast", "select", "spread"):
            self._line(f"{name} = {made.text}")

    def _checked(self, op: Op) -> str:
        assert self._typed is not None
        text = self._indexed(op) if op.kind == "index" else self._value(op, op.outs[0].type if op.outs else None)
        if self._bounded(op) is None and may_grow(op) and self._looked.at(self._typed, op.outs[0]):
            self.as_written = False
            self._checks += 1
            held = f"t{self._checks}"
            return f"{held} if -{ONE_DIGIT} < ({held} := {text}) < {ONE_DIGIT} else wide({held})"
        return text

    def _elementwise(self, op: Op, kind: TensorType) -> str:
        if op.detail in ("**", np.square):  # an operand is written twice
            self._settle({self.variable(value) for value in op.args if isinstance(value, Lane)})
            self.as_written = False
        self.as_written = (
            self.as_written and op.detail != "u~" and (op.detail != "/" or all(_is_float(value) for value in op.args))
        )
        if op.detail in ("+", "-", "*", "/") and kind.dtype.kind == "f" and any(_is_float(a) for a in op.args):
            # Python converts the other operand as float() does.
            one, two = (self.operand(a) if isinstance(a, Lane) else self._as(a, kind) for a in op.args)
            return f"{one} {op.detail} {two}"
        return super()._elementwise(op, kind)

    def _bounded(self, op: Op) -> int | None:
        """What the result is at most, sign aside; None when that is not known or more than 63 bits."""
        if op.kind != "elementwise" or op.outs[0].type.dtype.kind != "i":
            return None
        known = [self._bound_of(value) for value in op.args]
        one, two = (*known, None)[:2]
        found = None
        if op.detail == "%" and isinstance(op.args[1], Const):
            found = two
        elif op.detail == "&":
            found = min(
                (b for v, b in zip(op.args, known, strict=True) if b is not None and _positive(v)), default=None
            )
        elif op.detail in ("+", "-", "*") and one is not None and two is not None:
            found = one * two if op.detail == "*" else one + two
        elif op.detail in ("//", "u-") or op.detail is np.absolute:
            found = one
        if found is None or found >> 63:
            return None
        self._bounds[op.outs[0].name] = found
        return found

    def _bound_of(self, value: Operand) -> int | None:
        if isinstance(value, Lane):
            return 1 if value.type.dtype.kind == "b" else self._bounds.get(value.name)
        return abs(value.value) if type(value.value) is int else None

    def _indexed(self, op: Op) -> str:
        """Lists are faster than arrays where numbers are read one by one."""
        base, *lanes = op.args
        table = base.value if isinstance(base, Const) else None
        if not isinstance(table, np.ndarray) or op.outs[0].type.shape or table.dtype.name not in self.dtypes:
            raise NotScalar(f"an array in line {op.position.line}")
        found = rebuilt_index(op.detail, [self.operand(lane) for lane in lanes])
        parts = found if isinstance(found, tuple) else (found,)
        if len(parts) != table.ndim or not all(isinstance(part, str | int) for part in parts):
            raise NotScalar(f"an array in line {op.position.line}")
        self.as_written = False
        return self.table(table, table.tolist()) + "".join(f"[{part}]" for part in parts)

    def _called(self, op: Op, *, tail: bool) -> str:
        callee: Typed = op.detail
        pairs = list(zip(op.args, callee.parameters, strict=True))
        self.as_written = self.as_written and all(_same_type(value, param.type) for value, param in pairs)
        # A call at the end needs no frame of the lane's.
        name = f"{self.name(callee)}_again" if tail and self.counted else self.name(callee)
        return f"{name}({', '.join(self._as(value, param.type) for value, param in pairs)})"

    def _expression(self, make: Any) -> Written:
        before, self._reads = self._reads, set()
        text = make()
        made = Written(text, frozenset(self._reads))
        self._reads = before
        return made

    def _settle(self, names: set[str]) -> None:
        """Write down now what waits under these names (of lanes or variables)."""
        for name in list(self._waiting):
            if name in names or any(self._variables.get((n, k)) == name for n in names for k in self.dtypes):
                self._line(f"{name} = {self._waiting.pop(name).text}")


def _uses(block: TypedBlock) -> dict[str, int]:
    """How often names are read in the block and on the way out of it."""
    found: dict[str, int] = {}
    read: list[Operand] = [value for op in block.ops for value in op.args]
    last = block.exit
    if isinstance(last, Return):
        read += last.values
    elif isinstance(last, Branch):
        read.append(last.condition)
    read += [move.value for jump in block.jumps() for move in jump.moves]
    for value in read:
        if isinstance(value, Lane):
            found[value.name] = found.get(value.name, 0) + 1
    return found


def _is_float(value: Operand) -> bool:
    return isinstance(value, Const) or value.type.dtype.kind == "f"


def _chosen(condition: str, then: list[str], other: list[str]) -> str:
    """Two sides that set the same variable, and nothing else, as one expression; "" when they do not."""
    if len(then) != 1 or len(other) != 1:
        return ""
    (target, _, one), (also, _, two) = (line[0].partition(" = ") for line in (then, other))
    if target != also or not target.isidentifier() or not one or not two:
        return ""
    if two == condition:
        return f"{target} = {condition} and {one}"
    if one == condition:
        return f"{target} = {condition} or {two}"
    if condition.startswith("not "):
        condition, one, two = condition[4:], two, one
    return f"{target} = {one} if {condition} else {two}"


def _test(op: Op, text: str) -> str:
    """Whole numbers that are compared with zero are conditions themselves."""
    if op.kind != "elementwise" or op.detail not in ("==", "!="):
        return ""
    one, two = op.args
    zero = isinstance(two, Const) and type(two.value) is int and two.value == 0
    if not zero or not isinstance(one, Lane) or one.type.dtype.kind != "i":
        return ""
    number = text.removesuffix(f" {op.detail} (0)")
    if number == text:
        return ""
    return number if op.detail == "!=" else f"not {number}"


def _merged(lines: list[str]) -> list[str]:
    """Without variables that are only there to be copied to the next."""
    found: list[str] = []
    used = Counter(name for line in lines for name in NAME.findall(line))
    for line in lines:
        copied = COPY.fullmatch(line)
        if copied and found and used[copied[3]] == 2 and found[-1].startswith(f"{copied[1]}{copied[3]} = "):
            found[-1] = f"{copied[1]}{copied[2]}{found[-1].removeprefix(copied[1] + copied[3])}"
        else:
            found.append(line)
    return found


def _positive(value: Operand) -> bool:
    return isinstance(value, Const) and value.value >= 0


def _same_type(value: Operand, kind: TensorType) -> bool:
    if isinstance(value, Lane):
        return value.type.dtype == kind.dtype
    return np.dtype(type(value.value)) == kind.dtype if isinstance(value.value, bool | int | float) else False
