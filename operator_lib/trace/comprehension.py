"""Comprehensions and generator expressions: loops that are expressions."""

from __future__ import annotations

import ast

from operator_lib.trace import assign
from operator_lib.trace.frame import Frame
from operator_lib.trace.loops import UNROLL_LIMIT, unrollable
from operator_lib.trace.reader import Reader
from operator_lib.trace.regions import short
from operator_lib.trace.resolve import iterate
from operator_lib.trace.values import DATA, Const, Deps, Items, Many, Value

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def read(r: Reader, f: Frame, node: Comprehension) -> Value:
    """The visitor of all four kinds."""
    first = r.evaluate(f, node.generators[0].iter)
    mark = r.graph.mark()
    saved = {n: f.env.names.get(n) for g in node.generators for n in _targets(g.target)}
    maybe, region = f.maybe, f.region
    made: list[tuple[Value, Value]] = []
    counted = _generator(r, f, node, 0, first, made)
    f.region, f.maybe = region, maybe
    for name, value in saved.items():
        if value is not None:
            f.env.names[name] = value
        else:
            f.env.names.pop(name, None)
        if name in f.writes:
            f.writes.remove(name)
    f.reads[:] = [n for n in f.reads if n not in saved or saved[n] is not None]
    deps: Deps = first.deps.union(*(k.deps | v.deps for k, v in made))
    if r.graph.plain_since(mark):
        r.graph.fold(mark)
    return Value(deps, _result(node, made, counted))


def _generator(
    r: Reader, f: Frame, node: Comprehension, level: int, source: Value, made: list[tuple[Value, Value]]
) -> bool:
    """One ``for`` and what is inside it. Returns whether every member is known."""
    generator = node.generators[level]
    text = f"for {f.file.segment(generator.target)} in {short(f.file.segment(generator.iter), 50)}"
    loop = r.graph.emit("loop", text, f, node, key=("generator", level))
    loop.condition = text
    if loop.position[0] == 0:
        loop.position = (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
    loop.code = f.file.segment(node)
    r.graph.connect(source.deps, loop)
    outer, maybe = f.region, f.maybe
    f.region = loop
    members = iterate(source, f.env.heap, r.world)
    known = isinstance(members, list) and unrollable(members)
    if known and isinstance(members, list):
        if any(not isinstance(m.what, Const) for m in members):
            loop.reason = f"{len(members)} known children, unrolled"
        counted = _unrolled(r, f, node, level, members[:UNROLL_LIMIT], made, loop)
    else:
        f.maybe = maybe or "loop"
        stand_in = Value(what=None) if isinstance(members, list) else members
        counted = _once(r, f, node, level, Value(stand_in.deps | {(loop, "")}, stand_in.what), made) and False
    f.region, f.maybe = outer, maybe
    return counted


def _unrolled(r, f, node, level, members, made, loop) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
    r.graph.repeating += 1
    counted = True
    for member in members:
        value = Value(member.deps | {(loop, "")}, member.what)
        counted = _once(r, f, node, level, value, made) and counted
    r.graph.repeating -= 1
    return counted


def _once(
    r: Reader, f: Frame, node: Comprehension, level: int, member: Value, made: list[tuple[Value, Value]]
) -> bool:
    generator = node.generators[level]
    assign.bind(r, f, generator.target, member)
    maybe = f.maybe
    counted = True
    for test in generator.ifs:
        r.evaluate(f, test)
        f.maybe = f.maybe or "comprehension if"
        counted = False
    if level + 1 < len(node.generators):
        source = r.evaluate(f, node.generators[level + 1].iter)
        counted = _generator(r, f, node, level + 1, source, made) and counted
    elif isinstance(node, ast.DictComp):
        made.append((r.evaluate(f, node.key), r.evaluate(f, node.value)))
    else:
        made.append((DATA, r.evaluate(f, node.elt)))
    f.maybe = maybe
    return counted


def _result(node: Comprehension, made: list[tuple[Value, Value]], counted: bool):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from operator_lib.trace.expressions import many

    if not counted:
        return many([v for _, v in made])
    if isinstance(node, ast.DictComp):
        if all(isinstance(k.what, Const) for k, _ in made):
            return Items("dict", {k.what.value: v for k, v in made})  # type: ignore[union-attr]
        return many([v for _, v in made])
    return Items.of(v for _, v in made)


def _targets(target: ast.expr) -> list[str]:
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]


__all__ = ["Many", "read"]
