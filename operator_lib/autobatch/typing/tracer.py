"""One block, read with what is known of its variables: gives typed operations and tells what flows on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from operator_lib.autobatch.errors import CompileError, Position
from operator_lib.autobatch.frontend.liveness import live_after
from operator_lib.autobatch.instructions import Block, BranchOp, GotoOp, IndirectGotoOp, PrimOp, RaiseOp, TensorType
from operator_lib.autobatch.typing.engine import Engine, Instance
from operator_lib.autobatch.typing.joins import type_of
from operator_lib.autobatch.typing.ops import Branch, Exit, Jump, Move, Op, Operand, Raise, Return
from operator_lib.autobatch.typing.stand_ins import Unsuitable
from operator_lib.autobatch.typing.values import (
    BOOL,
    REFERENCE,
    Alias,
    Const,
    Lane,
    Maybe,
    Method,
    Rec,
    Tup,
    Value,
    is_boxed,
    leaves,
    opened,
    rename,
)


class Tracer:
    """Reads a block; `emit` and `fail` are what the rules for single instructions work with."""

    def __init__(self, engine: Engine, instance: Instance, block: Block) -> None:
        self.engine, self.instance, self.block = engine, instance, block
        self.code = instance.code
        self.ops: list[Op] = []
        self.env: dict[str, Value] = {}
        self.position: Position = self._begin()
        self.path: tuple[Any, ...] = ()
        """Where this is, inside of functions that are written into their caller: tells alias classes apart."""
        self.index = 0
        self.home = block.name
        """The block that is read; `block` may be one of a function that is written into it."""
        self._count = 0
        self._arrays: Counter[Any] = Counter()
        """How many arrays each instruction has made: the same number each time that the block is read."""

    def _begin(self) -> Position:
        """Where the block stands; one without instructions, where it leads to."""
        blocks, seen = [self.block], set[str]()
        while blocks:
            block = blocks.pop(0)
            found = next((op.position for op in block.instructions if isinstance(op, PrimOp) and op.position), None)
            if found is not None:
                return found
            seen.add(block.name)
            blocks += [self.code.graph.block(name) for name in block.successors() if name not in seen]
        return self.code.source.position(self.code.source.node)

    def run(self, env: dict[str, Value] | None = None) -> tuple[list[Op], Exit]:
        """Read the block from what flows into it; gives what it does and how it ends."""
        from operator_lib.autobatch.typing.rules import RULES

        block = self.block
        self.env = dict(self.instance.entry[block.name] if env is None else env)
        for self.index, op in enumerate(block.instructions):
            assert isinstance(op, PrimOp)
            assert op.position is not None
            self.position = op.position
            RULES[op.function](self, op)
        return self.ops, self._exit()

    def _exit(self) -> Exit:
        last = self.block.terminator
        if isinstance(last, BranchOp):
            condition = self.truth(self.env[last.cond_var])
            if isinstance(condition, Const):
                return self._jump(last.true_block if condition.value else last.false_block)
            return Branch(condition, self._jump(last.true_block), self._jump(last.false_block))
        if isinstance(last, GotoOp):
            assert last.block is not None
            return self._jump(last.block)
        if isinstance(last, RaiseOp):
            return self._raise(last)
        assert isinstance(last, IndirectGotoOp)
        value = self.env[last.vars_in[0]]
        self.kept(value)
        self.engine.returned(self.instance, value, self.position)
        result = self.instance.typed.result if self.engine.final else None
        return Return(() if result is None else tuple(m.value for m in self.moves(result, value)))

    def _jump(self, target: str) -> Jump:
        if not self.engine.final:
            self._shared_across(target)
            self.engine.flow(self.instance, target, self.env, self.position)
            return Jump(target, ())
        moves: list[Move] = []
        for name, wanted in self.instance.entry[target].items():
            moves += self.moves(rename(wanted, name, boxes=True), self.env.get(name))
        return Jump(target, tuple(moves))

    def _shared_across(self, target: str) -> None:
        """Two variables that go on hold one array: from there on they cannot be told to be the same."""
        seen: dict[str, Lane] = {}
        records_seen: dict[int, Rec] = {}
        for name in self.code.live[target]:
            value = self.env.get(name)
            if value is None:
                continue
            for leaf in leaves(value):
                if leaf.alias is not None and leaf.name in seen:
                    leaf.alias.note(shared=self.position)
                seen[leaf.name] = leaf
            for rec in records(value):
                if id(rec) in records_seen:
                    rec.alias.note(shared=self.position)
                records_seen[id(rec)] = rec

    def _raise(self, last: RaiseOp) -> Raise:
        compiled, names = last.exception
        values = [self.env[name] for name in last.vars_in]
        for value in values:
            self.kept(value)
        spread = [self.unboxed(leaf) for value in values for leaf in leaves(value)]
        code = self.code

        def make(*found: Any) -> BaseException:
            numbers = iter(found)
            local = {name: rebuilt(v, lambda _: next(numbers)) for name, v in zip(names, values, strict=True)}
            outer = {n: code.outside(n) for n in code.function.__code__.co_freevars if n not in local}
            made = eval(compiled, code.function.__globals__, {**outer, **local})
            return made() if isinstance(made, type) else made

        assert last.position is not None
        return Raise(tuple(spread), make, last.position)

    # ---- for the rules -------------------------------------------------------------------------------------------

    def fail(self, message: str, hint: str = "") -> CompileError:
        return CompileError(message, self.position, hint)

    def set(self, op: PrimOp, value: Value) -> None:
        """The instruction's result."""
        self.bind(op.vars_out[0], value)

    def bind(self, name: str, value: Value) -> None:
        self.env[name] = value

    def fresh(self, kind: TensorType, *, view_of: Lane | None = None) -> Lane:
        """A new part of a variable; an array gets its class of arrays that may be the same."""
        self._count += 1
        alias: Alias | None = None
        if kind.shape:
            if view_of is not None and view_of.alias is not None:
                return Lane(kind, f"${self._count}", view_of.alias, view=True)
            place = (self.block.name, self.index, self.path)
            self._arrays[place] += 1
            alias = self.instance.alias((*place, self._arrays[place]))
        return Lane(kind, f"${self._count}", alias)

    def emit(
        self, kind: str, args: Iterable[Operand], out: TensorType, detail: Any = None, *, view_of: Lane | None = None
    ) -> Lane:
        """Append an operation with one result. Arrays that others may write to are read, and new ones placed."""
        result = self.fresh(out, view_of=view_of)
        operands = tuple(self.unboxed(a) if isinstance(a, Lane) else a for a in args)
        self.ops.append(Op(kind, operands, (result,), detail, self.position))
        return self.boxed(result)

    def emit_peek(self, base: Lane, lanes: list[Lane], out: TensorType, pattern: Any) -> Lane:
        """Read one number of an array in its heap."""
        result = self.fresh(out)
        operands = (replace(base, type=REFERENCE), *(self.unboxed(lane) for lane in lanes))
        self.ops.append(Op("peek", operands, (result,), (heap_of(base), pattern), self.position))
        return result

    def emit_choice(self, condition: Lane, one: Operand, two: Operand, either: Lane) -> Lane:
        """One of two arrays in the same heap."""
        assert isinstance(one, Lane)
        assert isinstance(two, Lane)
        self._count += 1
        result = replace(either, name=f"${self._count}", boxed=True)
        self.ops.append(Op("select", (condition, self.boxed(one), self.boxed(two)), (result,), None, self.position))
        return result

    def effect(self, kind: str, args: Iterable[Operand], detail: Any) -> None:
        """Append an operation without a result."""
        self.ops.append(Op(kind, tuple(args), (), detail, self.position))

    def boxed(self, lane: Lane) -> Lane:
        """The same array in its heap, if its class has one."""
        if not (self.engine.final and lane.alias is not None and is_boxed(lane.alias)) or lane.boxed or lane.view:
            return lane
        self._count += 1
        result = replace(lane, name=f"${self._count}", boxed=True)
        self.ops.append(Op("box", (lane,), (result,), heap_of(lane), self.position))
        return result

    def unboxed(self, lane: Lane) -> Lane:
        """The array itself."""
        if not lane.boxed:
            return lane
        self._count += 1
        result = Lane(lane.type, f"${self._count}", lane.alias)
        self.ops.append(Op("unbox", (replace(lane, type=REFERENCE),), (result,), heap_of(lane), self.position))
        return result

    def typed_of(self, value: Value, what: str) -> TensorType:
        """The tensor type of a number or array, or an error that says what was needed."""
        found = type_of(value)
        if found is None:
            from operator_lib.autobatch.typing.joins import described

            raise self.fail(f"{what} needs numbers or arrays, not {described(value)}")
        return found

    def cast(self, value: Operand, kind: TensorType) -> Operand:
        """The same number in another type."""
        if isinstance(value, Const):
            return Const(self.constant_as(value.value, kind))
        if value.type == kind:
            return value
        if value.type.dtype == kind.dtype and value.type.shape == kind.shape:
            return replace(value, type=kind)
        return self.emit("cast", (value,), kind)

    def constant_as(self, value: Any, kind: TensorType) -> Any:
        if kind.weak:
            return {"b": bool, "i": int, "f": float, "c": complex}[kind.dtype.kind](value)
        made = np.asarray(value, kind.dtype)
        return made if made.ndim else made[()]

    def truth(self, value: Value) -> Const | Lane:
        """What `if` asks of a value."""
        if isinstance(value, Const):
            return Const(bool(value.value))
        if isinstance(value, Tup | Rec):
            return Const(bool(value.items))
        if not isinstance(value, Lane):
            return Const(True)
        if value.type.shape:
            if int(np.prod(value.type.shape)) != 1:
                raise self.fail(
                    f"the truth of an array of shape {list(value.type.shape)} is not defined",
                    "Say which: np.any(...) or np.all(...).",
                )
            value = self.emit("reshape", (value,), TensorType(value.type.dtype), ())
        return value if value.type.dtype.kind == "b" else self.emit("elementwise", (value, Const(0)), BOOL, "!=")

    def check(self, bad: Lane, kind: type[BaseException], text: str) -> None:
        """The lanes for which `bad` holds raise."""
        self.effect("raise_if", (bad,), (kind, text))

    def moves(self, target: Value, value: Value | None) -> list[Move]:
        """How the parts of `target` get their values."""
        if isinstance(target, Maybe):
            inner = value.inner if isinstance(value, Maybe) else value
            flag: Operand = value.flag if isinstance(value, Maybe) else Const(value is not None)
            return [*self.moves(target.inner, inner), Move(target.flag, flag)]
        if value is None:
            return [Move(lane, self._placeholder(lane)) for lane in leaves(target)]
        if isinstance(target, Lane):
            return [Move(target, self._fitted(value, target))]
        value = opened(value)
        if isinstance(target, Tup) and isinstance(value, Tup):
            pairs = zip(target.items, value.items, strict=True)
            return [move for one, two in pairs for move in self.moves(one, two)]
        if isinstance(target, Rec) and isinstance(value, Rec):
            pairs = zip(target.items, value.items, strict=True)
            return [move for (_, one), (_, two) in pairs for move in self.moves(one, two)]
        if isinstance(target, Method) and isinstance(value, Method):
            return self.moves(target.owner, value.owner)
        return []

    def _placeholder(self, lane: Lane) -> Operand:
        return Const(0) if lane.boxed else Const(np.zeros(lane.type.shape, lane.type.dtype)[()])

    def _fitted(self, value: Value, target: Lane) -> Operand:
        assert isinstance(value, Const | Lane)
        if isinstance(value, Lane) and value.boxed == target.boxed and value.type == target.type:
            return value
        plain = self.cast(self.unboxed(value) if isinstance(value, Lane) else value, target.type)
        if not target.boxed:
            return plain
        lane = plain if isinstance(plain, Lane) else self.emit("spread", (plain,), target.type)
        return self.boxed(replace(lane, alias=target.alias, view=False, boxed=False)) if not lane.boxed else lane

    def run_stand_ins(self, function: Callable[..., Any], build: Any, what: str) -> Any:
        """The result for one example, or an error in the words of what refused it."""
        try:
            return self.engine.stand_ins.run(function, build)
        except Unsuitable as error:
            raise self.fail(f"{what}: {error}") from error

    # ---- which names hold the same array -------------------------------------------------------------------------

    def shared_by(self, value: Value, besides: str = "") -> None:
        """`value` gets another name (or place): note it if a name that is used later holds the same object."""
        if not any(lane.alias for lane in leaves(value)) and not isinstance(value, Rec):
            return
        held = {lane.name for lane in leaves(value) if lane.alias is not None}
        later = live_after(self.code.graph, self.code.live, self.block, self.index)
        for name in later:
            other = self.env.get(name)
            if name == besides or other is None:
                continue
            if held & {lane.name for lane in leaves(other)} or any(other is rec for rec in records(value)):
                note(value, self.position)

    def kept(self, value: Value) -> None:
        """A view is kept in a variable, container or result."""
        for lane in leaves(value):
            if lane.view and lane.alias is not None:
                lane.alias.note(viewed=self.position)

    def replaced(self, old: Value, new: Value) -> None:
        """After a write: every variable that holds `old` holds `new`."""
        for name, value in self.env.items():
            self.env[name] = _substituted(value, old, new)


def heap_of(lane: Lane) -> Any:
    assert lane.alias is not None
    return (lane.alias.root(), lane.type)


def note(value: Value, position: Position) -> None:
    for lane in leaves(value):
        if lane.alias is not None:
            lane.alias.note(shared=position)
    for rec in records(value):
        rec.alias.note(shared=position)


def records(value: Value) -> list[Rec]:
    """The dicts inside."""
    if isinstance(value, Rec):
        return [value, *(rec for _, item in value.items for rec in records(item))]
    return [rec for item in value.items for rec in records(item)] if isinstance(value, Tup) else []


def rebuilt(value: Value, leaf: Callable[[Lane], Any]) -> Any:
    """The Python object that `value` describes, for one example (or, with arrays as leaves, for the batch)."""
    if isinstance(value, Lane):
        return leaf(value)
    if isinstance(value, Tup):
        items = [rebuilt(item, leaf) for item in value.items]
        if value.kind in (tuple, list):
            return value.kind(items)
        return value.kind(*items)
    if isinstance(value, Rec):
        return {key: rebuilt(item, leaf) for key, item in value.items}
    if isinstance(value, Maybe):
        found = rebuilt(value.inner, leaf)
        leaf(value.flag)
        return found
    if isinstance(value, Method):
        return getattr(rebuilt(value.owner, leaf), value.name)
    return value.value


def _substituted(value: Value, old: Value, new: Value) -> Value:
    if value is old or (isinstance(value, Lane) and isinstance(old, Lane) and value.name == old.name):
        return new
    if isinstance(value, Tup):
        items = tuple(_substituted(item, old, new) for item in value.items)
        return value if all(a is b for a, b in zip(items, value.items, strict=True)) else Tup(items, value.kind)
    if isinstance(value, Rec):
        pairs = tuple((key, _substituted(item, old, new)) for key, item in value.items)
        same = all(a is b for (_, a), (_, b) in zip(pairs, value.items, strict=True))
        return value if same else Rec(pairs, value.alias)
    return value
