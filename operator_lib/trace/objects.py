"""Objects that may be shared: which values are the same one, what was put into it, who looks at it or changes it.

An object has a place of its own (a cell), named by where it was made; a name, an attribute or a member that refers to
it has that cell in its value. A change goes to the cell, so it is seen through every other way to the same object.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from typing import Any

from operator_lib.trace.frame import Frame, Heap
from operator_lib.trace.graph import ASSUMED, expanded, labelled, without_assumed
from operator_lib.trace.reader import Reader
from operator_lib.trace.values import (
    KEPT,
    Cells,
    Class,
    Const,
    Dep,
    Deps,
    ForeignObject,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Method,
    Module,
    Partial,
    Place,
    Super,
    Thing,
    Value,
    either,
    holds_operators,
)  # fmt: skip

NONE: Cells = frozenset()
# What is done to a piece of state; the last: looked at with everything in it.
READ, WRITTEN, PERHAPS, THROUGHOUT = 0, 1, 2, 3
# Everything in an object, for when it is not known which attribute.
WHOLE = "*"
_FIXED = Const | Function | Instance | Class | Module | Method | Partial | Super


def cell(r: Reader, f: Frame, site: object, title: str) -> Cells:
    """The objects made at this place of the program."""
    key = (f.spot, site, r.turn)
    found = r.cells.get(key)
    if found is None:
        place = (-len(r.cells) - 10, "")
        found = r.cells[key] = frozenset((place,))
        r.graph.titles[place] = title
    return found


def identified(r: Reader, f: Frame, value: Value, site: object, title: str) -> Cells:
    """The objects that a value may be, from the moment on that it has a name."""
    cells = value.cells
    what = value.what
    if cells is None:
        if isinstance(what, _FIXED):
            return NONE
        made = cell(r, f, site, title)
        if isinstance(what, Items):
            inside = [v.cells for v in what.values.values() if v.cells]
            if inside:
                contain(r, made, NONE.union(*inside))
        return made
    titles = r.graph.titles
    for place in cells:
        if not titles.get(place):
            titles[place] = title
    return cells


def held(r: Reader, what: Thing | None, raw: Any, place: Place, title: str) -> Cells:
    """The object that was in a place before the program began; `raw` is it, where it is live."""
    if isinstance(what, _FIXED) or isinstance(raw, _IMMUTABLE):
        return NONE
    key = (id(what), "") if isinstance(what, Items | Many | ForeignObject) else place if raw is None else (id(raw), "")
    found = r.cells.get(key)
    if found is None:
        spot = (key[0], f"{key[1]}[]")
        found = r.cells[key] = frozenset((spot,))
        r.graph.titles[spot] = title
    return found


_IMMUTABLE = (str, int, float, bool, bytes, complex, frozenset, type, range)


_SIMPLE = frozenset(["int", "float", "str", "bool", "bytes", "complex", "None", "Path"])


def immutable(annotation: ast.expr | None) -> bool:
    """Whether an annotation says that the value cannot change."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return immutable(annotation.left) and immutable(annotation.right)
    if isinstance(annotation, ast.Constant):
        return annotation.value is None or annotation.value in _SIMPLE
    return isinstance(annotation, ast.Name) and annotation.id in _SIMPLE


def current(r: Reader, f: Frame, value: Value) -> Value:
    """The value as it is now: with what has been done to its objects since. The statement looks at it."""
    cells = value.cells
    if not cells:
        return value
    if value.part:
        return used(r, f, value)
    f.touched.extend([(place, READ) for place in cells])
    heap = f.env.heap
    found = [heap[c] for c in cells if c in heap]
    if not found:
        return value
    deps = value.deps.union(*(_later(value, v.deps) for v in found))
    what = value.what
    known = [v.what for v in found if v.what is not KEPT]
    if known:
        what = known[0] if len(cells) == 1 else any_of([what, *known])
    made = Value(deps, what, cells, value.part)
    made.after, made.name = value.after, value.name
    return made


def _later(value: Value, deps: Iterable[Dep]) -> Deps:
    """What was done to the objects of a value, under the name of the value, without what is known to it already."""
    name = value.name or min((n for _, n in value.deps if n), default="")
    after = value.after
    known = {d for d, _ in expanded(value.deps)}
    return frozenset(
        (d, _named(n, name)) for d, n in _settled(deps) if d not in known and (d.serial >= after or d.gone)
    )


def _settled(deps: Iterable[Dep]) -> list[Dep]:
    """The nodes, and what the current statement is going to be."""
    deps = list(deps)
    return [*expanded(deps), *((d, n) for d, n in deps if d.gone and not d.through)]


def _named(old: str, name: str) -> str:
    return old if not name or old == name else ASSUMED + name.removeprefix(ASSUMED) if old.startswith(ASSUMED) else name


def any_of(whats: list[Thing | None]) -> Thing | None:
    if not any(holds_operators(w) for w in whats):
        return whats[0] if len(whats) == 1 else None
    members: list[Thing | None] = []
    for what in whats:
        if isinstance(what, Items):
            members.extend(v.what for v in what.values.values())
        elif isinstance(what, Many):
            members.append(what.element.what)
    return Many(Value(what=either(members)))


def deep(r: Reader, value: Value, heap: Heap) -> tuple[Deps, Cells]:
    """What a value comes from, and every object that can be reached from it and has been changed."""
    deps, cells = value.deps, value.cells or NONE
    if isinstance(value.what, Items):
        cells = cells.union(*(v.cells for v in value.what.values.values() if v.cells))
    tainted = r.world.tainted
    if not tainted or cells.isdisjoint(tainted):
        return deps, cells
    seen = set(cells & tainted)
    stack = list(seen)
    found: set[Dep] = set()
    while stack:
        place = stack.pop()
        if (inside := heap.get(place)) is not None:
            found |= inside.deps
        for member in r.world.inside.get(place, ()):
            if member in tainted and member not in seen:
                seen.add(member)
                stack.append(member)
    return deps | _few(_later(value, found)), cells


def _few(deps: Deps) -> Deps:
    """What one statement may have done to more than three objects at once is no longer told apart by their names."""
    count = Counter(d for d, name in deps if name.startswith(ASSUMED))
    many = {d for d, times in count.items() if times > 3}
    return frozenset((d, ASSUMED if d in many and n.startswith(ASSUMED) else n) for d, n in deps) if many else deps


def contain(r: Reader, holders: Cells, members: Cells) -> None:
    """Objects are members of others from here on."""
    world = r.world
    for holder in holders:
        known = world.inside.setdefault(holder, set())
        for member in members:
            if member not in known and member != holder:
                known.add(member)
                world.holders.setdefault(member, set()).add(holder)
                if member in world.tainted:
                    _taint(r, holder)


def _taint(r: Reader, place: Place) -> None:
    """An object has changed, so everything that holds it has."""
    stack = [place]
    while stack:
        one = stack.pop()
        if one not in r.world.tainted:
            r.world.tainted.add(one)
            stack.extend(r.world.holders.get(one, ()))


def reachable(r: Reader, cells: Cells) -> Cells:
    """Objects, and all that are inside of them."""
    seen = set(cells)
    stack = list(cells)
    while stack:
        for member in r.world.inside.get(stack.pop(), ()):
            if member not in seen:
                seen.add(member)
                stack.append(member)
    return frozenset(seen)


def used(r: Reader, f: Frame, value: Value) -> Value:
    """A value that is handed on as a whole: whoever gets it may look at everything in it."""
    if not value.cells and not isinstance(value.what, Items):
        return value
    deps, cells = deep(r, value, f.env.heap)
    f.touched.extend([(place, THROUGHOUT) for place in cells])
    return value if deps is value.deps else again(value, deps)


def again(value: Value, deps: Deps) -> Value:
    """The same value, from somewhere else."""
    made = Value(deps, value.what, value.cells, value.part)
    made.after, made.name = value.after, value.name
    return made


def store(r: Reader, f: Frame, place: Place, value: Value, how: int = WRITTEN) -> None:
    """A piece of state gets a value."""
    f.env.heap[place] = value
    f.touched.append((place, how))
    for caught in r.caught:
        caught.setdefault(place, []).append(value)


def changed(
    r: Reader, f: Frame, value: Value, deps: Deps = frozenset(), *, members: Cells = NONE, assumed: bool = False
) -> None:
    """The object was changed in place (or may have been) by the current statement; `members` are in it now."""
    what = value.what
    if isinstance(what, Instance):
        if assumed and not isinstance(what, FunctionOperator):
            _everything(r, f, what, deps)
        return
    cells = reachable(r, value.cells) if value.part and value.cells else value.cells or NONE
    for place in sorted(cells, key=lambda p: r.graph.titles.get(p, "")):
        title = r.graph.titles.get(place, "")
        old = f.env.heap.get(place)
        before = old.deps if old is not None else frozenset()
        if assumed:
            before = without_assumed(before)
        new = Value(before | _new(f, deps, title, assumed), old.what if old is not None else KEPT)
        store(r, f, place, new, PERHAPS if assumed else WRITTEN)
        _taint(r, place)
        note(f, title, assumed)
    if members and value.cells:
        contain(r, value.cells, members)


def _new(f: Frame, deps: Deps, title: str, assumed: bool) -> Deps:
    if assumed:
        return frozenset({(f.effect(), ASSUMED + title)})
    return labelled(deps, title) | {(f.effect(), title)}


def _everything(r: Reader, f: Frame, what: Instance, deps: Deps) -> None:
    place = (what.identity, WHOLE)
    r.escaped = True
    title = r.graph.titles.setdefault(place, titled(what, "") or what.title)
    old = f.env.heap.get(place)
    store(r, f, place, Value((without_assumed(old.deps) if old else frozenset()) | _new(f, deps, title, True)), PERHAPS)
    note(f, title, True)


def titled(what: Instance, attribute: str) -> str:
    """How a piece of an operator's state is called: ``self.n``, ``a.n`` for the one at path ``a``."""
    base = what.path if what.path else "self" if what.path == "" else ""
    return f"{base}.{attribute}" if attribute and base else base


def note(f: Frame, title: str, assumed: bool = False) -> None:
    if title and title not in f.writes:
        f.writes.append(title)
    if assumed and title and title not in f.assumed:
        f.assumed.append(title)


def holding(r: Reader, f: Frame, node: ast.AST, made: Value, members: list[Value]) -> Value:
    """A new container, remembered as one that refers to the objects in `members`."""
    inside = NONE.union(*(v.cells for v in members if v.cells))
    if not inside:
        return made
    own = cell(r, f, id(node), "")
    contain(r, own, inside)
    return Value(made.deps, made.what, own)


def copied(r: Reader, f: Frame, node: ast.AST, of: Value, deps: Deps) -> Value:
    """A new object with the same members as `of`."""
    members = NONE.union(*(r.world.inside.get(place, ()) for place in of.cells or ()))
    return holding(r, f, node, Value(deps, of.what), [Value(cells=members)])
