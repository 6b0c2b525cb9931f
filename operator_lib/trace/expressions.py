"""Expressions: every one is visited, in the order in which Python evaluates, and gives a `Value`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from operator_lib.trace import assign, calls, comprehension, regions, shared
from operator_lib.trace.frame import Frame, merge
from operator_lib.trace.library import repeated
from operator_lib.trace.objects import NONE as FIXED
from operator_lib.trace.objects import READ, WHOLE, current, holding, used
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import Property, attribute, contents, iterate, many, subscript
from operator_lib.trace.values import (
    DATA,
    Class,
    Const,
    Deps,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Maybe,
    Method,
    Module,
    Text,
    Thing,
    Value,
    either,
)  # fmt: skip

NONE: Deps = frozenset()
# What these are made of shows where they are called.
_READ_ELSEWHERE = (Function, FunctionOperator, Class, Module, Method)
_HAVE_PARTS = (Instance, Class, Module)


def evaluate(r: Reader, f: Frame, node: ast.expr) -> Value:
    """What `node` denotes and where it comes from; calls in it become nodes."""
    return _VISITORS.get(type(node), _other)(r, f, node)


def _name(r: Reader, f: Frame, node: ast.Name) -> Value:
    found = f.env.names.get(node.id) if node.id not in f.globals else None
    if found is None:
        home = f.function.home if f.function is not None and node.id not in f.globals else None
        while home is not None:
            found = home.env.names.get(node.id)
            if found is not None:
                if node.id in home.shared:
                    f.touched.append(((home.spot, node.id), READ))
                break
            home = home.function.home if home.function is not None else None
        if found is None:
            what = f.lookup(node.id)
            if not isinstance(what, _READ_ELSEWHERE):
                f.uses.update(r.uses.name(f.file, node.id))
            found = shared.read_global(r, f, node.id, what)
            if not found.cells:
                return found
            return current(r, f, found)
    elif node.id in f.shared:
        f.touched.append(((f.spot, node.id), READ))
    if node.id not in f.reads and not (isinstance(found.what, Instance) and found.what is f.me):
        f.reads.append(node.id)
    if found.cells:
        return current(r, f, found)
    return found


def _constant(r: Reader, f: Frame, node: ast.Constant) -> Value:
    return Value(what=Const(node.value))


def _attribute(r: Reader, f: Frame, node: ast.Attribute) -> Value:
    return of_attribute(r, f, evaluate(r, f, node.value), node)


def of_attribute(r: Reader, f: Frame, base: Value, node: ast.Attribute) -> Value:
    """The attribute of something that has been evaluated."""
    name = assign.mangled(f, node.attr) if node.attr[:2] == "__" else node.attr
    found = attribute(base, name, f.env.heap, r.world)
    what = found.what
    if isinstance(what, Property):
        return calls.read_property(r, f, found, node)
    if isinstance(base.what, _HAVE_PARTS) and not isinstance(what, _READ_ELSEWHERE):
        f.uses.update(r.uses.attribute(base.what, node.attr, f.file))
    if isinstance(base.what, Module):
        return shared.read_module(r, f, base.what, node.attr, what)
    if isinstance(base.what, Instance | Class):
        return _state(r, f, base, node, found)
    if base.cells and not isinstance(what, Function | Instance):
        # Part of the object, or a method that it is bound to.
        return current(r, f, Value(found.deps, what, base.cells, True))
    return found


def _state(r: Reader, f: Frame, base: Value, node: ast.Attribute, found: Value) -> Value:
    """An attribute of an object or class of the program."""
    if isinstance(found.what, Function | Method):
        return found
    of = base.what
    if isinstance(of, Instance):
        place = (of.identity, node.attr)
        f.touched.append((place, READ))
        if isinstance(found.what, Instance):
            return found
        written = f.env.heap.get(place)
        if base.what is f.me:
            name = f"self.{node.attr}"
            if name not in f.reads and written is not r.heap.get(place):
                f.reads.append(name)
        if r.escaped and (everything := f.env.heap.get((of.identity, WHOLE))) is not None:
            f.touched.append(((of.identity, WHOLE), READ))
            found = Value(found.deps | everything.deps, found.what, found.cells, found.part)
        if written is None or isinstance(written.what, Maybe):
            found = shared.read_class(r, f, of, node.attr, found)
    else:
        found = shared.read_class(r, f, None, node.attr, found)
    if found.cells:
        return current(r, f, found)
    return found


def _subscript(r: Reader, f: Frame, node: ast.Subscript) -> Value:
    base = evaluate(r, f, node.value)
    index = evaluate(r, f, node.slice)
    if isinstance(base.what, Instance) and contents(base.what, f.env.heap, r.world) is None:
        found = calls.read_item(r, f, base, index, node)
        if found is not None:
            return found
    return of_subscript(r, f, base, index)


def of_subscript(r: Reader, f: Frame, base: Value, index: Value) -> Value:
    """The member of something that has been evaluated."""
    found = subscript(base, index, f.env.heap, r.world)
    if found.cells and found.cells is not base.cells:
        return current(r, f, found)
    return found


def _slice(r: Reader, f: Frame, node: ast.Slice) -> Value:
    nothing = Value(what=Const(None))
    values = [evaluate(r, f, p) if p is not None else nothing for p in (node.lower, node.upper, node.step)]
    known = [v.what.value for v in values if isinstance(v.what, Const)]
    return Value(NONE.union(*(v.deps for v in values)), Const(slice(*known)) if len(known) == len(values) else None)


def _set(r: Reader, f: Frame, node: ast.Set) -> Value:
    values = [evaluate(r, f, e) for e in node.elts]
    return Value(NONE.union(*(v.deps for v in values)), many(values, "set"))


def _sequence(r: Reader, f: Frame, node: ast.List | ast.Tuple) -> Value:
    values: list[Value] = []
    loose: list[Value] = []
    for element in node.elts:
        value = evaluate(r, f, element.value if isinstance(element, ast.Starred) else element)
        if isinstance(element, ast.Starred):
            if isinstance(value.what, Items) and value.what.kind != "dict":
                values.extend(value.what.values.values())
            else:
                loose.append(value)
        else:
            values.append(value)
    deps = NONE.union(*(v.deps for v in (*values, *loose)))
    if loose:
        return holding(r, f, node, Value(deps, many([*values, *loose])), [*values, *loose])
    return Value(deps, Items.of(values, "tuple" if isinstance(node, ast.Tuple) else "list"))


def _dict(r: Reader, f: Frame, node: ast.Dict) -> Value:
    known: dict[Any, Value] = {}
    deps = NONE
    exact = True
    for key, item in zip(node.keys, node.values, strict=True):
        index = evaluate(r, f, key) if key is not None else DATA
        value = evaluate(r, f, item)
        deps |= index.deps | value.deps
        if key is None and isinstance(value.what, Items) and value.what.kind == "dict":
            known.update(value.what.values)
        elif isinstance(index.what, Const):
            known[index.what.value] = value
        else:
            exact = False
            known[object()] = value
    if exact:
        return Value(deps, Items("dict", known))
    return holding(r, f, node, Value(deps, many(list(known.values()))), list(known.values()))


def _bool(r: Reader, f: Frame, node: ast.BoolOp) -> Value:
    values = [evaluate(r, f, node.values[0])]
    kind = " and " if isinstance(node.op, ast.And) else " or "
    before, maybe = f.env.copy(), f.maybe
    f.maybe = f.maybe or "boolop"
    for i, operand in enumerate(node.values[1:], 1):
        start = len(r.graph.drafts)
        values.append(evaluate(r, f, operand))
        text = f.file.segment(node.values[0], node.values[i - 1])
        regions.conditioned(r, start, text if kind == " and " else f"not ({text})")
    f.maybe = maybe
    f.env = merge([before, f.env]) if len(f.env.names) != len(before.names) or f.env.heap != before.heap else f.env
    return one_of(NONE.union(*(v.deps for v in values)), values)


def one_of(deps: Deps, values: list[Value]) -> Value:
    """Any one of some values."""
    cells = [v.cells for v in values if v.cells]
    what = either(v.what for v in values)
    return Value(deps, what, FIXED.union(*cells) if cells else None, any(v.part for v in values))


def _compare(r: Reader, f: Frame, node: ast.Compare) -> Value:
    left = evaluate(r, f, node.left)
    deps, maybe = left.deps, f.maybe
    right = left
    for i, operand in enumerate(node.comparators):
        if i:
            f.maybe = f.maybe or "boolop"
        right = evaluate(r, f, operand)
        deps |= right.deps
    f.maybe = maybe
    return Value(
        deps,
        _compared(node.ops[0], left.what, right.what) if r.building and len(node.ops) == 1 else None,
        FIXED if len(node.ops) > 1 else None,
    )


def _compared(op: ast.cmpop, a: Thing | None, b: Thing | None) -> Thing | None:
    """A comparison that is decided while a constructor is read."""
    if isinstance(b, Const) and b.value is None and isinstance(a, Instance | Items | Function | Class | Const):
        absent = isinstance(a, Const) and a.value is None
        return Const(absent == isinstance(op, ast.Is)) if isinstance(op, ast.Is | ast.IsNot) else None
    if isinstance(op, ast.In | ast.NotIn) and isinstance(a, Const) and isinstance(b, Items):
        inside = [v.what for v in b.values.values()]
        members = b.values if b.kind == "dict" else [w.value for w in inside if isinstance(w, Const)]
        return Const((a.value in members) == isinstance(op, ast.In)) if len(members) == len(b.values) else None
    if isinstance(a, Const) and isinstance(b, Const) and type(op) in _COMPARED and type(a.value) is type(b.value):
        return Const(_COMPARED[type(op)](a.value, b.value)) if type(a.value) in (int, str, float, bool) else None
    return None


_COMPARED: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def _binary(r: Reader, f: Frame, node: ast.BinOp) -> Value:
    return combined(r, f, node, node.op, evaluate(r, f, node.left), evaluate(r, f, node.right))


def combined(r: Reader, f: Frame, node: ast.AST, op: ast.operator, left: Value, right: Value) -> Value:
    """``left op right``."""
    what: Thing | None = None
    a, b = left.what, right.what
    if isinstance(op, ast.Add) and isinstance(a, Items) and isinstance(b, Items) and a.kind != "dict":
        what = Items.of([*a.values.values(), *b.values.values()], a.kind)
    elif isinstance(op, ast.Mult) and (isinstance(a, Items) or isinstance(b, Items)):
        what = repeated(a, b)
    elif isinstance(a, Const) and isinstance(b, Const):
        what = _folded(op, a.value, b.value)
    made = Value(left.deps | right.deps, what)
    if _fixed(left) and _fixed(right):
        made.cells = FIXED
    elif isinstance(op, _SHARING) and (left.cells or right.cells) and not isinstance(b, Const):
        return holding(r, f, node, made, [left, right])
    return made


# Operators of which the result may hold the members of an operand.
_SHARING = ast.Add | ast.BitOr


def _fixed(value: Value) -> bool:
    return isinstance(value.what, Const) or (value.cells is not None and not value.cells)


def _folded(op: ast.operator, a: Any, b: Any) -> Thing | None:
    if type(a) is not type(b) or type(a) not in (int, str):
        return None
    if isinstance(op, ast.Add) and (not isinstance(a, str) or len(a) + len(b) < 1000):
        return Const(a + b)
    if isinstance(a, int) and isinstance(op, ast.Sub):
        return Const(a - b)
    return None


def _unary(r: Reader, f: Frame, node: ast.UnaryOp) -> Value:
    value = evaluate(r, f, node.operand)
    if isinstance(node.op, ast.USub) and isinstance(value.what, Const) and type(value.what.value) is int:
        return Value(value.deps, Const(-value.what.value))
    if isinstance(node.op, ast.Not) and r.building and isinstance(value.what, Const):
        return Value(value.deps, Const(not value.what.value))
    return Value(value.deps)


def _joined(r: Reader, f: Frame, node: ast.JoinedStr) -> Value:
    text: list[str] | None = []
    deps = NONE
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            value = used(r, f, evaluate(r, f, part.value))
            deps |= value.deps
            if part.format_spec is not None:
                deps |= evaluate(r, f, part.format_spec).deps
                text = None
            if isinstance(value.what, Const) and part.conversion == -1 and text is not None:
                text = [*text, str(value.what.value)]
            else:
                text = None
        elif isinstance(part, ast.Constant) and text is not None:
            text = [*text, str(part.value)]
    first = node.values[0] if node.values else None
    if text is None and isinstance(first, ast.Constant):
        return Value(deps, Text(str(first.value)), FIXED)
    return Value(deps, Const("".join(text)) if text is not None else None, FIXED)


def _lambda(r: Reader, f: Frame, node: ast.Lambda) -> Value:
    from operator_lib.trace.definitions import closure

    return closure(r, f, node, "lambda")


def _named(r: Reader, f: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(r, f, node.value)
    assign.bind(r, f, node.target, value)
    return f.env.names.get(node.target.id, value)


def _yield(r: Reader, f: Frame, node: ast.Yield | ast.YieldFrom) -> Value:
    value = used(r, f, evaluate(r, f, node.value)) if node.value is not None else DATA
    f.returns.append(Value(value.deps, None, value.cells, True))
    found = iterate(value, f.env.heap, r.world) if isinstance(node, ast.YieldFrom) else [value]
    f.counted = f.counted and isinstance(found, list) and f.why in ("", "generator")
    f.yields.extend(found if isinstance(found, list) else [found])
    return Value(value.deps, None, value.cells, True)


def _passed_on(r: Reader, f: Frame, node: ast.Await | ast.Starred) -> Value:
    return evaluate(r, f, node.value)


def _other(r: Reader, f: Frame, node: ast.expr) -> Value:
    deps = NONE
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            deps |= evaluate(r, f, child).deps
    return Value(deps)


_VISITORS: dict[type, Callable[[Reader, Frame, Any], Value]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: calls.call,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _sequence,
    ast.List: _sequence,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.IfExp: regions.ternary,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Await: _passed_on,
    ast.Starred: _passed_on,
    ast.ListComp: comprehension.read,
    ast.SetComp: comprehension.read,
    ast.GeneratorExp: comprehension.read,
    ast.DictComp: comprehension.read,
}
