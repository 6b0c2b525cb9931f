"""Comprehensions and generator expressions: loops that are expressions."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from operator_lib.trace import assign
from operator_lib.trace.frame import Frame
from operator_lib.trace.loops import any_member, each_known
from operator_lib.trace.objects import holding
from operator_lib.trace.reader import Reader
from operator_lib.trace.regions import short
from operator_lib.trace.resolve import iterate, many
from operator_lib.trace.values import DATA, Const, Deps, Items, Thing, Value
from operator_lib.trace.walked import walked

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def read(r: Reader, f: Frame, node: Comprehension) -> Value:
    """The visitor of all four kinds."""
    first = r.evaluate(f, node.generators[0].iter)
    mark = r.graph.mark()
    saved = {n: f.env.names.get(n) for g in node.generators for n in _targets(g.target)}
    reading = _Reading(r, f, node)
    reading.generator(0, first)
    for name, value in saved.items():  # its variables are its own
        if value is not None:
            f.env.names[name] = value
        else:
            f.env.names.pop(name, None)
        if name in f.writes:
            f.writes.remove(name)
    f.reads[:] = [n for n in f.reads if n not in saved or saved[n] is not None]
    deps: Deps = first.deps.union(*(k.deps | v.deps for k, v in reading.made))
    if r.graph.plain_since(mark):
        f.touched.extend(r.graph.fold(mark)[2])
    return holding(r, f, node, Value(deps, reading.result()), [v for _, v in reading.made])


@dataclass(slots=True)
class _Reading:
    """One comprehension: its members as far as they are known (`counted`: all of them)."""

    r: Reader
    f: Frame
    node: Comprehension
    made: list[tuple[Value, Value]] = field(default_factory=list[tuple[Value, Value]])
    counted: bool = True

    def generator(self, level: int, source: Value) -> None:
        """One ``for`` and what is inside it."""
        r, f = self.r, self.f
        generator = self.node.generators[level]
        text = f"for {f.file.segment(generator.target)} in {short(f.file.segment(generator.iter), 50)}"
        loop = r.graph.emit("loop", text, f, self.node, key=("generator", level))
        loop.condition = text
        loop.code = f.file.segment(self.node)
        r.graph.connect(source.deps, loop)
        outer, maybe = f.region, f.maybe
        f.region = loop
        members = iterate(source, f.env.heap, r.world)
        known = each_known(r, f, loop, members, generator.target)
        if known is not None:
            for member in known:
                self.once(level, member)
        else:
            self.counted = False
            f.maybe = maybe or "loop"
            one = any_member(members)
            self.once(level, Value(one.deps | {(loop, "")}, one.what, one.cells, one.part))
        f.region, f.maybe = outer, maybe

    def once(self, level: int, member: Value) -> None:
        r, f, node = self.r, self.f, self.node
        generator = node.generators[level]
        assign.bind(r, f, generator.target, member)
        maybe = f.maybe
        for test in generator.ifs:
            r.evaluate(f, test)
            f.maybe = f.maybe or "comprehension if"
            self.counted = False
        if level + 1 < len(node.generators):
            self.generator(level + 1, r.evaluate(f, node.generators[level + 1].iter))
        elif isinstance(node, ast.DictComp):
            self.made.append((r.evaluate(f, node.key), r.evaluate(f, node.value)))
        else:
            self.made.append((DATA, r.evaluate(f, node.elt)))
        f.maybe = maybe

    def result(self) -> Thing | None:
        """The container that it makes."""
        values = [v for _, v in self.made]
        if not self.counted:
            return many(values)
        if isinstance(self.node, ast.DictComp):
            keys = [k.what for k, _ in self.made]
            known = [k.value for k in keys if isinstance(k, Const)]
            return Items("dict", dict(zip(known, values, strict=True))) if len(known) == len(keys) else many(values)
        return Items.of(values)


def _targets(target: ast.expr) -> list[str]:
    return [n.id for n in walked(target) if isinstance(n, ast.Name)]
