"""Fewer, larger blocks: less to dispatch, fewer places where lanes wait for each other."""

from __future__ import annotations

from dataclasses import replace

from operator_lib.autobatch.errors import Position
from operator_lib.autobatch.machine.lower import Call, Exit, Lowered, Step, TailCall, names_of, names_of_exit
from operator_lib.autobatch.typing.ops import Branch, Jump, Move, Op, Operand, Raise, Return
from operator_lib.autobatch.typing.values import Const, Lane

# Operations that both sides of a branch may run for all lanes rather than each side for its own.
MOST_SELECTED = 12
MOST_COPIED = 24


class Optimiser:
    """Rewrites a lowered program in place."""

    def __init__(self, program: Lowered, *, select: bool = True) -> None:
        self.program = program
        self.select = select
        self._count = 0

    def run(self) -> Lowered:
        """Drop what is not used, turn small branches into choices, join what follows one another."""
        self._prune_params()
        for _ in range(100):
            self._drop_unused()
            if not (self._any(self._thread) or self._any(self._chain) or (self.select and self._any(self._choose))):
                break
        self._drop_unreached()
        self._any(self._turn_loop)
        for _ in range(100):
            if not (self._any(self._chain) or (self.select and self._any(self._choose))):
                break
        self._prune_params()
        self._drop_unused()  # what computed them
        self._drop_unreached()
        return self.program

    def _any(self, rewrite: object) -> bool:
        changed = False
        for name in list(self.program.steps):
            step = self.program.steps.get(name)
            while step is not None and rewrite(step):  # type: ignore[reportCallIssue]
                changed = True
        return changed

    def _predecessors(self, name: str) -> int:
        count = sum(jump.block == name for step in self.program.steps.values() for jump in step.jumps())
        return (
            count + (name in self.program.entries.values()) + 2 * any(site.after == name for site in self.program.sites)
        )

    def _thread(self, step: Step) -> bool:
        """A block that only passes on is passed by."""
        last = step.exit
        if isinstance(last, Jump):
            found = self._passed(last, step)
            step.exit = found or last
            return found is not None
        if not isinstance(last, Branch):
            return False
        true, false = self._passed(last.true, step), self._passed(last.false, step)
        step.exit = Branch(last.condition, true or last.true, false or last.false)
        return true is not None or false is not None

    def _passed(self, jump: Jump, step: Step) -> Jump | None:
        block = self.program.steps[jump.block]
        if block.ops or not isinstance(block.exit, Jump) or block.exit.block == block.name or block is step:
            return None
        given = {move.target.name: move.value for move in jump.moves}
        moves = tuple(
            Move(m.target, given.get(m.value.name, m.value) if isinstance(m.value, Lane) else m.value)
            for m in block.exit.moves
        )
        return Jump(block.exit.block, moves)

    def _chain(self, step: Step) -> bool:
        """What only this block leads to becomes part of it."""
        last = step.exit
        if not isinstance(last, Jump) or last.block == step.name or self._predecessors(last.block) != 1:
            return False
        self._append(step, last)
        del self.program.steps[last.block]
        return True

    def _turn_loop(self, step: Step) -> bool:
        """The end of a loop's body tests for the next round itself."""
        last = step.exit
        if not isinstance(last, Jump) or last.block == step.name:
            return False
        head = self.program.steps[last.block]
        if not head.loop or len(head.ops) > MOST_COPIED or not isinstance(head.exit, Branch):
            return False
        if any(op.kind in ("call", "each", "library") for op in head.ops):
            return False
        self._append(step, last)
        return True

    def _append(self, step: Step, jump: Jump) -> None:
        ops, last = self._copy(jump, self.program.steps[jump.block])
        step.ops += ops
        step.exit = last

    def _copy(self, jump: Jump, block: Step) -> tuple[list[Op], Exit]:
        """The operations and the end of `block`, for lanes that come by `jump`."""
        self._count += 1
        mark = f"'{self._count}"
        ops: list[Op] = []
        names: dict[str, Lane] = {}
        for move in jump.moves:
            if isinstance(move.value, Const):
                made = replace(move.target, name=move.target.name + mark)
                ops.append(Op("spread", (move.value,), (made,), None, self._somewhere(block)))
                names[move.target.name] = made
            else:
                names[move.target.name] = move.value
        for op in block.ops:
            outs = tuple(replace(out, name=out.name + mark) for out in op.outs)
            ops.append(Op(op.kind, tuple(_named(a, names) for a in op.args), outs, op.detail, op.position))
            names.update({old.name: new for old, new in zip(op.outs, outs, strict=True)})
        return ops, _renamed_exit(block.exit, names)

    def _somewhere(self, block: Step) -> Position:
        return block.ops[0].position if block.ops else block.position

    def _choose(self, step: Step) -> bool:
        """Both sides are cheap and can do no harm: all lanes run both, and choose."""
        last = step.exit
        if not isinstance(last, Branch):
            return False
        true, false = (self._side(jump) for jump in (last.true, last.false))
        ends = [
            jump.block if side is None else side[1].block for jump, side in ((last.true, true), (last.false, false))
        ]
        if (true is None and false is None) and last.true.block != last.false.block:
            return False
        if ends[0] != ends[1] or ends[0] == step.name:
            return False
        ops: list[Op] = []
        moves: list[tuple[Move, ...]] = []
        for jump, side in ((last.true, true), (last.false, false)):
            if side is None:
                moves.append(jump.moves)
                continue
            copied, exit_ = self._copy(jump, side[0])
            assert isinstance(exit_, Jump)
            ops += copied
            moves.append(exit_.moves)
        if not all(harmless(op) for op in ops) or len(ops) > MOST_SELECTED:
            return False
        step.ops += ops
        step.exit = Jump(ends[0], self._chosen(step, last.condition, *moves))
        for jump, side in ((last.true, true), (last.false, false)):
            if side is not None and self._predecessors(jump.block) == 0:
                del self.program.steps[jump.block]
        return True

    def _side(self, jump: Jump) -> tuple[Step, Jump] | None:
        """The block on one side of a branch, when it is all there is between the branch and where paths meet."""
        block = self.program.steps[jump.block]
        if not isinstance(block.exit, Jump) or self._predecessors(jump.block) != 1 or len(block.ops) > MOST_SELECTED:
            return None
        return block, block.exit

    def _chosen(self, step: Step, condition: Lane, true: tuple[Move, ...], false: tuple[Move, ...]) -> tuple[Move, ...]:
        self._count += 1
        found: list[Move] = []
        others = {move.target.name: move for move in false}
        for move in true:
            one, two = move.value, others[move.target.name].value
            if one == two and not (isinstance(one, Const) and type(one.value) is not type(two.value)):  # type: ignore[reportAttributeAccessIssue]
                found.append(move)
                continue
            out = replace(move.target, name=f"{move.target.name}'{self._count}?")
            args: tuple[Operand, ...] = (condition, one, two)
            position = self._somewhere(step)
            step.ops.append(Op("select", args, (out,), None, position))  # type: ignore[reportArgumentType]
            found.append(Move(move.target, out))
        return tuple(found)

    def _drop_unused(self) -> None:
        for step in self.program.steps.values():
            needed = names_of_exit(step.exit)
            kept: list[Op] = []
            for op in reversed(step.ops):
                if _pure(op) and not any(out.name in needed for out in op.outs):
                    continue
                needed |= names_of(op.args)
                kept.append(op)
            step.ops = kept[::-1]

    def _prune_params(self) -> None:
        """Parameters that nothing reads, directly or by passing them on, are not carried along."""
        entries = set(self.program.entries.values())
        afters = {site.after for site in self.program.sites}
        used: set[tuple[str, str]] = set()
        changed = True
        while changed:
            changed = False
            for step in self.program.steps.values():
                for name in self._read(step, used):
                    if (step.name, name) not in used:
                        used.add((step.name, name))
                        changed = True
        for step in self.program.steps.values():
            if step.name not in entries and step.name not in afters:
                step.params = tuple(p for p in step.params if (step.name, p.name) in used)
            step.exit = self._pruned(step.exit, used, entries, afters)

    def _read(self, step: Step, used: set[tuple[str, str]]) -> set[str]:
        needed = self._needed_by_exit(step.exit, used)
        for op in reversed(step.ops):
            if _pure(op) and not any(out.name in needed for out in op.outs):
                continue
            needed |= names_of(op.args)
        return needed & {param.name for param in step.params}

    def _needed_by_exit(self, last: Exit, used: set[tuple[str, str]]) -> set[str]:
        if isinstance(last, Jump):
            kept = self._fixed(last.block)
            return names_of(m.value for m in last.moves if kept or (last.block, m.target.name) in used)
        if isinstance(last, Branch):
            sides = (self._needed_by_exit(jump, used) for jump in (last.true, last.false))
            return {last.condition.name}.union(*sides)
        return names_of_exit(last)

    def _fixed(self, name: str) -> bool:
        return name in self.program.entries.values()

    def _pruned(self, last: Exit, used: set[tuple[str, str]], entries: set[str], afters: set[str]) -> Exit:
        if isinstance(last, Branch):
            sides = (self._pruned(jump, used, entries, afters) for jump in (last.true, last.false))
            return Branch(last.condition, *sides)  # type: ignore[reportArgumentType]
        if isinstance(last, Jump) and last.block not in entries and last.block not in afters:
            return replace(last, moves=tuple(m for m in last.moves if (last.block, m.target.name) in used))
        return last

    def _drop_unreached(self) -> None:
        steps = self.program.steps
        found: set[str] = set()
        waiting = [self.program.entries[self.program.main]]
        while waiting:
            name = waiting.pop()
            if name in found or name not in steps:
                continue
            found.add(name)
            last = steps[name].exit
            waiting += [jump.block for jump in steps[name].jumps()]
            if isinstance(last, Call):
                waiting += [self.program.entries[last.site.callee], last.site.after]
            elif isinstance(last, TailCall):
                waiting.append(self.program.entries[last.callee])
            waiting += [self.program.entries[op.detail.label] for op in steps[name].ops if op.kind == "call"]
        self.program.steps = {name: step for name, step in steps.items() if name in found}


def _named(operand: Operand, names: dict[str, Lane]) -> Operand:
    if isinstance(operand, Lane) and operand.name in names:
        found = names[operand.name]
        return replace(operand, name=found.name)
    return operand


def _renamed_exit(last: Exit, names: dict[str, Lane]) -> Exit:
    if isinstance(last, Jump):
        return Jump(last.block, tuple(Move(m.target, _named(m.value, names)) for m in last.moves))
    if isinstance(last, Branch):
        condition = _named(last.condition, names)
        assert isinstance(condition, Lane)
        true, false = (_renamed_exit(jump, names) for jump in (last.true, last.false))
        return Branch(condition, true, false)  # type: ignore[reportArgumentType]
    if isinstance(last, Return):
        return Return(tuple(_named(value, names) for value in last.values))
    if isinstance(last, Raise | TailCall):
        return replace(last, args=tuple(_named(value, names) for value in last.args))
    given, saved = (tuple(_named(value, names) for value in values) for values in (last.args, last.saved))
    return replace(last, args=given, saved=saved)


def _pure(op: Op) -> bool:
    if op.kind == "index":
        return not any(isinstance(arg, Lane) for arg in op.args[1:])
    return op.kind in ("elementwise", "cast", "select", "reshape", "copy", "spread", "unbox")


def harmless(op: Op) -> bool:
    """Can be run for lanes that do not need it: raises nothing, and is cheap."""
    if op.kind == "elementwise":
        kinds = [a.type.dtype.kind if isinstance(a, Lane) else type(a.value).__name__[0] for a in op.args]
        return op.detail not in ("**", "<<", ">>") or "f" in kinds
    return op.kind in ("cast", "select", "spread", "reshape") or (op.kind == "index" and _pure(op))
