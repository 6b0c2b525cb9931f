"""Source text of blocks for NumPy: every block a Python function on arrays whose first axis is the waiting lanes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from operator_lib.autobatch.machine import primitives
from operator_lib.autobatch.machine.dialect import SMALL, NumpyDialect
from operator_lib.autobatch.machine.lower import Call, Lowered, Step, TailCall, names_of, names_of_exit
from operator_lib.autobatch.machine.optimise import harmless
from operator_lib.autobatch.machine.state import ONE_DEEPER, ROW_AND_SITE
from operator_lib.autobatch.typing.ops import Branch, Jump, Op, Operand, Raise, Return
from operator_lib.autobatch.typing.values import Const, Lane


@dataclass(slots=True)
class Layout:
    """Numbers of blocks (in the order in which they are preferred), functions and heaps."""

    blocks: dict[str, int]
    functions: dict[str, int]
    heaps: dict[Any, int] = field(default_factory=dict[Any, int])
    numbers: dict[Any, str] = field(default_factory=dict[Any, str])
    """Names of constants that are arrays."""

    @classmethod
    def of(cls, program: Lowered, order: Iterable[str] | None = None) -> Layout:
        names = list(order or program.steps)
        blocks = {name: number for number, name in enumerate(names)}
        functions = {label: number for number, label in enumerate(program.functions)}
        return cls(blocks, functions)


class Emitter:
    """Writes the function of one block."""

    def __init__(
        self,
        program: Lowered,
        layout: Layout,
        step: Step,
        names: dict[str, Any],
        *,
        drain: bool = False,
        dialect: NumpyDialect | None = None,
    ) -> None:
        self.dialect = dialect or NumpyDialect()
        self.program, self.layout, self.step = program, layout, step
        self.drain = drain
        """Whether a block that leads to itself goes on until no lane is left in it."""
        self.names = names
        """What the text refers to besides its own variables."""
        self.lines: list[str] = []
        self._variables: dict[str, str] = {}
        self._later: list[set[str]] = []
        self._place = 0
        self._indent = 0

    @property
    def number(self) -> int:
        return self.layout.blocks[self.step.name]

    def text(self) -> str:
        step = self.step
        params = "".join(f", {self.variable(lane)}" for lane in step.params)
        self.lines = [f"def block{self.number}(S, link{params}):", "    k = len(link)"]
        self._later = self._needed_after()
        last = step.exit
        if self.drain and isinstance(last, Branch) and drains(step, self.layout):
            Drained(self, last).write()
            return "\n".join(self.lines)
        for self._place, op in enumerate(step.ops):
            primitives.write(self, op)
            self._forget(op)
        self._place = len(step.ops)
        self._exit()
        return "\n".join(self.lines)

    def line(self, text: str, indent: int = 1) -> None:
        self.lines.append("    " * (indent + self._indent) + text)

    def variable(self, lane: Lane) -> str:
        if lane.name not in self._variables:
            self._variables[lane.name] = f"v{len(self._variables)}"
        return self._variables[lane.name]

    def name(self, value: Any, prefix: str = "c") -> str:
        """A name by which the text can refer to an object."""
        for known, other in self.names.items():
            if other is value:
                return known
        made = f"{prefix}{len(self.names)}"
        self.names[made] = value
        return made

    def operand(self, value: Operand) -> str:
        if isinstance(value, Lane):
            return self.variable(value)
        return self.constant(value.value)

    def constant(self, value: Any) -> str:
        if type(value) in (bool, int, str, type(None)) or (type(value) is float and np.isfinite(value)):
            text = repr(value)
            return f"({text})" if text.startswith("-") else text
        return self.name(self.dialect.constant(value))

    def scalar(self, value: float, dtype: Any = np.int64) -> str:
        """A number as an array without axes, which NumPy takes in half the time; OverflowError when it does not fit."""
        key = (repr(value), np.dtype(dtype).str)
        if key not in self.layout.numbers:
            self.layout.numbers[key] = self.name(np.array(value, dtype), "n")
        return self.layout.numbers[key]

    def repeated(self, value: Any, dtype: Any, count: str) -> str:
        """As many of a number as there are lanes."""
        key = (repr(value), np.dtype(dtype).str, SMALL)
        if key not in self.layout.numbers:
            made = np.full(SMALL, value, dtype)
            made.flags.writeable = False
            self.layout.numbers[key] = self.name(made, "n")
        return f"{self.layout.numbers[key]}[:{count}]"

    def picked(self, links: str, places: str) -> str:
        """Some of an array of links."""
        return f"{links}[{places}]" if self.dialect.small else f"{links}.take({places})"

    def position(self, op: Op | Raise | Call) -> str:
        found = op.site.position if isinstance(op, Call) else op.position
        return self.name(found, "p")

    def function_number(self) -> int:
        return self.layout.functions[self.step.function]

    def drop(self, indent: int, *, made: set[str] | None = None, unmade: set[str] | None = None) -> None:
        """Text that keeps only the lanes `keep` of everything that is still needed: besides, what was `made` just now;
        without what is not yet (`unmade`)."""
        self.line("if not len(keep): return 0", indent)
        self.line("link = link[keep]; k = len(link)", indent)
        needed = (self._later[self._place] | (made or set())) - (unmade or set())
        for name in sorted(needed & set(self._variables)):
            variable = self._variables[name]
            self.line(f"{variable} = {variable}[keep]", indent)

    def _needed_after(self) -> list[set[str]]:
        """For every operation, the names that it or what comes after it reads."""
        needed = names_of_exit(self.step.exit)
        found = [set(needed)]
        for op in reversed(self.step.ops):
            found.append(set(needed) | names_of(op.args))
            needed -= {out.name for out in op.outs}
            needed |= names_of(op.args)
        return found[::-1]

    def _forget(self, op: Op) -> None:
        """Memory of large arrays that nothing reads again is still warm: the next operation is to have it."""
        values = (*op.args, *op.outs)
        large = {v.name for v in values if isinstance(v, Lane) and (v.type.shape or not self.dialect.small)}
        gone = large - self._later[self._place + 1]
        names = sorted(self._variables[name] for name in gone if name in self._variables)
        if names:
            self.line(f"del {', '.join(names)}")

    # ---- ends ----------------------------------------------------------------------------------------------------

    def _exit(self) -> None:
        last = self.step.exit
        if isinstance(last, Jump):
            self.line(self._push(last, "", "k"))
            self.line(f"return {self._bit(last)}")
        elif isinstance(last, Branch):
            self._branch(last)
        elif isinstance(last, Return):
            self._return([self.spread(value, kind) for value, kind in zip(last.values, self._result(), strict=True)])
        elif isinstance(last, Raise):
            self._raise(last)
        elif isinstance(last, Call):
            self._call(last)
        elif isinstance(last, TailCall):
            self._enter(last.callee, last.args, "link")

    def _result(self) -> list[Lane]:
        from operator_lib.autobatch.typing.values import leaves

        result = self.program.functions[self.step.function].result
        return [] if result is None else list(leaves(result))

    def spread(self, value: Operand, kind: Lane, some: str = "", count: str = "k") -> str:
        """An operand as an array with a row for each lane; of only `some` lanes when that is given."""
        if isinstance(value, Lane):
            variable = self.variable(value)
            return self.dialect.take(variable, some) if some else variable
        held = kind.held()
        dtype = self.name(held.dtype if kind.boxed else self.dialect.dtype(held.dtype), "t")
        shape = count if not held.shape else f"({count}, {', '.join(map(str, held.shape))},)"
        if self.dialect.small and not held.shape and not np.ndim(value.value):
            return self.repeated(value.value, held.dtype, count)
        number = self.constant(value.value)
        return f"full_mask({shape}, {number}, {dtype})" if kind.boxed else self.dialect.full(shape, number, dtype)

    def _push(self, jump: Jump, some: str, count: str) -> str:
        """Lanes (`some`, or all) go to a block's queue; or are done, where nothing would be left to do there."""
        values = {move.target.name: move.value for move in jump.moves}
        link = self.picked("link", some) if some else "link"
        done = self._done(jump)
        if done is not None:
            given = [values.get(v.name, v) if isinstance(v, Lane) else v for v in done.values]
            found = [self.spread(v, kind, some, count) for v, kind in zip(given, self._result(), strict=True)]
            return f"S.finish({self._rows(link)}, ({''.join(value + ', ' for value in found)}))"
        params = self.program.steps[jump.block].params
        moved = [self.spread(values[p.name], p, some, count) for p in params]
        return f"S.push[{self.layout.blocks[jump.block]}](({', '.join([link, *moved])},))"

    def _done(self, jump: Jump) -> Return | None:
        """What the block returns, when it does nothing else, and that ends the program."""
        step = self.program.steps[jump.block]
        if step.ops or not isinstance(step.exit, Return) or self.program.returns_to(step.function)[0]:
            return None
        return step.exit

    def _bit(self, jump: Jump) -> int:
        """Which block has lanes waiting after the jump."""
        return 0 if self._done(jump) is not None else 1 << self.layout.blocks[jump.block]

    def _rows(self, link: str) -> str:
        """Rows of the frames (at the start of the program: places of the lanes) in links."""
        bits = self.program.bits
        if bits or self.program.recursive:
            return f"({link} & {self.scalar(ROW_AND_SITE)}) >> {self.scalar(bits)}"
        return link

    def _branch(self, last: Branch) -> None:
        true, false = self._bit(last.true), self._bit(last.false)
        condition = self.variable(last.condition)
        self.line(f"c = {self.dialect.host(condition)}")
        self.line("i = c.nonzero()[0]")
        self.line("n = len(i)")
        self.line("if n == k:")
        self.line(self._push(last.true, "", "k"), 2)
        self.line(f"return {true}", 2)
        self.line("if not n:")
        self.line(self._push(last.false, "", "k"), 2)
        self.line(f"return {false}", 2)
        self.line("j = (~c).nonzero()[0]")
        self.line(self._push(last.true, "i", "n"))
        self.line(self._push(last.false, "j", "(k - n)"))
        self.line(f"return {true | false}")

    def _raise(self, last: Raise) -> None:
        make = self.name(last.make, "f")
        values = ", ".join(self.one(value) for value in last.args)
        where = f"{self.function_number()}, link, full_mask(k, True)"
        self.line(f"S.fail({where}, lambda at: {make}({values}), {self.position(last)})")
        self.line("return 0")

    def one(self, value: Operand) -> str:
        """The operand for the lane at place `at`, as the function would have it."""
        if isinstance(value, Const):
            return self.constant(value.value)
        variable = self.variable(value)
        return f"{variable}[at].item()" if value.type.weak else f"{variable}[at]"

    def _call(self, last: Call) -> None:
        site = last.site
        bits = self.program.bits
        self.line(f"F = S.frames[{site.number - 1}]")
        self.line("rows = F.take(k)")
        self.line("F.link[rows] = link")
        for number, (value, lane) in enumerate(zip(last.saved, site.saved, strict=True)):
            self.line(f"F.columns[{number}][rows] = {self.spread(value, lane)}")
        if self.program.recursive:
            depth, shift = self.scalar(~ROW_AND_SITE), self.scalar(bits)
            self.line(f"deeper = (link & {depth}) + ((rows << {shift}) | {self.scalar(ONE_DEEPER | site.number)})")
            self.line("if deeper[deeper.argmax()] >= S.too_deep:")
            self.line(f"raise S.overflow({self.function_number()}, link, {self.position(last)})", 2)
        else:
            self.line(f"deeper = (rows << {self.scalar(bits)}) | {self.scalar(site.number)}")
        self._enter(site.callee, last.args, "deeper")

    def _enter(self, callee: str, args: tuple[Operand, ...], link: str) -> None:
        entry = self.program.entries[callee]
        params = self.program.functions[callee].parameters
        given = [self.spread(value, param) for value, param in zip(args, params, strict=True)]
        self.line(f"S.push[{self.layout.blocks[entry]}](({', '.join([link, *given])},))")
        self.line(f"return {1 << self.layout.blocks[entry]}")

    def _return(self, values: list[str]) -> None:
        label = self.step.function
        sites, main = self.program.returns_to(label)
        bits, rows = self.program.bits, self._rows("link")
        for place, value in enumerate(values):
            self.line(f"r{place} = {value}")
        names = [f"r{place}" for place in range(len(values))]
        if not sites:
            self.line(f"S.finish({rows}, ({''.join(name + ', ' for name in names)}))")
            self.line("return 0")
            return
        self.line(f"rows = {rows}")
        if len(sites) == 1 and not main:
            self.line(self._resume(sites[0], "rows", names))
            self.line(f"return {1 << self.layout.blocks[sites[0].after]}")
            return
        self.line(f"site = link & {self.scalar((1 << bits) - 1)}")
        self.line("bits = 0; left = k")
        for site in sites:
            self.line("if left:")
            self.line(f"i = (site == {self.scalar(site.number)}).nonzero()[0]; n = len(i); left -= n", 2)
            self.line("if n == k:", 2)
            self.line(self._resume(site, "rows", names), 3)
            self.line(f"return {1 << self.layout.blocks[site.after]}", 3)
            self.line("if n:", 2)
            self.line(self._resume(site, "rows[i]", [self.dialect.take(name, "i") for name in names]), 3)
            self.line(f"bits |= {1 << self.layout.blocks[site.after]}", 3)
        if main:  # what is left has come to the end of the program
            self.line("if left:")
            self.line(f"i = (site == {self.scalar(0)}).nonzero()[0]", 2)
            self.line(f"S.finish(rows[i], ({''.join(name + '[i], ' for name in names)}))", 2)
        self.line("return bits")

    def _resume(self, site: Any, rows: str, names: list[str]) -> str:
        saved = [self.dialect.take(f"F.columns[{number}]", "at") for number in range(len(site.saved))]
        packet = ", ".join([self.picked("F.link", "at"), *saved, *names])
        push = f"S.push[{self.layout.blocks[site.after]}](({packet},))"
        return f"F = S.frames[{site.number - 1}]; at = {rows}; {push}; F.give_back(at)"


def drains(step: Step, layout: Layout) -> bool:
    """Whether the block is a loop by itself whose operations do no harm to lanes that have left it."""
    last = step.exit
    assert isinstance(last, Branch)
    inner = [jump.block == step.name for jump in (last.true, last.false)]
    outer = last.false if inner[0] else last.true
    return (
        inner[0] != inner[1] and layout.blocks[outer.block] > layout.blocks[step.name] and all(map(harmless, step.ops))
    )


class Drained:
    """A loop that is one block: lanes that are done leave at once, but the arrays are made shorter only now and then.

    Taking the lanes that go on out of every array costs more than the work of a round; so lanes that have left are
    carried along, masked, until they are a quarter. What is computed for them is not used.
    """

    def __init__(self, emitter: Emitter, last: Branch) -> None:
        self.e = emitter
        self.stays = last.true.block == emitter.step.name
        self.again, self.out = (last.true, last.false) if self.stays else (last.false, last.true)
        self.condition = last.condition

    def write(self) -> None:
        e = self.e
        e.line("m = first = k; alive = None; bits = rounds = work = 0")
        e.line("while True:")
        e._indent = 1
        for place, op in enumerate(e.step.ops):
            e._place = place
            primitives.write(e, op)
        e.line("rounds += 1; work += m")
        test = e.variable(self.condition)
        e.line(f"on = {test if self.stays else '~' + test}")
        e.line("if alive is not None: on = on & alive")
        e.line("n = count_nonzero(on)")
        e.line("if n != m:")
        e.line("gone = ((~on) if alive is None else alive ^ on).nonzero()[0]", 2)
        e.line(e._push(self.out, "gone", "(m - n)"), 2)
        e.line(f"bits = {e._bit(self.out)}", 2)
        e.line("if not n: break", 2)
        e.line("m = n; alive = on", 2)
        e.line("if 4 * m < 3 * k:", 2)
        e.line("at = on.nonzero()[0]", 3)
        self._assign("at", "m", 3)
        e.line("link = link.take(at); k = m; alive = None", 3)
        e.line("continue", 3)
        self._assign("", "k", 1)
        e._indent = 0
        e.line(f"S.steps[{e.number}] += rounds - 1")
        e.line(f"S.active[{e.number}] += work - first")
        e.line("return bits")

    def _assign(self, some: str, count: str, indent: int) -> None:
        """The parameters of the next round."""
        e = self.e
        values = {move.target.name: move for move in self.again.moves}
        targets = [e.variable(param) for param in e.step.params]
        given = [e.spread(values[param.name].value, param, some, count) for param in e.step.params]
        pairs = [(target, value) for target, value in zip(targets, given, strict=True) if target != value]
        if pairs:
            e.line(f"{', '.join(t for t, _ in pairs)} = {', '.join(v for _, v in pairs)}", indent)
