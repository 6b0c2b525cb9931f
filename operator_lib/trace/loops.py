"""Loops, and the blocks that are entered once: with, try."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from operator_lib.trace import assign
from operator_lib.trace.frame import Env, Frame, Loop, merge
from operator_lib.trace.graph import Draft
from operator_lib.trace.reader import Reader
from operator_lib.trace.regions import close, note_header, short
from operator_lib.trace.resolve import iterate
from operator_lib.trace.values import (
    Choice,
    Class,
    Const,
    Deps,
    External,
    Function,
    Instance,
    Items,
    Many,
    Partial,
    Thing,
    Unknown,
    Value,
    either,
    holds_operators,
    same,
)  # fmt: skip

UNROLL_LIMIT = 1024
# How often a body is read until its names denote nothing new.
PASSES = 5

For = ast.For | ast.AsyncFor


def each_known(
    r: Reader, f: Frame, loop: Draft, members: list[Value] | Value, target: ast.expr
) -> Iterator[Value] | None:
    """The members one by one where it matters which one is at hand, else None.

    What does not depend on the member becomes the same node in every round.
    """
    if not isinstance(members, list) or not _unrollable(members):
        return None
    if any(not isinstance(m.what, Const) for m in members):
        loop.reason = f"{len(members)} known children, unrolled"
    return _rounds(r, f, loop, members, target)


def _rounds(r: Reader, f: Frame, loop: Draft, members: list[Value], target: ast.expr) -> Iterator[Value]:
    r.graph.repeating += 1
    made, r.made = r.made, None
    for member in members[:UNROLL_LIMIT]:
        yield Value(member.deps | {(loop, "")}, member.what)
    r.made = made
    r.graph.repeating -= 1
    if len(members) > UNROLL_LIMIT:
        r.opaque(f, target, f"{len(members) - UNROLL_LIMIT} more children", "limit")


def _unrollable(members: list[Value]) -> bool:
    """Whether members differ in a way that matters, or are few constants."""
    if any(_matters(m.what) for m in members):
        return True
    return 0 < len(members) <= 32 and all(isinstance(m.what, Const) for m in members)


def _matters(what: object) -> bool:
    if isinstance(what, Items):
        return any(_matters(v.what) for v in what.values.values())
    return isinstance(what, Function | Partial | Class) or holds_operators(what)  # type: ignore[arg-type]


def for_statement(r: Reader, f: Frame, node: For) -> None:
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
    known = each_known(r, f, loop, members, node.target)
    if known is not None:
        _unrolled(r, f, node, loop, known)
    else:
        one = Value() if isinstance(members, list) else members
        one = Value(one.deps | {(loop, "")}, one.what)
        _repeated(r, f, node, loop, lambda: assign.bind(r, f, node.target, one))
    close(r, f, mark, node)


def _unrolled(r: Reader, f: Frame, node: For, loop: Draft, members: Iterator[Value]) -> None:
    """Once for each known member."""
    outer, after = f.region, f.after
    f.region = loop
    f.loops.append(Loop())
    for member in members:
        assign.bind(r, f, node.target, member)
        r.visit(f, node.body)
        f.env = merge([f.env, *f.loops[-1].continues])
        f.loops[-1].continues.clear()
    _leave(r, f, node, after)
    f.region = outer


def _leave(r: Reader, f: Frame, node: For | ast.While, after: str) -> None:
    """``else`` and what `break` brings along."""
    left = f.loops.pop()
    if node.orelse:
        maybe = f.maybe
        r.graph.sealed = r.graph.serial
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
        f.begin()
        value = r.evaluate(f, node.test)
        r.graph.connect(value.deps, loop)
        note_header(f, loop)

    _repeated(r, f, node, loop, test, endless=endless)
    close(r, f, mark, node)


def _repeated(
    r: Reader, f: Frame, node: For | ast.While, loop: Draft, start: Callable[[], None], endless: bool = False
) -> None:
    """A body that runs an unknown number of times: read again while a name may denote something new by then."""
    outer, after = f.region, f.after
    f.region = loop
    before = f.env
    made, r.made = r.made, {}
    left = PASSES
    while True:
        left -= 1
        inside = r.graph.mark()
        sizes = len(f.returns), len(f.exits)
        f.env, f.after = before.copy(), after
        f.loops.append(Loop())
        ways, ended = _round(r, f, node, start, endless)
        wider = _widened(before, ended)
        if wider is None:
            break
        if not left:  # what was read last stays
            r.opaque(f, node, loop.name, "dynamic")
            break
        r.graph.fold(inside)
        r.graph.sites = inside[2]
        del f.returns[sizes[0] :], f.exits[sizes[1] :]
        f.loops.pop()
        before = wider
    r.made = made
    f.env = _dead(ended) if endless else merge([*ways, before, ended])
    _leave(r, f, node, after)
    f.region = outer


def _round(
    r: Reader, f: Frame, node: For | ast.While, start: Callable[[], None], endless: bool
) -> tuple[list[Env], Env]:
    """One reading of the body. Returns the ways past it, and what holds at its end."""
    maybe = f.maybe
    start()
    ways = [] if endless else [f.env.copy()]
    f.maybe = maybe if endless else maybe or "loop"
    r.visit(f, node.body)
    f.maybe = maybe
    return ways, merge([f.env, *f.loops[-1].continues])


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
            if old is None or not _interesting(value) or _covers(old.what, value.what):
                continue
            made = made or before.copy()
            getattr(made, table)[name] = Value(old.deps, _wider(old.what, value.what))
    return made


def _covers(old: Thing | None, new: Thing | None) -> bool:
    """Whether a reading with `old` has seen all that `new` can be."""
    if isinstance(new, Choice):
        return all(_covers(old, option) for option in new.options)
    if isinstance(old, Choice):
        return any(_covers(option, new) for option in old.options)
    if isinstance(old, Many):
        return all(_covers(old.element.what, v) for v in _elements(new))
    if isinstance(old, Items) and isinstance(new, Items):
        pairs = [(v.what, new.values[k].what) for k, v in old.values.items() if k in new.values]
        return len(pairs) == len(old.values) == len(new.values) and all(_covers(a, b) for a, b in pairs)
    if isinstance(old, Partial) and isinstance(new, Partial):
        return len(old.positional) == len(new.positional) and _covers(old.callee, new.callee)
    if isinstance(old, Unknown):
        return isinstance(new, Unknown)
    return same(old, new)


def _wider(old: Thing | None, new: Thing | None) -> Thing | None:
    """What a name may denote in any round. A container that grows has any number of members."""
    if isinstance(old, Items | Many) and isinstance(new, Items | Many):
        return Many(Value(what=either((*_elements(old), *_elements(new)))))
    return either((old, new))


def _elements(what: Thing | None) -> list[Thing | None]:
    if isinstance(what, Items):
        return [v.what for v in what.values.values()]
    return [what.element.what] if isinstance(what, Many) else [Unknown("dynamic")]


def _interesting(value: Value) -> bool:
    return holds_operators(value.what) or isinstance(value.what, Function | Instance | Partial)


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
            what = value.what
            if isinstance(what, Items) and what.kind == "generator":  # ``@contextmanager``
                what = what.values[0].what
            assign.bind(r, f, item.optional_vars, Value(outer_deps(value.deps, block), what))
    note_header(f, block)
    block.note(f.writes, block.outputs)
    outer, f.region = f.region, block
    if any(_swallows(value.what) for _, value in values):
        _interrupted(r, f, node.body)
    else:
        r.visit(f, node.body)
    f.region = outer
    close(r, f, mark, node)


def _swallows(what: Thing | None) -> bool:
    return isinstance(what, External) and what.name == "contextlib.suppress()"


def _interrupted(r: Reader, f: Frame, body: list[ast.stmt]) -> None:
    """Statements of which only the first call surely begins: what any of them raises is caught here."""
    maybe, start, begun = f.maybe, len(r.graph.drafts), False
    r.visit(f, body[:1])
    for draft in r.graph.drafts[start:]:
        if draft.frame is f:
            if begun and draft.certainty == "exact":
                draft.certainty, draft.reason = "may", draft.reason or "try-body"
            begun = begun or draft.kind == "call"
    f.maybe = maybe or "try-body"
    r.visit(f, body[1:])
    f.maybe = maybe


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
    # Also a `finally` that leaves by break, continue or return swallows what was raised.
    leaves = (isinstance(n, ast.Break | ast.Continue | ast.Return) for s in node.finalbody for n in ast.walk(s))
    (_interrupted if node.handlers or any(leaves) else Reader.visit)(r, f, node.body)
    f.tries.pop()
    caught = before.copy()
    for name, deps in written.items():
        old = caught.names.get(name) or f.env.names.get(name)
        new = f.env.names.get(name)
        caught.names[name] = Value(
            deps | (old.deps if old else frozenset()), either((old.what if old else None, new.what if new else None))
        )
    caught.heap = merge([Env({}, before.heap), Env({}, f.env.heap)]).heap
    if node.orelse:
        f.maybe = maybe or ("try-body" if node.handlers else "")
        r.graph.sealed = r.graph.serial
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
        arm.note([handler.name], arm.outputs)
    f.region = arm
    r.visit(f, handler.body)
    f.region, f.maybe = region, maybe
    return f.env
