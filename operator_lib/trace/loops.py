"""Loops, and the blocks that are entered once: with, try."""

from __future__ import annotations

import ast

from operator_lib.trace import assign
from operator_lib.trace.frame import Env, Frame, Loop, merge
from operator_lib.trace.graph import Draft
from operator_lib.trace.reader import Reader
from operator_lib.trace.regions import close, note_header, short
from operator_lib.trace.resolve import iterate
from operator_lib.trace.values import Const, Deps, Function, Instance, Partial, Value, either, holds_operators, same

UNROLL_LIMIT = 256


def unrollable(members: list[Value]) -> bool:
    """Whether it matters which member is at hand, and there are few enough."""
    if not members:
        return False
    if any(holds_operators(m.what) or isinstance(m.what, Function | Partial) for m in members):
        return True
    return len(members) <= 32 and all(isinstance(m.what, Const) for m in members)


def for_statement(r: Reader, f: Frame, node: ast.For | ast.AsyncFor) -> None:
    f.begin()
    source = r.evaluate(f, node.iter)
    mark = r.graph.mark()
    words = "async for" if isinstance(node, ast.AsyncFor) else "for"
    text = f"{words} {f.file.segment(node.target)} in {short(f.file.segment(node.iter), 60)}"
    loop = r.graph.emit("loop", text, f, node)
    loop.condition = text
    r.graph.connect(source.deps, loop)
    note_header(f, loop)
    members = iterate(source, f.env.heap, r.world)
    if isinstance(members, list) and unrollable(members):
        if any(not isinstance(m.what, Const) for m in members):
            loop.reason = f"{len(members)} known children, unrolled"
        _unrolled(r, f, node, loop, members[:UNROLL_LIMIT])
    else:
        member = Value() if isinstance(members, list) else members
        member = Value(member.deps | {(loop, "")}, member.what)
        _repeated(r, f, node, loop, lambda: assign.bind(r, f, node.target, member))
    close(r, f, mark, node)


def _unrolled(r: Reader, f: Frame, node: ast.For | ast.AsyncFor, loop: Draft, members: list[Value]) -> None:
    """Once for each known member; what does not depend on the member is the same node every time."""
    outer, after = f.region, f.after
    f.region = loop
    f.loops.append(Loop())
    r.graph.repeating += 1
    for member in members:
        assign.bind(r, f, node.target, Value(member.deps | {(loop, "")}, member.what))
        r.visit(f, node.body)
        f.env = merge([f.env, *f.loops[-1].continues])
        f.loops[-1].continues.clear()
    r.graph.repeating -= 1
    _leave(r, f, node, after)
    f.region = outer


def _leave(r: Reader, f: Frame, node: ast.For | ast.AsyncFor | ast.While, after: str) -> None:
    """``else`` and what `break` brings along."""
    left = f.loops.pop()
    if node.orelse:
        maybe = f.maybe
        if left.breaks:
            f.maybe = f.maybe or "after-break"
        r.visit(f, node.orelse)
        f.maybe = maybe
    f.env = merge([f.env, *left.breaks])
    if f.after == "after-break":
        f.after = after


def while_statement(r: Reader, f: Frame, node: ast.While) -> None:
    mark = r.graph.mark()
    text = short(f.file.segment(node.test))
    loop = r.graph.emit("loop", f"while {text}", f, node)
    loop.condition = f"while {text}"
    endless = isinstance(node.test, ast.Constant) and bool(node.test.value)

    def test() -> None:
        maybe, f.maybe = f.maybe, f.maybe if not f.loops[-1].continues else f.maybe
        f.begin()
        value = r.evaluate(f, node.test)
        r.graph.connect(value.deps, loop)
        note_header(f, loop)
        f.maybe = maybe

    _repeated(r, f, node, loop, test, endless=endless)
    close(r, f, mark, node)


def _repeated(r, f, node, loop, start, endless=False):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """A body that runs an unknown number of times: read once, or again when a name may denote something else by then."""
    outer, maybe, after = f.region, f.maybe, f.after
    f.region = loop
    before = f.env
    for _ in range(4):
        inside = r.graph.mark()
        sizes = len(f.returns), len(f.exits)
        f.loops.append(Loop())
        f.env = before.copy()
        start()
        ways = [] if endless else [f.env.copy()]
        f.maybe = maybe if endless else maybe or "loop"
        r.visit(f, node.body)
        ended = merge([f.env, *f.loops[-1].continues])
        f.maybe = maybe
        again = _widened(before, ended)
        if again is None:
            break
        r.graph.fold(inside)
        r.graph.sites = inside[2]
        del f.returns[sizes[0] :], f.exits[sizes[1] :]
        f.loops.pop()
        f.after, before = after, again
    else:
        f.loops.append(Loop())
        ways, ended = [before], before
    f.env = merge([*ways, before, ended]) if not endless else _dead(ended)
    _leave(r, f, node, after)
    f.region = outer


def _dead(env: Env) -> Env:
    made = env.copy()
    made.alive = False
    return made


def _widened(before: Env, ended: Env) -> Env | None:
    """`before`, with what a later round may see; None when that is the same."""
    if not ended.alive:
        return None
    made: Env | None = None
    for table in ("names", "heap"):
        for name, value in getattr(ended, table).items():
            old = getattr(before, table).get(name)
            if old is None or same(old.what, value.what) or not _interesting(value):
                continue
            wide = either((old.what, value.what))
            if not _same_choice(wide, old.what):
                made = made or before.copy()
                getattr(made, table)[name] = Value(old.deps, wide)
    return made


def _interesting(value: Value) -> bool:
    return holds_operators(value.what) or isinstance(value.what, Function | Instance | Partial)


def _same_choice(a: object, b: object) -> bool:
    one, two = getattr(a, "options", (a,)), getattr(b, "options", (b,))
    return len(one) == len(two)


def with_statement(r: Reader, f: Frame, node: ast.With | ast.AsyncWith) -> None:
    words = "async with" if isinstance(node, ast.AsyncWith) else "with"
    f.begin()
    values = [(item, r.evaluate(f, item.context_expr)) for item in node.items]
    mark = r.graph.mark()
    text = short(", ".join(f.file.segment(i.context_expr) for i in node.items))
    block = r.graph.emit("with", f"{words} {text}", f, node)
    block.condition = text
    for item, value in values:
        r.graph.connect(value.deps, block)
        if item.optional_vars is not None:
            assign.bind(r, f, item.optional_vars, Value(outer_deps(value.deps, block), value.what))
    note_header(f, block)
    outer, f.region = f.region, block
    r.visit(f, node.body)
    f.region = outer
    close(r, f, mark, node)


def outer_deps(deps: Deps, block: Draft) -> Deps:
    return deps | {(block, "")}


def try_statement(r: Reader, f: Frame, node: ast.Try) -> None:
    mark = r.graph.mark()
    region = r.graph.emit("try", "try", f, node)
    outer, maybe, after = f.region, f.maybe, f.after
    f.region = region
    before = f.env.copy()
    written: dict[str, Deps] = {}
    f.tries.append(written)
    for i, statement in enumerate(node.body):
        if i and node.handlers:
            f.maybe = maybe or "try-body"
        r.visit(f, [statement])
    f.tries.pop()
    f.maybe = maybe
    caught = before.copy()
    for name, deps in written.items():
        old = caught.names.get(name) or f.env.names.get(name)
        new = f.env.names.get(name)
        caught.names[name] = Value(deps | (old.deps if old else frozenset()), either((old.what if old else None, new.what if new else None)))
    caught.heap = merge([Env({}, before.heap), Env({}, f.env.heap)]).heap
    if node.orelse:
        f.maybe = maybe or ("try-body" if node.handlers else "")
        r.visit(f, node.orelse)
        f.maybe = maybe
    ends = [f.env]
    star = "except*" if type(node).__name__ == "TryStar" else "except"
    for handler in node.handlers:
        ends.append(_handler(r, f, handler, caught.copy(), maybe, star))
    returned = f.after
    f.region = region
    if node.finalbody:
        f.env = merge(ends)
        alive = f.env.alive
        f.env.alive = True
        f.env = f.env if alive else merge([f.env, caught])
        f.after = after
        last = r.graph.emit("try", "finally", f, node.finalbody[0], key="finally")
        last.tree = None
        f.region = last
        r.visit(f, node.finalbody)
        f.after = f.after or returned
        f.env.alive = f.env.alive and alive
    else:
        f.env = merge(ends)
    f.region, f.maybe = outer, maybe
    close(r, f, mark, node)


def _handler(r: Reader, f: Frame, handler: ast.ExceptHandler, env: Env, maybe: str, star: str) -> Env:
    f.env = env
    f.maybe = maybe or "except"
    title = f"{star} {f.file.segment(handler.type)}" if handler.type is not None else star
    region = f.region
    f.begin()
    value = r.evaluate(f, handler.type) if handler.type is not None else Value()
    arm = r.graph.emit("branch", title, f, handler)
    arm.condition = title
    r.graph.connect(value.deps, arm)
    note_header(f, arm)
    if handler.name:
        assign.name(f, handler.name, Value(frozenset({(arm, "")})))
    f.region = arm
    r.visit(f, handler.body)
    f.region, f.maybe = region, maybe
    return f.env
