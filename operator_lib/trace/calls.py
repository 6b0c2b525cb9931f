"""Calls: what is called, with which arguments, and what becomes of it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from operator_lib.trace import expand, remote
from operator_lib.trace.args import Args, label
from operator_lib.trace.expand import settle
from operator_lib.trace.foreign import as_method, item_getter, opened, worth_reading
from operator_lib.trace.frame import Frame
from operator_lib.trace.habits import (
    CALLERS,
    CHANGERS,
    COPIES,
    FRESH_METHODS,
    PURE,
    PURE_METHODS,
    SIMPLE,
    changes_itself,
    changes_nothing,
    gives_new,
)  # fmt: skip
from operator_lib.trace.known import external_result, method_result
from operator_lib.trace.library import CALLING
from operator_lib.trace.objects import NONE, changed, copied, holding, reachable
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import Property, entry
from operator_lib.trace.values import (
    DATA,
    Cells,
    Choice,
    Class,
    Const,
    External,
    Foreign,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Method,
    Partial,
    Super,
    Thing,
    Unknown,
    Value,
    holds_operators,
)  # fmt: skip


def call(r: Reader, f: Frame, node: ast.Call) -> Value:
    """The visitor of ``ast.Call``."""
    r.steps += 1
    if isinstance(node.func, ast.Name) and node.func.id == "super" and "super" not in f.env.names:
        return Value(what=_super(r, f, node))
    callee = r.evaluate(f, node.func)
    args = Args.read(r, f, node)
    return apply(r, f, callee, args, node)


def _super(r: Reader, f: Frame, node: ast.Call) -> Thing | None:
    for arg in node.args:
        r.evaluate(f, arg)
    frame: Frame | None = f
    while frame is not None and frame.function is not None:
        if frame.me is not None and frame.function.owner is not None:
            return Super(frame.me, frame.function.owner)
        frame = frame.function.home
    return External("super()")


def apply(r: Reader, f: Frame, callee: Value, args: Args, node: ast.Call) -> Value:
    """``callee(*args)``."""
    what = callee.what
    if isinstance(what, Choice):
        return _choice(r, f, callee, what, args, node)
    if isinstance(what, Partial):
        return apply(r, f, Value(callee.deps, what.callee), args.after(what.positional, what.keywords), node)
    if isinstance(what, Instance):
        return _instance(r, f, callee, what, args, node)
    if isinstance(what, Function):
        return _function(r, f, callee, what, args, node)
    if isinstance(what, Class):
        return expand.construct(r, f, what, args, node)
    if isinstance(what, Method):
        return _method(r, f, what, args, node)
    if isinstance(what, Unknown):
        return _opaque(r, f, callee, args, node, what.reason)
    if isinstance(what, Foreign) and worth_reading(args) and (inside := opened(what, r.world)) is not None:
        return apply(r, f, Value(callee.deps, inside), args, node)
    if isinstance(what, External):
        return _external(r, f, callee, what, args, node)
    if isinstance(what, Items | Many) or (what is None and _may_be_called(f, node.func)):
        return _opaque(r, f, callee, args, node, "dynamic")
    return _plain(r, f, callee, args, node)


def _may_be_called(f: Frame, func: ast.expr) -> bool:
    """Whether something of which nothing is known is called itself; else a method of data is."""
    return isinstance(func, ast.Name | ast.Subscript | ast.Call) or _is_own_attribute(f, func)


def _choice(r: Reader, f: Frame, callee: Value, what: Choice, args: Args, node: ast.Call) -> Value:
    maybe, f.maybe = f.maybe, f.maybe or "choice"
    found = [apply(r, f, Value(callee.deps, option, callee.cells, callee.part), args, node) for option in what.options]
    f.maybe = maybe
    made = found[0].what if len(found) == 1 else None
    made = Choice((made,)) if isinstance(made, Instance) else made  # if it is that one at all
    cells = None if any(v.cells is None for v in found) else NONE.union(*(v.cells for v in found if v.cells))
    return Value(args.deps.union(*(v.deps for v in found)), made, cells, any(v.part for v in found))


def _instance(r: Reader, f: Frame, callee: Value, what: Instance, args: Args, node: ast.Call) -> Value:
    if what.operator:
        return expand.operator_call(r, f, callee, what, args, node)
    target = entry(what)
    if isinstance(target, Function):
        return _function(r, f, callee, target, args, node)
    return _plain(r, f, callee, args, node)


def _function(r: Reader, f: Frame, callee: Value, what: Function, args: Args, node: ast.Call) -> Value:
    if what.owner is not None and what.bound is None:
        what, args = as_method(what, args)
    bound = what.bound
    if isinstance(bound, Instance) and bound.operator and what.name == "forward" and bound is not f.me:
        return expand.operator_call(r, f, callee, bound, args, node)
    mine = (isinstance(bound, Instance) and bound.operator) or what.file is f.file or what.home is not None
    if mine or r.world.in_project(what.file.filename) or worth_reading(args):
        return expand.helper_call(r, f, what, args, node)
    return _external(r, f, DATA, External(what.name), args, node)


def _opaque(r: Reader, f: Frame, callee: Value, args: Args, node: ast.Call, reason: str) -> Value:
    draft = r.opaque(f, node, label(node.func, f.file), reason)
    if reason == "absent":
        # Nothing gives the object this attribute: what is around the call keeps it from being reached.
        draft.certainty, draft.reason = ("may", reason) if _guarded(f) else ("opaque", "attribute")
    draft.note(args.labels, draft.inputs)
    r.graph.connect(callee.deps | args.deps, draft)
    _handed_over(r, f, args, node, "")
    _may_write(r, f, args)
    if callee.cells and callee.part:
        changed(r, f, callee, args.deps, assumed=True)
    settle(r, f, draft)
    return Value(frozenset({(draft, "")}), None, _reachable(args), True)


def _guarded(f: Frame) -> bool:
    """Whether it may be that the program does not come here."""
    region, why = f.region, f.why
    while not why and region is not None:
        why = region.certainty == "may"
        region = region.parent
    return bool(why)


def _external(r: Reader, f: Frame, callee: Value, what: External, args: Args, node: ast.Call) -> Value:
    if what.name in ("eval", "exec"):
        return _opaque(r, f, DATA, args, node, "eval")
    if not r.live and what.name.endswith("()") and _is_own_attribute(f, node.func):
        return _opaque(r, f, DATA, args, node, "outside-project")
    if what.name in remote.LATCHES:
        return remote.latched(r, f, what.name, args, node)
    calling = CALLING.get(what.name)
    result = calling(r, f, args, node) if calling is not None else external_result(r, f, what.name, args)
    if result is not None:
        return result
    short = what.name.rpartition(".")[2]
    made = External(f"{what.name}()")
    written = any(_given(args.keywords.get(name)) for name in ("out", "inplace"))
    if callee.cells and callee.part:  # a method of an object that is not of the project
        deps = callee.deps | args.deps | _handed_over(r, f, args, node, "")
        if short in PURE_METHODS:
            return Value(deps, made, None if short in FRESH_METHODS else callee.cells, True)
        if changes_itself(what.name, written):
            changed(r, f, Value(callee.deps, callee.what, callee.cells), args.deps, assumed=True)
            return Value(deps, made, callee.cells, True)
        changed(r, f, callee, args.deps, members=_reachable(args) or NONE, assumed=short not in CHANGERS)
        if short not in CHANGERS:
            _may_write(r, f, args)
        return Value(deps, made, callee.cells | (_reachable(args) or NONE), True)
    pure = short in PURE and "()" not in what.name  # not a method of something that such code has made
    if pure and short not in CALLERS:
        if short in SIMPLE:
            return Value(args.deps, made, NONE)
        return holding(r, f, node, Value(args.deps, made), args.values)
    called = _handed_over(r, f, args, node, short if short in CALLERS else "")
    harmless = changes_nothing(what.name, written)
    if harmless and gives_new(what.name):
        return Value(args.deps | called, made)
    if pure or harmless or short in CALLERS:
        return holding(r, f, node, Value(args.deps | called, made), args.values)
    _may_write(r, f, args)
    return Value(args.deps | called, made, _reachable(args), True)


def _given(value: Value | None) -> bool:
    """Whether an argument may be anything but None or False."""
    return value is not None and not (isinstance(value.what, Const) and not value.what.value)


def _is_own_attribute(f: Frame, func: ast.expr) -> bool:
    """``self.name``: made by something that was not read, so it may well be an operator."""
    if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name) or f.me is None:
        return False
    base = f.env.names.get(func.value.id)
    return base is not None and base.what is f.me


def _method(r: Reader, f: Frame, what: Method, args: Args, node: ast.Call) -> Value:
    of = what.of
    if isinstance(of.what, Instance):
        return expand.machinery(r, f, of, what.name, args, node)
    if isinstance(of.what, Class):
        made = expand.construct(r, f, of.what, Args.none(), node)
        return expand.machinery(r, f, Value(of.deps, made.what), what.name, args, node)
    result = method_result(r, f, what, args, node)
    if result is not None:
        return result
    made = _handed_over(r, f, args, node, "")
    deps = of.deps | args.deps | made
    if what.name == "copy":
        return copied(r, f, node, of, deps)
    if what.name in PURE_METHODS:
        if what.name in FRESH_METHODS or isinstance(of.what, Const):
            return Value(deps, None, NONE if what.name not in COPIES else None)
        return Value(deps, None, of.cells, True)
    known = what.name in CHANGERS
    changed(r, f, of, args.deps, members=_reachable(args) or NONE, assumed=not known)
    if not known:
        _may_write(r, f, args)
    cells = (of.cells or NONE) | (_reachable(args) or NONE)
    return Value(deps, None, cells or None, True)


def _plain(r: Reader, f: Frame, callee: Value, args: Args, node: ast.Call) -> Value:
    made = _handed_over(r, f, args, node, "")
    if callee.cells:
        changed(r, f, callee, args.deps, assumed=True)
    _may_write(r, f, args)
    cells = (callee.cells or NONE) | (_reachable(args) or NONE)
    return Value(callee.deps | args.deps | made, None, cells or None, True)


def _reachable(args: Args) -> Cells | None:
    """The objects that an unknown result may be: those that went in."""
    cells = [v.cells for v in args.values if v.cells]
    return NONE.union(*cells) if cells else None


def members_of(value: Value) -> list[Value]:
    """A value and, for a container just made, its members."""
    if isinstance(value.what, Items) and value.cells is None:
        return [value, *value.what.values.values()]
    return [value]


def _may_write(r: Reader, f: Frame, args: Args) -> None:
    for value in args.values:
        cells = NONE.union(*(v.cells for v in members_of(value) if v.cells))
        if cells:
            changed(r, f, Value(cells=reachable(r, cells), part=True), args.deps, assumed=True)
        elif isinstance(value.what, Instance):
            changed(r, f, value, args.deps, assumed=True)


def _handed_over(r: Reader, f: Frame, args: Args, node: ast.Call, caller: str) -> frozenset[tuple[expand.Draft, str]]:
    """Operators and functions given to code that cannot be read: it may call them."""
    made: set[tuple[expand.Draft, str]] = set()
    maybe, f.maybe = f.maybe, f"called by {caller}" if caller else "callback"
    for value in args.values:
        given = value.what
        if isinstance(given, Function) and r.world.in_project(given.file.filename):
            f.uses.update(r.uses.callback(given))
        for what in _callables(value.what):
            mark = r.graph.mark()
            if isinstance(what, Function):
                rest = Args.unknown(args.deps)
                value = expand.helper_call(r, f, what, rest, node, extra=("callback", id(what.node)))
            else:
                value = expand.operator_call(r, f, value, what, Args.unknown(args.deps), node, extra="handed over")
                if not caller:
                    for draft in r.graph.drafts[mark[0] :]:
                        if draft.parent is f.region and draft.kind == "call":
                            draft.certainty, draft.reason = "opaque", "escapes"
            made.update(value.deps)
    f.maybe = maybe
    return frozenset(made)


def _callables(what: Thing | None, depth: int = 0) -> Sequence[Function | Instance]:
    if isinstance(what, Function):
        mine = what.home is not None or (isinstance(what.bound, Instance) and what.bound.operator)
        return (what,) if mine or what.live is None or holds_operators(what.bound) else ()
    if isinstance(what, FunctionOperator) or (isinstance(what, Instance) and what.operator):
        return (what,)
    found: list[Function | Instance] = []
    if depth < 3:
        if isinstance(what, Items):
            for value in what.values.values():
                found.extend(_callables(value.what, depth + 1))
        elif isinstance(what, Choice):
            for option in what.options:
                found.extend(_callables(option, depth + 1))
        elif isinstance(what, Partial):
            found.extend(_callables(what.callee, depth + 1))
        elif isinstance(what, Many):
            found.extend(_callables(what.element.what, depth + 1))
    return found


def read_property(r: Reader, f: Frame, found: Value, node: ast.Attribute) -> Value:
    """``self.name`` where `name` is a property: its function is read like a helper."""
    assert isinstance(found.what, Property)
    function = found.what.function
    if not isinstance(function, Function):
        return Value(found.deps)
    return expand.helper_call(r, f, function, Args.none(), node)


def read_item(r: Reader, f: Frame, base: Value, index: Value, node: ast.Subscript) -> Value | None:
    """``base[index]`` where the class says what that is; None: it does not."""
    getter = item_getter(base.what) if isinstance(base.what, Instance) else None
    if getter is None:
        return None
    value = expand.helper_call(r, f, getter, Args([index], trees=[node.slice]), node)
    return Value(value.deps | base.deps, value.what)
