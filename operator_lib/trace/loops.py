"""Loops, and the block that is entered once: with."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from operator_lib.trace import assign, swallowing, tries
from operator_lib.trace.frame import Env, Frame, Loop, merge
from operator_lib.trace.graph import Draft
from operator_lib.trace.reader import Reader
from operator_lib.trace.regions import close, note_header, short
from operator_lib.trace.resolve import iterate
from operator_lib.trace.values import (
    Cells,
    Choice,
    Class,
    Const,
    Dep,
    Deps,
    External,
    Function,
    Instance,
    Items,
    Many,
    Partial,
    Place,
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
    turn = r.turn
    for number, member in enumerate(members[:UNROLL_LIMIT]):
        r.turn = (*turn, number)
        yield Value(member.deps | {(loop, "")}, member.what, member.cells, member.part)
    r.made, r.turn = made, turn
    r.graph.repeating -= 1
    if len(members) > UNROLL_LIMIT:
        r.opaque(f, target, f"{len(members) - UNROLL_LIMIT} more children", "limit")


def any_member(members: list[Value] | Value) -> Value:
    """One value for whichever member is at hand."""
    if isinstance(members, Value):
        return members
    cells = [m.cells for m in members if m.cells]
    deps = frozenset[Dep]().union(*(m.deps for m in members))
    what = either(m.what for m in members) if all(isinstance(m.what, External) for m in members) else None
    return Value(deps, what, frozenset[Place]().union(*cells) if cells else None, any(m.part for m in members))


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
    note_header(r, f, loop)
    members = iterate(source, f.env.heap, r.world)
    known = each_known(r, f, loop, members, node.target)
    if known is not None:
        _unrolled(r, f, node, loop, known)
    else:
        one = any_member(members)
        one = Value(one.deps | {(loop, "")}, one.what, one.cells, one.part)
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
    if f.after == "after-break":  # what breaks in `else` leaves the loop around
        f.after = after
    if node.orelse:
        maybe = f.maybe
        r.graph.sealed = r.graph.serial
        if left.breaks:
            f.maybe = f.maybe or "after-break"
        r.visit(f, node.orelse)
        f.maybe = maybe
    f.env = merge([f.env, *left.breaks])


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
        note_header(r, f, loop)

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
        wider = _widened(before, ended, aliases=left > 2)
        if wider is None:
            break
        if not left:  # what was read last stays
            r.opaque(f, node, loop.name, "dynamic")
            break
        r.graph.fold(inside)
        r.graph.sites = inside[2]
        f.touched = []
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


def _widened(before: Env, ended: Env, aliases: bool) -> Env | None:
    """`before`, with what a later round may see; None when that is the same."""
    if not ended.alive:
        return None
    made: Env | None = None
    for table in ("names", "heap"):
        for name, value in getattr(ended, table).items():
            old = getattr(before, table).get(name)
            if old is None or old is value:
                continue
            cells = _wider_cells(old, value, before, ended) if aliases else old.cells
            seen = not _interesting(value) or _covers(old.what, value.what)
            if not seen or cells is not old.cells:
                wide = old.what if seen else _wider(old.what, value.what)
                made = made or before.copy()
                getattr(made, table)[name] = Value(old.deps, wide, cells, old.part or value.part)
    return made


def _wider_cells(old: Value, new: Value, before: Env, ended: Env) -> Cells | None:
    """The objects that a name may refer to in a later round, where one of them was changed in this one."""
    if not new.cells or (old.cells and new.cells <= old.cells):
        return old.cells
    both = new.cells | old.cells if old.cells else new.cells
    if any(before.heap.get(c) is not ended.heap.get(c) for c in both):
        return both
    return old.cells


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
            assign.bind(r, f, item.optional_vars, Value(outer_deps(value.deps, block), what, value.cells, True))
    note_header(r, f, block)
    block.note(f.writes, block.outputs)
    outer, f.region = f.region, block
    if any(swallowing.swallows(r, f, item, value.what) for item, value in values):
        block.reason = "suppresses"
        tries.stopping(r, f, node.body)
    else:
        r.visit(f, node.body)
    f.region = outer
    close(r, f, mark, node)


def outer_deps(deps: Deps, block: Draft) -> Deps:
    return deps | {(block, "")}
