"""Typed programs: what the machines run. Every operand is a constant or the name of a part of a variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from operator_lib.autobatch.errors import Position
from operator_lib.autobatch.frontend.code import Code
from operator_lib.autobatch.typing.values import Const, Lane, Value

Operand = Const | Lane


@dataclass(slots=True)
class Op:
    """One operation on the values of one example.

    Kinds: ``elementwise`` (detail: operator symbol, or a function on scalars), ``cast``, ``select``, ``index`` (detail:
    pattern), ``store`` (pattern), ``library`` (detail: `Library`), ``each`` (a function called example by example),
    ``raise_if`` (detail: exception type and text), ``call`` (detail: `Callee`), ``box``, ``unbox``,
    ``peek``, ``poke`` (arrays in a heap).
    """

    kind: str
    args: tuple[Operand, ...]
    outs: tuple[Lane, ...]
    detail: Any
    position: Position


@dataclass(frozen=True, slots=True)
class Library:
    """A call of somebody's function: the function, and how its arguments are made of the operands."""

    function: Callable[..., Any]
    name: str
    build: Callable[[Callable[[int], Any]], tuple[list[Any], dict[str, Any]]]
    """Given what gives the operand of a number, the arguments."""
    key: Any
    """What tells two ways to build apart."""


@dataclass(frozen=True, slots=True)
class Move:
    """A parameter of the next block gets a value."""

    target: Lane
    value: Operand


@dataclass(frozen=True, slots=True)
class Jump:
    block: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    condition: Lane
    true: Jump
    false: Jump


@dataclass(frozen=True, slots=True)
class Return:
    values: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Raise:
    """`make` gives the exception from the values of the operands for one example."""

    args: tuple[Operand, ...]
    make: Callable[..., BaseException]
    position: Position


Exit = Jump | Branch | Return | Raise


def jumps_of(last: object) -> tuple[Jump, ...]:
    """The ways from the end of a block to others of its function."""
    if isinstance(last, Jump):
        return (last,)
    return (last.true, last.false) if isinstance(last, Branch) else ()


@dataclass(slots=True)
class TypedBlock:
    name: str
    params: tuple[Lane, ...]
    ops: list[Op] = field(default_factory=list[Op])
    exit: Exit | None = None
    loop: bool = False

    def jumps(self) -> tuple[Jump, ...]:
        return jumps_of(self.exit)


@dataclass(slots=True)
class Typed:
    """One function for one set of argument types."""

    name: str
    code: Code
    number: int
    """Tells functions of the same name apart."""
    parameters: tuple[Lane, ...] = ()
    blocks: dict[str, TypedBlock] = field(default_factory=dict[str, TypedBlock])
    """In source order; the first is where it begins."""
    result: Value | None = None
    """What it returns; the leaves are in the order of `Return.values`."""

    @property
    def label(self) -> str:
        return self.name if not self.number else f"{self.name}.{self.number}"
