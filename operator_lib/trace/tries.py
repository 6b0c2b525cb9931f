"""`try`: a handler sees whatever was defined before the error, the last block every way out."""

from __future__ import annotations

import ast

from operator_lib.trace import assign
from operator_lib.trace.frame import Env, Frame, Heap, joined, merge
from operator_lib.trace.reader import Reader
from operator_lib.trace.regions import close, note_header
from operator_lib.trace.values import Place, Value

# What was written while a block was read, by name and by place.
Written = tuple[dict[str, list[Value]], dict[Place, list[Value]]]


def try_statement(r: Reader, f: Frame, node: ast.Try) -> None:
    mark = r.graph.mark()
    region = r.graph.emit("try", "try", f, node)
    outer, maybe, after = f.region, f.maybe, f.after
    f.region = region
    before = f.env.copy()
    left = _Left(f)
    _watch(r, f)
    # Also a `finally` that leaves by break, continue or return swallows what was raised.
    leaves = (isinstance(n, ast.Break | ast.Continue | ast.Return) for s in node.finalbody for n in ast.walk(s))
    (stopping if node.handlers or any(leaves) else Reader.visit)(r, f, node.body)
    in_body = _unwatch(r, f)
    caught = _interrupted(before, in_body, f.env)
    _watch(r, f)
    if node.orelse:
        f.maybe = maybe or ("try-body" if node.handlers else "")
        r.graph.sealed = r.graph.serial
        r.visit(f, node.orelse)
        f.maybe = maybe
    ends = [f.env]
    star = "except*" if type(node).__name__ == "TryStar" else "except"
    for handler in node.handlers:
        ends.append(_handler(r, f, handler, caught.copy(), maybe, star))
    later = _unwatch(r, f)
    returned = f.after
    f.region = region
    f.env = merge(ends)
    if node.finalbody:
        f.after = after
        _finally(r, f, node.finalbody, _interrupted(caught, later, f.env))
        f.after = f.after or returned
        left.join(f)
    f.region, f.maybe = outer, maybe
    close(r, f, mark, node)


def stopping(r: Reader, f: Frame, body: list[ast.stmt]) -> None:
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


def _watch(r: Reader, f: Frame) -> None:
    """Take note of everything that is written from here on."""
    f.tries.append({})
    r.caught.append({})


def _unwatch(r: Reader, f: Frame) -> Written:
    return f.tries.pop(), r.caught.pop()


def _interrupted(before: Env, written: Written, ended: Env) -> Env:
    """What may hold when an error has ended a block somewhere in its middle."""
    names, heap = dict(before.names), dict(before.heap)
    _join(names, written[0])
    _join(heap, written[1])
    for name, value in ended.names.items():  # bound by a function inside
        if name not in names:
            names[name] = value
    ended_heap = merge([Env({}, heap), Env({}, ended.heap)]).heap
    return Env(names, ended_heap, before.alive)


def _join(table: dict[str, Value] | Heap, written: dict[str, list[Value]] | dict[Place, list[Value]]) -> None:
    for key, values in written.items():
        one = table.get(key)  # type: ignore[arg-type]
        for value in values:
            one = value if one is None else joined(one, value)
        assert one is not None
        table[key] = one  # type: ignore[index]


def _finally(r: Reader, f: Frame, body: list[ast.stmt], interrupted: Env) -> None:
    """The last block: entered on every way, but only the ordinary one leads to what comes after it."""
    ordinary, alive = f.env, f.env.alive
    f.env = merge([Env(ordinary.names, ordinary.heap), interrupted]) if alive else interrupted
    entered = f.env.copy()
    last = r.graph.emit("try", "finally", f, body[0], key="finally")
    last.tree = None
    f.region = last
    r.visit(f, body)
    names = {n: v if entered.names.get(n) is not v else ordinary.names.get(n, v) for n, v in f.env.names.items()}
    heap = {p: v if entered.heap.get(p) is not v else ordinary.heap.get(p, v) for p, v in f.env.heap.items()}
    f.env = Env(names, heap, f.env.alive and alive)


class _Left:
    """The ways out of a `try` that jump over its end: its last block runs on them too."""

    def __init__(self, f: Frame) -> None:
        self.lists = [f.exits, *(way for loop in f.loops for way in (loop.breaks, loop.continues))]
        self.sizes = [len(way) for way in self.lists]

    def join(self, f: Frame) -> None:
        for ways, size in zip(self.lists, self.sizes, strict=True):
            for i in range(size, len(ways)):
                ways[i] = merge([ways[i], Env(f.env.names, f.env.heap)])


def _handler(r: Reader, f: Frame, handler: ast.ExceptHandler, env: Env, maybe: str, star: str) -> Env:
    f.env = env
    f.maybe = maybe or "except"
    title = f"{star} {f.file.segment(handler.type)}" if handler.type is not None else star
    region = f.region
    f.begin()
    value = r.evaluate(f, handler.type) if handler.type is not None else Value()
    arm = r.graph.emit("branch", title, f, handler)
    arm.condition, arm.arm = title, True
    r.graph.connect(value.deps, arm)
    note_header(r, f, arm)
    if handler.name:
        assign.name(r, f, handler.name, Value(frozenset({(arm, "")})), handler)
        arm.note([handler.name], arm.outputs)
    f.region = arm
    r.visit(f, handler.body)
    f.region, f.maybe = region, maybe
    return f.env
