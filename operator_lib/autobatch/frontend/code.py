"""A function as blocks, with what it needs from around it."""

from __future__ import annotations

import builtins
import inspect
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operator_lib.autobatch.errors import CompileError
from operator_lib.autobatch.frontend.builder import Builder, Place, Shape
from operator_lib.autobatch.frontend.liveness import live_on_entry
from operator_lib.autobatch.frontend.scope import own_names
from operator_lib.autobatch.frontend.source import Source, read
from operator_lib.autobatch.frontend.statements import statements
from operator_lib.autobatch.instructions import Block, ControlFlowGraph, IndirectGotoOp


@dataclass(slots=True)
class Code:
    """What the source of a function says."""

    function: Any
    """The plain function (typed `Any`: a function in a field would read as a method)."""
    source: Source
    signature: inspect.Signature
    graph: ControlFlowGraph
    shape: Shape | None
    """The loops and branches that the blocks came from; None when they cannot be written as such again."""
    live: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Block -> variables that are read in it or after it before they are assigned."""

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(self.signature.parameters)

    def outside(self, name: str) -> Any:
        """The value, now, of a name that the function does not assign; KeyError when there is none."""
        function = self.function
        if name in function.__code__.co_freevars:
            cells: Any = function.__closure__ or ()
            try:
                return cells[function.__code__.co_freevars.index(name)].cell_contents
            except ValueError:
                raise KeyError(name) from None
        if name in function.__globals__:
            return function.__globals__[name]
        return vars(builtins)[name]


def translate(function: types.FunctionType, rounds: Mapping[Place, int]) -> Code:
    """Source to blocks, the loops of `rounds` written out; CompileError for what is outside the language."""
    source = read(function)
    node = source.node
    for extra in (node.args.vararg, node.args.kwarg):
        if extra is not None:
            raise CompileError(
                "*args and **kwargs cannot be batched",
                source.position(extra),
                "Name the parameters: their number must be the same for all examples.",
            )
    b = Builder(source, own_names(node), rounds=rounds)
    b.begin(b.new_block("entry"))
    statements(b, node.body)
    b.end(IndirectGotoOp((b.emit("const", (), node, None),)))
    graph = _reachable(b.graph)
    signature = inspect.signature(function, follow_wrapped=False)
    code = Code(function, source, signature, graph, b.shape if b.structured else None)
    code.live = live_on_entry(graph)
    return code


def _reachable(graph: ControlFlowGraph) -> ControlFlowGraph:
    """Without the blocks that no path leads to."""
    blocks = {block.name: block for block in graph}
    found: set[str] = set()
    waiting = [graph.blocks[0].name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += blocks[name].successors()
    return ControlFlowGraph([block for block in graph if block.name in found and isinstance(block, Block)])
