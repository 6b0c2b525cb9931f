"""The programs that are batched: functions made of blocks, blocks made of instructions.

A `Module` holds functions; a `Program` is one of them to begin with and everything it calls. `Context.program` gives a
program as it was written, `Context.program_compiled` one with types, `Context.program_lowered` one in which calls have
become jumps that save what the caller needs. All of them print as text. They can be read, not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from operator_lib.autobatch.errors import Position

PROGRAM_COUNTER = "__program_counter__"


@dataclass(frozen=True, slots=True)
class TensorType:
    """Element type and shape of one example; the batch dimension is not part of it."""

    dtype: Any
    """A `numpy.dtype` (arrays of other libraries: its name in NumPy)."""
    shape: tuple[int, ...] = ()
    weak: bool = False
    """A Python number: it takes the type of what it meets, as in NumPy 2."""

    def __post_init__(self) -> None:
        import numpy

        object.__setattr__(self, "dtype", numpy.dtype(self.dtype))
        object.__setattr__(self, "shape", tuple(self.shape))

    def __str__(self) -> str:
        sizes = f"[{', '.join(map(str, self.shape))}]" if self.shape else ""
        return f"{self.dtype.name}{sizes}{'~' if self.weak else ''}"


@dataclass(frozen=True, slots=True)
class Type:
    """What a variable holds: a `TensorType`, or tuples of them, nested."""

    tensors: Any

    def __str__(self) -> str:
        return _pattern(self.tensors)


@dataclass(frozen=True, slots=True)
class PrimOp:
    """One operation on variables of the same frame."""

    vars_in: tuple[str, ...]
    vars_out: tuple[str, ...]
    function: str
    detail: Any = None
    position: Position | None = field(default=None, compare=False)

    def __str__(self) -> str:
        detail = "" if self.detail is None else f"[{_short(self.detail)}]"
        return f"{_outputs(self.vars_out)}{self.function}{detail}({', '.join(self.vars_in)})"


@dataclass(frozen=True, slots=True)
class FunctionCallOp:
    """A call of another function of the module."""

    function: str
    vars_in: tuple[str, ...]
    vars_out: tuple[str, ...]
    position: Position | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{_outputs(self.vars_out)}call {self.function}({', '.join(self.vars_in)})"


@dataclass(frozen=True, slots=True)
class PopOp:
    """Variables that are taken back from the caller's saved frame."""

    vars: tuple[str, ...]

    def __str__(self) -> str:
        return f"pop {', '.join(self.vars)}"


@dataclass(frozen=True, slots=True)
class BranchOp:
    """Lanes whose condition holds go one way, the others the other way."""

    cond_var: str
    true_block: str
    false_block: str

    def __str__(self) -> str:
        return f"branch {self.cond_var} ? {self.true_block} : {self.false_block}"


@dataclass(frozen=True, slots=True)
class GotoOp:
    """All lanes go on in one block; `None` is the end of the program."""

    block: str | None

    def __str__(self) -> str:
        return "halt" if self.block is None else f"goto {self.block}"


@dataclass(frozen=True, slots=True)
class PushGotoOp:
    """A lowered call: saves variables and where to come back to, goes to the callee's first block."""

    push_block: str
    goto_block: str
    vars_in: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()

    def __str__(self) -> str:
        saved, given = ", ".join(self.saved), ", ".join(self.vars_in)
        return f"push {self.push_block} saving ({saved}); goto {self.goto_block}({given})"


@dataclass(frozen=True, slots=True)
class IndirectGotoOp:
    """A return: goes back to the block that the caller pushed."""

    vars_in: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"return {', '.join(self.vars_in)}".rstrip()


@dataclass(frozen=True, slots=True)
class RaiseOp:
    """The lanes that arrive here raise."""

    vars_in: tuple[str, ...]
    exception: Any = field(compare=False)
    position: Position | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"raise ({', '.join(self.vars_in)})"


Instruction = PrimOp | FunctionCallOp | PopOp
Terminator = BranchOp | GotoOp | PushGotoOp | IndirectGotoOp | RaiseOp


def halt_op() -> GotoOp:
    """The end of a program."""
    return GotoOp(None)


@dataclass(slots=True)
class Block:
    """Instructions that run one after the other, and where the lanes go then."""

    name: str
    instructions: list[Instruction] = field(default_factory=list[Instruction])
    terminator: Terminator | None = None
    loop: bool = False
    """The head of a loop."""

    def successors(self) -> tuple[str, ...]:
        """Names of the blocks of the same function that may be next."""
        last = self.terminator
        if isinstance(last, BranchOp):
            return (last.true_block, last.false_block)
        if isinstance(last, PushGotoOp):
            return (last.push_block,)
        return (last.block,) if isinstance(last, GotoOp) and last.block is not None else ()

    def __str__(self) -> str:
        lines = [f"{self.name}:", *(f"  {op}{_source(op)}" for op in self.instructions), f"  {self.terminator}"]
        return "\n".join(lines)


@dataclass(slots=True)
class ControlFlowGraph:
    """The blocks of a function; the first is where it begins."""

    blocks: list[Block] = field(default_factory=list[Block])

    def block(self, name: str) -> Block:
        """The block of that name; KeyError when there is none."""
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)

    def __str__(self) -> str:
        return "\n".join(map(str, self.blocks))


@dataclass(slots=True)
class Function:
    """Blocks with parameters and results."""

    name: str
    graph: ControlFlowGraph
    vars_in: tuple[str, ...]
    vars_out: tuple[str, ...] = ()
    type_inference: Callable[[list[Any]], Any] | None = None

    def __str__(self) -> str:
        body = "\n".join("  " + line for line in str(self.graph).splitlines())
        return f"function {self.name}({', '.join(self.vars_in)}):\n{body}"


@dataclass(slots=True)
class Program:
    """A function to begin with and all that it may call."""

    main: str
    functions: Mapping[str, Function]
    vars_in: tuple[str, ...]
    vars_out: tuple[str, ...]
    var_defs: Mapping[str, Type] = field(default_factory=dict[str, Type])
    """What each variable holds; empty until types are inferred."""
    var_alloc: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each variable lives: ``temporary`` (one block), ``register`` (moves on), ``stack`` (saved in a frame)."""

    @property
    def graph(self) -> ControlFlowGraph:
        """One block: the call of `main`."""
        call = FunctionCallOp(self.main, self.vars_in, self.vars_out)
        return ControlFlowGraph([Block("start", [call], halt_op())])

    def __str__(self) -> str:
        parts = [f"program {self.main}({', '.join(self.vars_in)})"]
        for name, kind in self.var_defs.items():
            parts.append(f"  var {name}: {kind}  {self.var_alloc.get(name, '')}".rstrip())
        return "\n".join([*parts, *map(str, self.functions.values())])


@dataclass(slots=True)
class Module:
    """The functions that a `Context` knows."""

    functions: Mapping[str, Function]

    def program(self, main: str) -> Program:
        """The program that begins with `main`; ValueError when there is no such function."""
        if main not in self.functions:
            known = ", ".join(self.functions) or "none"
            raise ValueError(f"Function {main} not found: it was not decorated in this Context (decorated: {known}).")
        start = self.functions[main]
        return Program(main, reached(self.functions, main), start.vars_in, start.vars_out)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.functions.values()))


def reached(functions: Mapping[str, Function], main: str) -> dict[str, Function]:
    """`main` and the functions of the module that it calls, directly or not."""
    found: dict[str, Function] = {}
    waiting = [main]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = functions[name]
        for block in functions[name].graph:
            calls = [op.function for op in block.instructions if isinstance(op, FunctionCallOp)]
            waiting += [callee for callee in calls if callee in functions]
    return found


def _outputs(names: tuple[str, ...]) -> str:
    return f"{', '.join(names)} = " if names else ""


def _short(detail: Any) -> str:
    text = str(detail)
    return text if len(text) <= 40 else text[:37] + "..."


def _source(op: Instruction) -> str:
    position = getattr(op, "position", None)
    return "" if position is None else f"  # line {position.line}"


def _pattern(tensors: Any) -> str:
    if isinstance(tensors, Mapping):
        return "{" + ", ".join(f"{key}: {_pattern(item)}" for key, item in tensors.items()) + "}"
    if isinstance(tensors, tuple | list):
        return f"({', '.join(map(_pattern, tensors))})"
    return str(tensors)
