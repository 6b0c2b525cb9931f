"""Writing: names, attributes of objects, members of containers, and what is only assumed to be written."""

from __future__ import annotations

import ast

from operator_lib.trace.frame import Frame
from operator_lib.trace.graph import labelled
from operator_lib.trace.objects import NONE, WRITTEN, any_of, changed, held, identified, note, store, titled
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import CONTENTS, attribute, contents, iterate
from operator_lib.trace.shared import class_place, global_place, module_place
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import (
    Attributes,
    Cells,
    Class,
    Const,
    Dep,
    Deps,
    Instance,
    Items,
    Many,
    Module,
    Value,
    either,
    holds_operators,
)  # fmt: skip

_site = id


def bind(r: Reader, f: Frame, target: ast.expr, value: Value) -> None:
    """``target = value``; expressions inside the target are evaluated now, as Python does."""
    if isinstance(target, ast.Name):
        name(r, f, target.id, value, target)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(r, f, target.elts, value)
    elif isinstance(target, ast.Starred):
        bind(r, f, target.value, value)
    elif isinstance(target, ast.Attribute):
        _attribute(r, f, target, value)
    elif isinstance(target, ast.Subscript):
        _member(r, f, target, value)


def name(r: Reader, f: Frame, id: str, value: Value, target: ast.AST | None = None) -> None:
    """A variable gets a value."""
    cells = identified(r, f, value, _site(target) if target is not None else id, id)
    made = Value(labelled(value.deps, id), value.what, cells, value.part)
    made.after = max(value.after, r.graph.serial)  # what was done to it before has come with the value
    made.name = id
    r.graph.call(f, cells, id)
    if id not in f.writes:
        f.writes.append(id)
    if id in f.globals:
        _global(r, f, id, made)
        return
    f.env.names[id] = made
    f.locals.add(id)
    for seen in f.tries:
        seen.setdefault(id, []).append(made)
    if id in f.shared:
        f.touched.append(((f.spot, id), WRITTEN))
    if id in f.nonlocals:
        _nonlocal(r, f, id, made)


def _global(r: Reader, f: Frame, id: str, value: Value) -> None:
    place = global_place(f.file, id)
    r.graph.titles.setdefault(place, place[1])
    store(r, f, place, value)


def _nonlocal(r: Reader, f: Frame, id: str, made: Value) -> None:
    home = f.function.home if f.function is not None else None
    while home is not None and id not in home.env.names:
        home = home.function.home if home.function is not None else None
    if home is None:
        return
    old = home.env.names[id]
    home.env.names[id] = Value(old.deps | made.deps, either((old.what, made.what)), made.cells, made.part)
    place = (home.spot, id)
    r.graph.titles.setdefault(place, id)
    f.touched.append((place, WRITTEN))


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
            caught = known[star : len(known) - tail]
            deps: Deps = frozenset()
            bind(r, f, target, Value(deps.union(*(v.deps for v in caught)), Items.of(caught)))
        else:
            bind(r, f, target, known[i - len(targets)] if len(targets) - i <= len(known) else Value(value.deps))


def _attribute(r: Reader, f: Frame, target: ast.Attribute, value: Value) -> None:
    set_attribute(r, f, r.evaluate(f, target.value), target, value)


def set_attribute(r: Reader, f: Frame, base: Value, target: ast.Attribute, value: Value) -> None:
    """``base.attr = value``."""
    what = base.what
    attr = mangled(f, target.attr)
    if isinstance(what, StaticClass):
        what.changed[attr] = value.what
    if isinstance(what, Instance | Class | Module):
        label = f"self.{target.attr}" if what is f.me else ast.unparse(target)
        cells = identified(r, f, value, _site(target), label)
        made = Value(labelled(value.deps, label), value.what, cells, value.part)
        if isinstance(what, Instance):
            if attr == "forward":
                what.forward = value.what
            place = (what.identity, attr)
            title = titled(what, target.attr)
            if title:  # known by its path from now on, whatever its constructor called it
                r.graph.titles[place] = title
        elif isinstance(what, Class):
            place, title = class_place(target.attr), label
        else:
            place = module_place(what, target.attr)
            title = place[1]
        r.graph.titles.setdefault(place, title or label)
        store(r, f, place, made)
        note(f, label)
    else:
        changed(r, f, base, value.deps, members=value.cells or NONE)


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
    put(r, f, base, r.evaluate(f, target.slice), value)


def put(r: Reader, f: Frame, base: Value, place: Value, value: Value) -> None:
    """``base[place] = value``."""
    inside = value.cells or NONE
    value = Value(value.deps | place.deps, value.what, value.cells, value.part)
    if isinstance(base.what, Attributes) and isinstance(place.what, Const):
        of, name = base.what.instance, str(place.what.value)
        r.graph.titles.setdefault((of.identity, name), titled(of, name))
        store(r, f, (of.identity, name), value)
        return
    if isinstance(base.what, Instance) and base.what.cls.container and contents(base.what, f.env.heap, r.world):
        base = attribute(base, CONTENTS[base.what.cls.container], f.env.heap, r.world)
        if base.cells is None:
            base = Value(base.deps, base.what, held(r, base.what, None, (id(base.what), "[]"), ""))
    if isinstance(base.what, Items):
        index = place.what
        values = dict(base.what.values)
        if isinstance(index, Const) and not isinstance(index.value, slice):
            values[index.value] = value
            update(r, f, base, Items(base.what.kind, values), value.deps, inside)
            return
        if holds_operators(value.what) or holds_operators(base.what):
            every = either([*(v.what for v in values.values()), value.what])
            update(r, f, base, Many(Value(what=every)), value.deps, inside)
            return
        update(r, f, base, None, value.deps, inside | NONE.union(*(v.cells or NONE for v in values.values())))
        return
    if holds_operators(value.what):
        update(r, f, base, Many(Value(what=value.what)), value.deps, inside)
        return
    changed(r, f, base, value.deps, members=inside)


def update(r: Reader, f: Frame, holder: Value, what: Items | Many | None, deps: Deps, members: Cells = NONE) -> None:
    """The container has changed into `what`."""
    changed(r, f, holder, deps, members=members)
    cells = holder.cells
    if holder.part or not cells:
        return
    for cell in cells:
        now = f.env.heap[cell]
        f.env.heap[cell] = Value(now.deps, what if len(cells) == 1 else any_of([holder.what, what]), now.cells)


def removed(r: Reader, f: Frame, target: ast.expr) -> Deps:
    """``del target``."""
    if isinstance(target, ast.Name):
        f.env.names.pop(target.id, None)
        return frozenset()
    if isinstance(target, ast.Tuple | ast.List):
        return frozenset[Dep]().union(*(removed(r, f, t) for t in target.elts))
    if not isinstance(target, ast.Attribute | ast.Subscript):
        return frozenset()
    base = r.evaluate(f, target.value)
    deps = base.deps
    if isinstance(target, ast.Subscript):
        deps |= r.evaluate(f, target.slice).deps
    elif isinstance(base.what, Instance):
        set_attribute(r, f, base, target, Value())
        return deps
    changed(r, f, base, deps)
    return deps
