"""Functions that call each other → one list of blocks between which lanes move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from operator_lib.autobatch.errors import Position
from operator_lib.autobatch.recursion import recursive
from operator_lib.autobatch.typing.ops import Branch, Jump, Move, Op, Operand, Raise, Return, Typed, jumps_of
from operator_lib.autobatch.typing.values import Const, Lane


@dataclass(frozen=True, slots=True)
class Site:
    """A place to return to: the frames that wait there hold what `after` needs besides the result."""

    number: int
    """From 1 up, in the whole program; 0 is the start of the program."""
    callee: str
    after: str
    saved: tuple[Lane, ...]
    caller: str
    position: Position


@dataclass(frozen=True, slots=True)
class Call:
    """Lanes push a frame and go to the callee."""

    site: Site
    args: tuple[Operand, ...]
    saved: tuple[Operand, ...]
    """What goes into the frame, in the order of `Site.saved`."""


@dataclass(frozen=True, slots=True)
class TailCall:
    """Lanes go to the callee, which returns to where this function was called from."""

    callee: str
    args: tuple[Operand, ...]


Exit = Jump | Branch | Return | Raise | Call | TailCall


@dataclass(slots=True)
class Step:
    """A block of the lowered program."""

    name: str
    function: str
    params: tuple[Lane, ...]
    ops: list[Op]
    exit: Exit
    position: Position
    loop: bool = False

    def jumps(self) -> tuple[Jump, ...]:
        return jumps_of(self.exit)


@dataclass(slots=True)
class Lowered:
    """A whole program: its blocks in source order, and where each function begins and returns to."""

    main: str
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    entries: dict[str, str] = field(default_factory=dict[str, str])
    sites: list[Site] = field(default_factory=list[Site])
    functions: dict[str, Typed] = field(default_factory=dict[str, Typed])
    recursive: bool = False

    @property
    def bits(self) -> int:
        """Of a link, those that hold the number of the site."""
        return len(self.sites).bit_length()

    def returns_to(self, label: str) -> tuple[list[Site], bool]:
        """The sites that a function may return to, and whether it may be the end of the program: those that call it,
        and those that call functions which end by calling it."""
        found: set[str] = set()
        waiting = [label]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [
                    step.function
                    for step in self.steps.values()
                    if isinstance(step.exit, TailCall) and step.exit.callee == name
                ]
        sites = [site for site in self.sites if site.callee in found and site.after in self.steps]
        return sites, self.main in found


def lower(main: Typed, functions: Iterable[Typed], *, split: bool) -> Lowered:
    """One list of blocks. With `split`, calls end a block (program counter); without, they are operations."""
    program = Lowered(main.label)
    for typed in functions:
        program.functions[typed.label] = typed
        program.entries[typed.label] = f"{typed.label}:{next(iter(typed.blocks))}"
    for typed in functions:
        for block in typed.blocks.values():
            assert block.exit is not None
            source = typed.code.source
            first = block.ops[0].position if block.ops else source.position(source.node)
            whole = Step(
                f"{typed.label}:{block.name}",
                typed.label,
                block.params,
                list(block.ops),
                _prefixed(typed.label, block.exit),
                first,
                block.loop,
            )
            for step in _split(program, whole) if split else [whole]:
                program.steps[step.name] = step
    program.recursive = _recursive(program)
    return program


def _prefixed(label: str, last: Exit) -> Exit:
    if isinstance(last, Jump):
        return replace(last, block=f"{label}:{last.block}")
    if isinstance(last, Branch):
        true, false = (replace(jump, block=f"{label}:{jump.block}") for jump in (last.true, last.false))
        return Branch(last.condition, true, false)
    return last


def _split(program: Lowered, step: Step) -> list[Step]:
    """The block up to its first call, the rest after it, and so on."""
    found: list[Step] = []
    rest = step
    number = 0
    while True:
        place = next((i for i, op in enumerate(rest.ops) if op.kind == "call"), None)
        if place is None:
            found.append(rest)
            return found
        op = rest.ops[place]
        callee: str = op.detail.label
        last = rest.exit
        if place == len(rest.ops) - 1 and isinstance(last, Return) and last.values == op.outs:
            found.append(replace(rest, ops=rest.ops[:place], exit=TailCall(callee, op.args)))
            return found
        number += 1
        after = f"{step.name}.{number}"
        later = needed_names(rest.ops[place + 1 :], last)
        defined = [*rest.params, *(out for earlier in rest.ops[:place] for out in earlier.outs)]
        saved = tuple({lane.name: lane for lane in defined if lane.name in later}.values())
        site = Site(len(program.sites) + 1, callee, after, saved, rest.function, op.position)
        program.sites.append(site)
        found.append(replace(rest, ops=rest.ops[:place], exit=Call(site, op.args, saved)))
        rest = Step(after, rest.function, (*saved, *op.outs), rest.ops[place + 1 :], last, op.position)


def names_of(operands: Iterable[Operand]) -> set[str]:
    return {operand.name for operand in operands if isinstance(operand, Lane)}


def names_of_exit(last: Exit) -> set[str]:
    """Names that the end of a block reads."""
    if isinstance(last, Jump):
        return names_of(move.value for move in last.moves)
    if isinstance(last, Branch):
        return {last.condition.name} | names_of_exit(last.true) | names_of_exit(last.false)
    if isinstance(last, Return):
        return names_of(last.values)
    return names_of(last.args) | (names_of(last.saved) if isinstance(last, Call) else set[str]())


def needed_names(ops: list[Op], last: Exit) -> set[str]:
    """Names that are read by the operations and the end, and not made by the operations."""
    needed = names_of_exit(last)
    for op in reversed(ops):
        needed -= {out.name for out in op.outs}
        needed |= names_of(op.args)
    return needed


def _recursive(program: Lowered) -> bool:
    callers: dict[str, set[str]] = {label: set[str]() for label in program.functions}
    for step in program.steps.values():
        if isinstance(step.exit, Call):
            callers[step.exit.site.callee].add(step.function)
        elif isinstance(step.exit, TailCall):
            callers[step.exit.callee].add(step.function)
    return recursive(callers)


__all__ = ["Call", "Const", "Lowered", "Move", "Site", "Step", "TailCall", "lower", "needed_names"]
