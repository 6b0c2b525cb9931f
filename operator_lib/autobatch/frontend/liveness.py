"""Which variables are still needed where."""

from __future__ import annotations

from operator_lib.autobatch.instructions import Block, BranchOp, ControlFlowGraph, IndirectGotoOp, RaiseOp


def live_on_entry(graph: ControlFlowGraph) -> dict[str, frozenset[str]]:
    """Block -> variables that it or a later block reads before they are assigned (loops included)."""
    uses, assigns = {}, {}
    for block in graph:
        uses[block.name], assigns[block.name] = _effect(block)
    live = {block.name: frozenset[str](uses[block.name]) for block in graph}
    changed = True
    while changed:
        changed = False
        for block in reversed(graph.blocks):
            after = frozenset[str]().union(*(live[name] for name in block.successors()))
            now = uses[block.name] | (after - assigns[block.name])
            if now != live[block.name]:
                live[block.name], changed = frozenset(now), True
    return live


def live_after(graph: ControlFlowGraph, live: dict[str, frozenset[str]], block: Block, index: int) -> frozenset[str]:
    """Variables that are needed after instruction `index` of the block."""
    needed = set[str]().union(*(live[name] for name in block.successors()), _read_by_terminator(block))
    for op in reversed(block.instructions[index + 1 :]):
        needed -= set(getattr(op, "vars_out", ()))
        needed |= set(getattr(op, "vars_in", ()))
    return frozenset(needed)


def _effect(block: Block) -> tuple[set[str], set[str]]:
    """What the block reads before assigning it, and what it assigns."""
    reads: set[str] = set()
    writes: set[str] = set()
    for op in block.instructions:
        reads |= set(getattr(op, "vars_in", ())) - writes
        writes |= set(getattr(op, "vars_out", ()))
    return reads | (_read_by_terminator(block) - writes), writes


def _read_by_terminator(block: Block) -> set[str]:
    last = block.terminator
    if isinstance(last, BranchOp):
        return {last.cond_var}
    return set(last.vars_in) if isinstance(last, IndirectGotoOp | RaiseOp) else set()
