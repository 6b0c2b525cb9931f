"""Types of a whole program: every function for every set of argument types that reaches it, to a fixed point."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from operator_lib.autobatch.errors import CompileError, Position
from operator_lib.autobatch.frontend.code import Code
from operator_lib.autobatch.typing.joins import Conflict, join, type_of
from operator_lib.autobatch.typing.ops import Typed, TypedBlock
from operator_lib.autobatch.typing.stand_ins import StandIns
from operator_lib.autobatch.typing.values import (
    BOOL,
    Alias,
    Const,
    Lane,
    Maybe,
    Rec,
    Tup,
    Value,
    aliases,
    contents,
    is_boxed,
    leaves,
    rename,
    signature,
)

MOST_INSTANCES = 64


class Pending(Exception):
    """The result of a call is not known yet: the block is looked at again when it is."""


class WrittenOut(Exception):
    """A loop over what is of several kinds: types are found anew with its rounds written out."""

    def __init__(self, function: types.FunctionType, place: tuple[int, int], rounds: int) -> None:
        super().__init__(function, place, rounds)
        self.function, self.place, self.rounds = function, place, rounds


@dataclass(slots=True, eq=False)
class Instance:
    """A function with its argument types, while they are found."""

    code: Code
    typed: Typed
    entry: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])
    """Block -> variable -> what is known of it there."""
    result: Value | None = None
    callers: set[tuple[Instance, str]] = field(default_factory=set["tuple[Instance, str]"])
    made: dict[Any, Alias] = field(default_factory=dict[Any, Alias])
    """Instruction -> the class of the arrays that it makes."""
    position: Position | None = None

    def alias(self, key: Any) -> Alias:
        return self.made.setdefault(key, Alias())


class Engine:
    """Finds the types of a program, and writes it down with them."""

    def __init__(
        self,
        translate: Callable[[types.FunctionType], Code],
        stand_ins: StandIns,
        registered: Callable[[Any], types.FunctionType | None],
        *,
        strict: bool = False,
    ) -> None:
        self.strict = strict
        self.translate = translate
        self.stand_ins = stand_ins
        self.registered = registered
        """Gives the plain function of a batched one, or None."""
        self.instances: dict[Any, Instance] = {}
        self.final = False
        self.opened: list[types.FunctionType] = []
        """Functions whose blocks are being written into their caller's."""
        self.names_read: dict[tuple[types.FunctionType, str], tuple[Code, Any]] = {}
        self.attributes_read: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.looked_into: dict[int, tuple[Any, Any]] = {}
        """Arrays, lists, dicts, sets of which something has become part of the program, and what was in them."""
        self._waiting: dict[tuple[Instance, str], None] = {}

    def read_name(self, code: Code, name: str, value: Any) -> None:
        """The program holds only as long as this global or closed-over name has this value."""
        self.names_read[(code.function, name)] = (code, value)

    def read_attribute(self, owner: Any, name: str, value: Any) -> None:
        """The program holds only as long as this attribute has this value."""
        self.attributes_read[(id(owner), name)] = (owner, value)

    def look_into(self, *values: Value) -> None:
        """The program holds only as long as the same is in these constants."""
        for value in values:
            if isinstance(value, Tup):
                self.look_into(*value.items)
            elif isinstance(value, Const) and isinstance(value.value, np.ndarray | list | dict | set):
                self.looked_into[id(value.value)] = (value.value, contents(value.value))

    def program(self, function: types.FunctionType, arguments: dict[str, Value]) -> tuple[Typed, list[Typed]]:
        """The typed function to begin with, and all functions of the program."""
        main = self.instance(self.translate(function), arguments, None)
        self._settle()
        if main.result is None:
            raise CompileError(
                f"{main.code.name}() never returns", main.code.source.position(main.code.source.node), "Add a return."
            )
        self._check_aliases()
        self.final = True
        for instance in self.instances.values():
            self._write(instance)
        self._waiting.clear()
        return main.typed, [instance.typed for instance in self.instances.values() if instance.result is not None]

    def instance(self, code: Code, arguments: dict[str, Value], caller: tuple[Instance, str] | None) -> Instance:
        """The function for arguments of these types; looked at later when it is new."""
        key = (code.function, tuple(signature(value) for value in arguments.values()))
        found = self.instances.get(key)
        same = [i for i in self.instances.values() if i.code.function is code.function]
        if found is None:
            if len(same) >= MOST_INSTANCES:
                raise CompileError(
                    f"{code.name}() is called with ever new types of arguments",
                    code.source.position(code.source.node),
                    "Recursion must pass on tuples of the same length and arrays of the same shape.",
                )
            # Other functions may have that name, too: every operator's is `forward`.
            named = sum(instance.code.name == code.name for instance in self.instances.values())
            found = Instance(code, Typed(code.name, code, named))
            self.instances[key] = found
            given = {name: _classed(rename(value, name)) for name, value in arguments.items()}
            found.entry[code.graph.blocks[0].name] = given
            self.look(found, code.graph.blocks[0].name)
        else:
            first = found.entry[code.graph.blocks[0].name]
            for name, value in arguments.items():
                unify(first[name], value)
        if caller is not None:
            found.callers.add(caller)
        return found

    def on_stack(self, code: Code, caller: Instance) -> bool:
        """Whether `code` is being called, directly or not, by itself."""
        seen: set[Instance] = set()
        waiting = [caller]
        while waiting:
            instance = waiting.pop()
            if instance.code.function is code.function:
                return True
            if instance not in seen:
                seen.add(instance)
                waiting += [other for other, _ in instance.callers]
        return False

    def look(self, instance: Instance, block: str) -> None:
        """The block must be read (again)."""
        self._waiting[(instance, block)] = None

    def _settle(self) -> None:
        from operator_lib.autobatch.typing.tracer import Tracer

        while self._waiting:
            instance, name = next(iter(self._waiting))
            del self._waiting[(instance, name)]
            try:
                Tracer(self, instance, instance.code.graph.block(name)).run()
            except Pending:
                continue

    def flow(self, instance: Instance, target: str, env: dict[str, Value], position: Position) -> None:
        """Control may come to the block `target` with these variables."""
        wanted = instance.code.live[target]
        known = instance.entry.get(target)
        coming = {name: env[name] for name in sorted(wanted) if name in env}
        if known is None:
            instance.entry[target] = {name: rename(value, name) for name, value in coming.items()}
            self.look(instance, target)
            return
        changed = False
        for name in sorted(wanted):
            old, new = known.get(name), coming.get(name)
            if old is None and new is None:
                continue
            try:
                joined = _partly(old, new) if old is None or new is None else join(old, new)
            except Conflict as conflict:
                what = name if not name.startswith("%") else "the value"
                raise CompileError(
                    f"{what} {conflict}", position, "A variable must have one type wherever paths meet."
                ) from None
            joined = rename(joined, name)
            if old is None or signature(joined) != signature(old):
                known[name], changed = joined, True
        if changed:
            self.look(instance, target)

    def returned(self, instance: Instance, value: Value, position: Position) -> None:
        """The function may return this."""
        old = instance.result
        try:
            new = value if old is None else join(old, value)
        except Conflict as conflict:
            raise CompileError(
                f"what {instance.code.name}() returns {conflict}", position, "Return the same kind of value everywhere."
            ) from None
        new = rename(new, "return")
        if old is None or signature(new) != signature(old):
            instance.result = new
            for caller, block in instance.callers:
                self.look(caller, block)

    def _check_aliases(self) -> None:
        for alias in self._all_aliases():
            if alias.stored is not None and alias.viewed is not None:
                raise CompileError(
                    f"this may be a view of an array that is written to in line {alias.stored.line}",
                    alias.viewed,
                    "Keep a copy (.copy()), or index the array itself where it is read and written.",
                )
            if alias.stored is not None and alias.other:
                raise CompileError(
                    f"what is written to here may be {alias.other}",
                    alias.stored,
                    "Write to a copy of one type: x = x.copy(), or x = x.astype(float).",
                )
        for instance in self.instances.values():
            for env in instance.entry.values():
                for value in env.values():
                    _check_dicts(value)

    def _all_aliases(self) -> list[Alias]:
        found: dict[int, Alias] = {}
        for instance in self.instances.values():
            for alias in instance.made.values():
                found[id(alias.root())] = alias.root()
            for env in instance.entry.values():
                for value in env.values():
                    for alias in aliases(value):
                        found[id(alias.root())] = alias.root()
        return list(found.values())

    def _write(self, instance: Instance) -> None:
        """Read every block once more, now that all types are known, and keep what was written down."""
        from operator_lib.autobatch.typing.tracer import Tracer

        typed, code = instance.typed, instance.code
        if instance.result is None:
            return
        typed.result = rename(instance.result, "return", boxes=True)
        for block in code.graph:
            env = instance.entry.get(block.name)
            if env is None:
                continue
            bound = {name: rename(value, name, boxes=True) for name, value in env.items()}
            params = tuple(leaf for value in bound.values() for leaf in leaves(value))
            made = TypedBlock(block.name, params, loop=block.loop)
            try:
                made.ops, made.exit = Tracer(self, instance, block).run(bound)
            except Pending:
                continue
            typed.blocks[block.name] = made
        _drop_unreached(typed)
        typed.parameters = next(iter(typed.blocks.values())).params


def _drop_unreached(typed: Typed) -> None:
    found: set[str] = set()
    waiting = [next(iter(typed.blocks))]
    while waiting:
        name = waiting.pop()
        if name in typed.blocks and name not in found:
            found.add(name)
            waiting += [jump.block for jump in typed.blocks[name].jumps()]
    typed.blocks = {name: block for name, block in typed.blocks.items() if name in found}


def _classed(value: Value) -> Value:
    """Arrays from outside get a class of their own."""
    if isinstance(value, Lane) and value.type.shape and value.alias is None:
        return replace(value, alias=Alias())
    if isinstance(value, Tup):
        return Tup(tuple(map(_classed, value.items)), value.kind)
    if isinstance(value, Rec):
        return Rec(tuple((key, _classed(item)) for key, item in value.items), value.alias)
    return value


def unify(one: Value, two: Value) -> None:
    """Arrays at the same places may be the same."""
    for a, b in zip(aliases(one), aliases(two), strict=False):
        a.join(b)


def generalised(value: Value) -> Value:
    """Numbers become unknown numbers of their type."""
    if isinstance(value, Const) and isinstance(value.value, bool | int | float | complex):
        kind = type_of(value)
        return Lane(kind) if kind is not None else value
    if isinstance(value, Tup):
        return Tup(tuple(map(generalised, value.items)), value.kind)
    return value


def _partly(old: Value | None, new: Value | None) -> Value:
    """A variable that not all paths assign."""
    value = old if old is not None else new
    assert value is not None
    return value if isinstance(value, Maybe) else Maybe(value, Lane(BOOL))


def _check_dicts(value: Value) -> None:
    if isinstance(value, Rec):
        alias = value.alias
        if is_boxed(alias) and alias.shared is not None:
            raise CompileError(
                "a second name for a dict that is written to cannot be batched",
                alias.shared,
                "Return the changed dict and assign it: state = update(state, x).",
            )
        for _, item in value.items:
            _check_dicts(item)
    elif isinstance(value, Tup):
        for item in value.items:
            _check_dicts(item)
