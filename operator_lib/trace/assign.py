"""Writing: names, attributes of objects, members of containers, and what is only assumed to be written."""

from __future__ import annotations

import ast

from operator_lib.trace.frame import Frame
from operator_lib.trace.reader import Reader, labelled
from operator_lib.trace.resolve import CONTENTS, Property, attribute, contents, iterate
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import (
    Attributes,
    Const,
    Deps,
    Instance,
    Items,
    Many,
    Method,
    Unknown,
    Value,
    Written,
    either,
    holds_operators,
)  # fmt: skip


def bind(r: Reader, f: Frame, target: ast.expr, value: Value) -> None:
    """``target = value``; expressions inside the target are evaluated now, as Python does."""
    if isinstance(target, ast.Name):
        name(f, target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(r, f, target.elts, value)
    elif isinstance(target, ast.Starred):
        bind(r, f, target.value, value)
    elif isinstance(target, ast.Attribute):
        _attribute(r, f, target, value)
    elif isinstance(target, ast.Subscript):
        _member(r, f, target, value)


def name(f: Frame, id: str, value: Value) -> None:
    """A variable gets a value."""
    made = Value(labelled(value.deps, id), value.what)
    f.env.names[id] = made
    f.locals.add(id)
    if id not in f.writes:
        f.writes.append(id)
    for seen in f.tries:
        seen[id] = seen.get(id, frozenset()) | made.deps
    home = f.function.home if f.function is not None and id in f.nonlocals else None
    if home is not None and id in home.env.names:  # `nonlocal`
        old = home.env.names[id]
        home.env.names[id] = Value(old.deps | made.deps, either((old.what, made.what)))


def _unpack(r: Reader, f: Frame, targets: list[ast.expr], value: Value) -> None:
    known = iterate(value, f.env.heap, r.world)
    if isinstance(known, Value) or (
        len(known) != len(targets) and not any(isinstance(t, ast.Starred) for t in targets)
    ):
        for target in targets:
            bind(r, f, target, known if isinstance(known, Value) else Value(value.deps))
        return
    star = next((i for i, t in enumerate(targets) if isinstance(t, ast.Starred)), len(targets))
    tail = len(targets) - star - 1
    for i, target in enumerate(targets):
        if i < star:
            bind(r, f, target, known[i] if i < len(known) else Value(value.deps))
        elif i == star:
            bind(r, f, target, Value(value.deps, Items.of(known[star : len(known) - tail])))
        else:
            bind(r, f, target, known[i - len(targets)] if len(targets) - i <= len(known) else Value(value.deps))


def _attribute(r: Reader, f: Frame, target: ast.Attribute, value: Value) -> None:
    base = r.evaluate(f, target.value)
    attr = mangled(f, target.attr)
    if isinstance(base.what, StaticClass):
        base.what.changed[attr] = value.what
    if isinstance(base.what, Instance):
        if attr == "forward":
            base.what.forward = value.what
        label = f"self.{target.attr}" if base.what is f.me else ast.unparse(target)
        made = Value(labelled(value.deps, label), value.what)
        if (base.what.identity, attr) not in f.env.heap and base.what.live is not None:
            made = Written(made.deps, made.what, attribute(base, attr, f.env.heap, r.world))
        f.env.heap[base.what.identity, attr] = made
        f.wrote_heap = True
        if label not in f.writes:
            f.writes.append(label)
    else:
        written(r, f, target.value, value.deps)


def mangled(f: Frame, attr: str) -> str:
    """The name under which ``self.__private`` is kept."""
    if attr[:2] != "__" or attr[-2:] == "__":
        return attr
    frame: Frame | None = f
    while frame is not None and frame.function is not None:
        owner = frame.function.owner
        if owner is not None:
            name = getattr(owner, "__name__", None) or getattr(owner, "name", "")
            return f"_{name.lstrip('_')}{attr}"
        frame = frame.function.home
    return attr


def _member(r: Reader, f: Frame, target: ast.Subscript, value: Value) -> None:
    base = r.evaluate(f, target.value)
    place = r.evaluate(f, target.slice)
    value = Value(value.deps | place.deps, value.what)
    if isinstance(base.what, Attributes) and isinstance(place.what, Const):
        f.env.heap[base.what.instance.identity, str(place.what.value)] = value
        f.wrote_heap = True
        return
    if isinstance(base.what, Instance) and base.what.cls.container and contents(base.what, f.env.heap, r.world):
        inner = ast.Attribute(target.value, CONTENTS[base.what.cls.container], ast.Load())
        target = ast.copy_location(ast.Subscript(ast.copy_location(inner, target), target.slice, ast.Store()), target)
        base = r.evaluate(f, target.value)
    if isinstance(base.what, Items):
        index = place.what
        values = dict(base.what.values)
        if isinstance(index, Const) and not isinstance(index.value, slice):
            values[index.value] = value
            update(r, f, target.value, Items(base.what.kind, values), value.deps)
            return
        if holds_operators(value.what) or holds_operators(base.what):
            every = either([*(v.what for v in values.values()), value.what])
            update(r, f, target.value, Many(Value(what=every)), value.deps)
            return
    elif holds_operators(value.what):
        update(r, f, target.value, Many(Value(what=value.what)), value.deps)
        return
    written(r, f, target.value, value.deps)


def update(r: Reader, f: Frame, holder: ast.expr, what: Items | Many | None, deps: Deps) -> None:
    """The container that `holder` names has changed into `what`."""
    written(r, f, holder, deps)
    if isinstance(holder, ast.Name) and holder.id in f.env.names:
        f.env.names[holder.id] = Value(f.env.names[holder.id].deps, what)
    elif isinstance(holder, ast.Attribute):
        base = r.evaluate(f, holder.value)
        if isinstance(base.what, Instance):
            f.env.heap[base.what.identity, mangled(f, holder.attr)] = Value(deps, what)


def written(r: Reader, f: Frame, holder: ast.expr, deps: Deps = frozenset(), *, assumed: bool = False) -> None:
    """The object that `holder` names was changed in place (or may have been) by the current statement."""
    while isinstance(holder, ast.Subscript | ast.Attribute) and not _own(f, holder):
        holder = holder.value
    if isinstance(holder, ast.Name):
        old = f.env.names.get(holder.id)
        if old is None or isinstance(old.what, Const | Instance):
            return
        label = holder.id
        f.env.names[label] = made = Value(_joined(f, old.deps, deps, label), old.what)
        for seen in f.tries:
            seen[label] = seen.get(label, frozenset()) | made.deps
    elif isinstance(holder, ast.Attribute) and f.me is not None:
        label = f"self.{holder.attr}"
        attr = mangled(f, holder.attr)
        old = attribute(Value(what=f.me), attr, f.env.heap, r.world)
        if isinstance(old.what, Const | Instance | Unknown | Property | Method):
            return
        f.wrote_heap = True
        f.env.heap[f.me.identity, attr] = Value(_joined(f, old.deps, deps, label), old.what)
    else:
        return
    f.changed.add(label)
    if label not in f.writes:
        f.writes.append(label)
    if assumed and label not in f.assumed:
        f.assumed.append(label)


def _joined(f: Frame, old: Deps, new: Deps, label: str) -> Deps:
    return old | labelled(new, label) | {(f.effect(), label)}


def _own(f: Frame, node: ast.expr) -> bool:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    base = f.env.names.get(node.value.id)
    return base is not None and base.what is not None and base.what is f.me
