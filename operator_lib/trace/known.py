"""What builtins and container methods do, as far as operators can pass through them."""

from __future__ import annotations

import ast
import builtins
import inspect
from itertools import zip_longest
from typing import Any

from operator_lib import tree
from operator_lib.trace.args import Args
from operator_lib.trace.assign import update
from operator_lib.trace.frame import Frame
from operator_lib.trace.library import FUNCTIONS, method_of_attributes
from operator_lib.trace.live import what_is
from operator_lib.trace.objects import NONE, copied
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import Property, attribute, iterate, known_names, parts, subscript
from operator_lib.trace.said import with_options
from operator_lib.trace.values import (
    DATA,
    Attributes,
    Const,
    Declaring,
    External,
    Function,
    Instance,
    Items,
    Many,
    Method,
    Partial,
    Text,
    Unknown,
    Value,
    either,
    holds_operators,
)  # fmt: skip


def external_result(r: Reader, f: Frame, name: str, args: Args) -> Value | None:
    """The value of a call of a builtin that hands operators on; None: nothing special."""
    known = _BUILTINS.get(name) or FUNCTIONS.get(name)
    if known is None or args.rest is not None:
        return None
    value = known(r, f, args)
    if value is None:
        return None
    return Value(args.deps | value.deps, value.what, value.cells, value.part)


def _getattr(r: Reader, f: Frame, args: Args) -> Value | None:
    if len(args.positional) < 2:
        return None
    of, name = args.positional[0], args.positional[1].what
    if not isinstance(of.what, Instance):
        return None
    if isinstance(name, Text) and (names := known_names(of.what, name.name)):
        candidates = [attribute(of, n, f.env.heap, r.world).what for n in names]
        return Value(of.deps, either([*candidates, External("no attribute")]))
    if not isinstance(name, Const) or not isinstance(name.value, str):
        return Value(of.deps, Unknown("dynamic-attribute"))
    found = attribute(of, name.value, f.env.heap, r.world)
    if isinstance(found.what, Property):
        return Value(of.deps, Unknown("dynamic-attribute"))
    if isinstance(found.what, Unknown) and len(args.positional) > 2:
        return args.positional[2]
    return found


def _members(r: Reader, f: Frame, value: Value) -> list[Value] | None:
    found = iterate(value, f.env.heap, r.world)
    return found if isinstance(found, list) else None


def _listed(r: Reader, f: Frame, args: Args) -> Value | None:
    if not args.positional:
        return Value(what=Items.of(()))
    found = iterate(args.positional[0], f.env.heap, r.world)
    if isinstance(found, list):
        return Value(what=Items.of(found))
    return Value(found.deps, Many(found)) if found.what is not None else None


def _reversed(r: Reader, f: Frame, args: Args) -> Value | None:
    found = _members(r, f, args.positional[0]) if args.positional else None
    return Value(what=Items.of(found[::-1])) if found is not None else None


def _enumerate(r: Reader, f: Frame, args: Args) -> Value | None:
    if not args.positional:
        return None
    found = iterate(args.positional[0], f.env.heap, r.world)
    if isinstance(found, list):
        given = args.positional[1].what if len(args.positional) > 1 else Const(0)
        start = given.value if isinstance(given, Const) and isinstance(given.value, int) else 0
        return Value(what=Items.of(_pair(i, v) for i, v in enumerate(found, start)))
    if found.what is None:
        return None
    return Value(found.deps, Many(Value(found.deps, Items.of((DATA, found), "tuple"))))


def _pair(key: Any, value: Value) -> Value:
    return Value(value.deps, Items.of((Value(what=Const(key)), value), "tuple"))


def _zip(r: Reader, f: Frame, args: Args) -> Value | None:
    found = [iterate(v, f.env.heap, r.world) for v in args.positional]
    known = [v for v in found if isinstance(v, list)]
    if not known:
        return None
    if not any(holds_operators(v.what) for values in known for v in values):
        return None
    columns = [v if isinstance(v, list) else [v] * min(len(k) for k in known) for v in found]
    rows = [row for row in zip_longest(*columns) if all(v is not None for v in row)]
    return Value(what=Items.of(_row(row) for row in rows))


def _row(row: tuple[Value, ...]) -> Value:
    deps = frozenset[Any]().union(*(v.deps for v in row))
    return Value(deps, Items.of(row, "tuple"))


def _range(r: Reader, f: Frame, args: Args) -> Value | None:
    bounds = [v.what.value for v in args.positional if isinstance(v.what, Const)]
    if len(bounds) != len(args.positional) or not all(type(b) is int for b in bounds) or not bounds:
        return None
    try:
        values = range(*bounds)
    except (TypeError, ValueError):
        return None
    return Value(what=Items.of(Value(what=Const(i)) for i in values)) if len(values) <= 1000 else None


def _partial(r: Reader, f: Frame, args: Args) -> Value | None:
    if not args.positional or args.positional[0].what is None:
        return None
    return Value(what=Partial(args.positional[0].what, tuple(args.positional[1:]), dict(args.keywords)))


def _next(r: Reader, f: Frame, args: Args) -> Value | None:
    if not args.positional:
        return None
    found = iterate(args.positional[0], f.env.heap, r.world)
    return Value(what=either(v.what for v in found)) if isinstance(found, list) else found


def _passed(r: Reader, f: Frame, args: Args) -> Value | None:
    return args.positional[0] if args.positional else None


def _copied(r: Reader, f: Frame, args: Args) -> Value | None:
    if not args.positional or isinstance(args.positional[0].what, Instance) or not args.trees:
        return _passed(r, f, args)
    of = args.positional[0]
    return copied(r, f, args.trees[0], of, of.deps)


def _dict(r: Reader, f: Frame, args: Args) -> Value | None:
    values: dict[Any, Value] = {}
    for source in args.positional:
        if not isinstance(source.what, Items):
            return None
        if source.what.kind == "dict":
            values.update(source.what.values)
        else:
            for pair in source.what.values.values():
                inner = pair.what.values if isinstance(pair.what, Items) else {}
                if len(inner) != 2 or not isinstance(inner[0].what, Const):
                    return None
                values[inner[0].what.value] = inner[1]
    values.update(args.keywords)
    return Value(what=Items("dict", values))


def _operator(r: Reader, f: Frame, args: Args) -> Value | None:
    from operator_lib.trace.static import function_operator

    options = {name: value.what for name, value in args.keywords.items()}
    what = args.positional[0].what if args.positional else None
    if not args.positional or isinstance(what, Const):  # a text is the name, see `tensorlake_function`
        named = zip(("name", "description"), (v.what for v in args.positional), strict=False)
        return Value(what=Declaring("operator_lib.operator", {**dict(named), **options}))
    if isinstance(what, Function) or (type(what) is External and inspect.isbuiltin(getattr(builtins, what.name, None))):
        return Value(what=function_operator(what, options))
    if options and isinstance(what, Instance):
        return Value(what=with_options(f, what, options, r.world))
    return Value(what=what)


_BUILTINS: dict[str, Any] = {
    "getattr": _getattr,
    "list": _listed,
    "tuple": _listed,
    "iter": _listed,
    "reversed": _reversed,
    "enumerate": _enumerate,
    "zip": _zip,
    "range": _range,
    "dict": _dict,
    "partial": _partial,
    "functools.partial": _partial,
    "next": _next,
    "functools.wraps": lambda r, f, args: Value(what=External("functools.wraps()")),
    "copy.copy": _copied,
    "copy.deepcopy": _copied,
    "typing.cast": lambda r, f, args: args.positional[1] if len(args.positional) > 1 else None,
    "operator_lib.operator": _operator,
    "operator_lib.Operator.fn": _operator,
    "operator_lib.Operator.from_fn": _operator,
}


def method_result(r: Reader, f: Frame, what: Method, args: Args, node: ast.Call) -> Value | None:
    """The value of a method of a container with known members."""
    of, name = what.of, what.name
    inside = of.what
    if isinstance(inside, Attributes):
        return method_of_attributes(r, f, inside, name, args)
    if not isinstance(inside, Items | Many):
        return _first_operator(r, f, what, args, node)
    if name == "copy":
        return copied(r, f, node, of, of.deps)
    if name == "values" and isinstance(inside, Items):
        return Value(of.deps, Items.of(inside.values.values()))
    if name == "keys" and isinstance(inside, Items):
        return Value(of.deps, Items.of(Value(what=Const(k)) for k in inside.values))
    if name == "items" and isinstance(inside, Items):
        return Value(of.deps, Items.of(_pair(k, v) for k, v in inside.values.items()))
    if name in ("get", "pop", "setdefault", "__getitem__") and holds_operators(inside):
        index = args.positional[0] if args.positional else Value(what=Const(-1))
        found = subscript(of, index, f.env.heap, r.world)
        fallback = args.positional[1:2] if not isinstance(index.what, Const) or found is DATA else []
        return Value(found.deps, either([found.what, *(v.what for v in fallback)]))
    if name in ("update", "setdefault") and isinstance(inside, Items) and inside.kind == "dict":
        return _filled(r, f, of, inside, name, args)
    if name in ("append", "add", "insert", "extend", "update") and isinstance(node.func, ast.Attribute):
        return _grown(r, f, of, inside, name, args)
    return None


def _filled(r: Reader, f: Frame, of: Value, inside: Items, name: str, args: Args) -> Value | None:
    """``table.update(...)`` and ``table.setdefault(...)`` on a dict with known members."""
    new: dict[Any, Value] = dict(args.keywords)
    given = [(v.what, v) for v in args.positional]
    exact = not f.maybe and args.rest is None
    if name == "setdefault":
        key = given[0][0] if given else None
        exact = exact and isinstance(key, Const)
        if isinstance(key, Const):
            new[key.value] = inside.values.get(key.value) or (args.positional[1] if len(given) > 1 else DATA)
    else:
        for what, value in given:
            made = _dict(r, f, Args([value])) if isinstance(what, Items) else None
            exact = exact and made is not None
            new.update(made.what.values if made is not None and isinstance(made.what, Items) else {object(): value})
    inside_of = NONE.union(*(v.cells for v in (*inside.values.values(), *new.values(), *args.positional) if v.cells))
    if exact:
        update(r, f, of, Items("dict", {**inside.values, **new}), args.deps, inside_of)
    elif any(holds_operators(v.what) for v in (*inside.values.values(), *new.values())):
        every = either(v.what for v in (*inside.values.values(), *new.values()))
        update(r, f, of, Many(Value(what=every)), args.deps, inside_of)
    else:
        update(r, f, of, None, args.deps, inside_of)
    found = either(v.what for v in new.values()) if name == "setdefault" else None
    return Value(args.deps, found)


def _grown(r: Reader, f: Frame, holder: Value, inside: Items | Many, name: str, args: Args) -> Value | None:
    if name in ("extend", "update"):
        found = iterate(args.positional[0], f.env.heap, r.world) if args.positional else []
        new = found if isinstance(found, list) else [found]
        certain = isinstance(found, list) and name == "extend"
    else:
        new, certain = args.positional[-1:], name in ("append", "add")
    members = NONE.union(*(v.cells for v in new if v.cells))
    if isinstance(inside, Items):
        members = members.union(*(v.cells for v in inside.values.values() if v.cells))
    if isinstance(inside, Items) and certain and not f.maybe:
        values = Items.of([*inside.values.values(), *new], inside.kind)
        update(r, f, holder, values, args.deps, members)
    elif any(holds_operators(v.what) for v in new) or holds_operators(inside):
        old = [v.what for v in inside.values.values()] if isinstance(inside, Items) else [inside.element.what]
        update(r, f, holder, Many(Value(what=either([*old, *(v.what for v in new)]))), args.deps, members)
    else:
        update(r, f, holder, None, args.deps, members)
    return Value(args.deps)


def _first_operator(r: Reader, f: Frame, what: Method, args: Args, node: ast.Call) -> Value | None:
    if (
        what.name == "append"
        and isinstance(node.func, ast.Attribute)
        and any(holds_operators(v.what) for v in args.positional)
    ):
        update(r, f, what.of, Many(Value(what=either(v.what for v in args.positional))), args.deps)
        return Value(args.deps)
    return None


def live_children(r: Reader, f: Frame, what: Instance, named: bool) -> Value:
    """``self.children()`` of an operator."""
    if what.live is not None:
        found = [(n, Value(what=what_is(c, r.world))) for n, c in tree.named_children(what.live)]
    else:
        kept = {k: v for k, v in {**r.world.heap, **f.env.heap}.items() if k[0] == what.identity}
        held = [(f"{n}{s}", c) for (_, n), v in kept.items() for s, c in parts(v.what) if c.operator]
        found = [(n, Value(what=c)) for n, c in {id(c): (n, c) for n, c in reversed(held)}.values()][::-1]
    return Value(what=Items.of([_pair(n, v) for n, v in found] if named else [v for _, v in found]))
