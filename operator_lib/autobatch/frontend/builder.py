"""Blocks under construction, and the shape (loops, branches) that they came from."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operator_lib.autobatch.errors import CompileError, Position
from operator_lib.autobatch.frontend.refused import why_not
from operator_lib.autobatch.frontend.source import Source
from operator_lib.autobatch.instructions import (
    Block,
    BranchOp,
    ControlFlowGraph,
    GotoOp,
    PrimOp,
    Terminator,
)

# A tree of ("block", name), ("if", then, else), ("loop", body), ("break",), ("continue",).
Shape = list[tuple[Any, ...]]
# Line and column of a loop in the source of its function.
Place = tuple[int, int]


@dataclass(slots=True)
class Loop:
    """Where break and continue lead."""

    head: str
    after: str
    depth: int
    """How many loops of the shape are open around its body."""


@dataclass(slots=True)
class Builder:
    """One function on its way from tree to blocks."""

    source: Source
    names: set[str]
    graph: ControlFlowGraph = field(default_factory=ControlFlowGraph)
    current: Block | None = None
    loops: list[Loop] = field(default_factory=list[Loop])
    shape: Shape = field(default_factory=Shape)
    structured: bool = True
    """Whether every jump can be written as break or continue of the innermost loop."""
    open_loops: int = 0
    rounds: Mapping[Place, int] = field(default_factory=dict[Place, int])
    """Loops that are written out, one copy of the body a round: their items are of several kinds."""
    _temporaries: int = 0
    _blocks: int = 0

    def at(self, node: ast.AST) -> Position:
        return self.source.position(node)

    def refuse(self, node: ast.AST, message: str = "", hint: str = "") -> CompileError:
        """The error for what cannot be batched."""
        if not message:
            message, hint = why_not(node)
        return CompileError(message, self.at(node), hint)

    def temporary(self) -> str:
        self._temporaries += 1
        return f"%{self._temporaries}"

    def new_block(self, what: str, *, loop: bool = False) -> Block:
        """A block that nothing leads to yet; it is placed when it is begun."""
        self._blocks += 1
        return Block(f"{what}{self._blocks}", loop=loop)

    def begin(self, block: Block) -> None:
        """What follows goes into `block`."""
        self.graph.blocks.append(block)
        self.shape.append(("block", block.name))
        self.current = block

    def end(self, terminator: Terminator) -> None:
        """The block is complete; code after it is unreachable until another begins."""
        if self.current is not None:
            self.current.terminator = terminator
        self.current = None

    def goto(self, block: Block | str) -> None:
        self.end(GotoOp(block if isinstance(block, str) else block.name))

    def branch(self, condition: str, true: Block, false: Block) -> None:
        self.end(BranchOp(condition, true.name, false.name))

    def emit(self, function: str, inputs: tuple[str, ...], node: ast.AST, detail: Any = None, out: str = "") -> str:
        """Append an operation; gives the name of its result."""
        out = out or self.temporary()
        if self.current is not None:
            self.current.instructions.append(PrimOp(inputs, (out,), function, detail, self.at(node)))
        return out

    def jump(self, kind: str, loop: Loop) -> None:
        """Break out of a loop or go on with its next round."""
        if self.current is None:
            return
        if loop.depth != self.open_loops:
            self.structured = False
        self.shape.append((kind,))
        self.goto(loop.after if kind == "break" else loop.head)
