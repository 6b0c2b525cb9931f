"""Functions of the standard library, and methods of containers and operators, that pass operators on or call them."""

from __future__ import annotations

import ast
from typing import Any

from operator_lib.trace.args import Args
from operator_lib.trace.frame import Frame
from operator_lib.trace.objects import store, titled
from operator_lib.trace.reader import Reader
from operator_lib.trace.records import TupleClass
from operator_lib.trace.resolve import Property, attribute, iterate, many, subscript
from operator_lib.trace.values import (
    Attributes,
    Const,
    External,
    Function,
    Instance,
    Items,
    Partial,
    Thing,
    Unknown,
    Value,
    either,
    holds_operators,
)  # fmt: skip


def _known(r: Reader, f: Frame, value: Value) -> list[Value] | None:
    found = iterate(value, f.env.heap, r.world)
    return found if isinstance(found, list) else None


def _sorted(r: Reader, f: Frame, args: Args) -> Value | None:
    """In order where the keys say what that is, else any order."""
    found = _known(r, f, args.positional[0]) if args.positional else None
    if found is None or (not any(holds_operators(v.what) for v in found) and not _constants(found)):
        return None
    keys = [_key(v.what) for v in found]
    if args.keywords or any(k is None for k in keys):
        return None if "key" in args.keywords else Value(what=many(found))
    try:
        order = sorted(range(len(found)), key=lambda i: keys[i])  # type: ignore[arg-type, return-value]
    except TypeError:
        return Value(what=many(found))
    return Value(what=Items.of([found[i] for i in order]))


def _constants(values: list[Value]) -> bool:
    return bool(values) and all(isinstance(v.what, Const) for v in values)


def _key(what: Thing | None) -> Any:
    """What decides the order: the value, or the first member of a pair."""
    if isinstance(what, Items) and what.kind == "tuple" and what.values:
        what = what.values[0].what
    return what.value if isinstance(what, Const) and isinstance(what.value, str | int | float) else None


def _filter(r: Reader, f: Frame, args: Args) -> Value | None:
    if len(args.positional) != 2 or isinstance(args.positional[0].what, Function | Instance):
        return None
    found = _known(r, f, args.positional[1])
    test = args.positional[0].what
    if found is None or not any(holds_operators(v.what) for v in found):
        return None
    if isinstance(test, Const) and test.value is None and all(isinstance(v.what, Instance | Const) for v in found):
        return Value(what=Items.of([v for v in found if not isinstance(v.what, Const) or v.what.value]))
    return Value(what=many(found))


def _chain(r: Reader, f: Frame, args: Args) -> Value | None:
    parts = [_known(r, f, v) for v in args.positional]
    if any(p is None for p in parts):
        return Value(what=many(list(args.positional)))
    return Value(what=Items.of([v for part in parts if part is not None for v in part]))


def _chained(r: Reader, f: Frame, args: Args) -> Value | None:
    found = _known(r, f, args.positional[0]) if args.positional else None
    return _chain(r, f, Args(found)) if found is not None else None


def _any_of(r: Reader, f: Frame, args: Args) -> Value | None:
    """``random.choice`` and the like."""
    found = _known(r, f, args.positional[0]) if args.positional else None
    if found is None or not any(holds_operators(v.what) for v in found):
        return None
    return Value(what=either(v.what for v in found) if len(found) > 1 else found[0].what)


def _ordered(r: Reader, f: Frame, args: Args) -> Value | None:
    from operator_lib.trace.known import external_result

    return external_result(r, f, "dict", args)


def _default_dict(r: Reader, f: Frame, args: Args) -> Value | None:
    return _ordered(r, f, Args(args.positional[1:], args.keywords))


def _deque(r: Reader, f: Frame, args: Args) -> Value | None:
    found = _known(r, f, args.positional[0]) if args.positional else []
    return Value(what=Items.of(found, "deque")) if found is not None else None


def _set(r: Reader, f: Frame, args: Args) -> Value | None:
    found = _known(r, f, args.positional[0]) if args.positional else []
    return Value(what=many(found, "set")) if found else None


def _namespace(r: Reader, f: Frame, args: Args) -> Value | None:
    from types import SimpleNamespace

    from operator_lib.trace.live import live_class

    made = Instance(live_class(SimpleNamespace, r.world), operator=False)
    for name, value in args.keywords.items():
        f.env.heap[made.identity, name] = value
    return Value(what=made)


def _named_tuple(r: Reader, f: Frame, args: Args) -> Value | None:
    if len(args.positional) < 2 or not isinstance(args.positional[0].what, Const):
        return None
    given = args.positional[1].what
    if isinstance(given, Const) and isinstance(given.value, str):
        names = given.value.replace(",", " ").split()
    elif isinstance(given, Items):
        names = [v.what.value for v in given.values.values() if isinstance(v.what, Const)]
    else:
        return None
    return Value(what=TupleClass(str(args.positional[0].what.value), tuple(str(n) for n in names)))


def _attrgetter(r: Reader, f: Frame, args: Args) -> Value | None:
    return _getter("attr", args)


def _itemgetter(r: Reader, f: Frame, args: Args) -> Value | None:
    return _getter("item", args)


def _partial_method(r: Reader, f: Frame, args: Args) -> Value | None:
    callee = args.positional[0].what if args.positional else None
    return Value(what=Partial(callee, tuple(args.positional[1:]), dict(args.keywords))) if callee is not None else None


def _getter(how: str, args: Args) -> Value | None:
    if len(args.positional) != 1:
        return None
    return Value(what=Partial(External(f"operator.{how}getter()"), (args.positional[0],), {}))


def _get_attribute(r: Reader, f: Frame, args: Args) -> Value | None:
    """What ``attrgetter(name)`` makes, called."""
    name = args.positional[0].what if len(args.positional) == 2 else None
    if not isinstance(name, Const):
        return Value(what=Unknown("dynamic-attribute"))
    found = args.positional[1]
    for part in str(name.value).split("."):
        found = attribute(found, part, f.env.heap, r.world)
    return found if not isinstance(found.what, Property) else Value(what=Unknown("dynamic-attribute"))


def _get_item(r: Reader, f: Frame, args: Args) -> Value | None:
    if len(args.positional) != 2:
        return None
    return subscript(args.positional[1], args.positional[0], f.env.heap, r.world)


def _put(r: Reader, f: Frame, of: Instance, name: str, value: Value) -> None:
    r.graph.titles.setdefault((of.identity, name), titled(of, name))
    store(r, f, (of.identity, name), value)


def _set_attribute(r: Reader, f: Frame, args: Args) -> Value | None:
    """``setattr(obj, "name", value)``."""
    if len(args.positional) != 3:
        return None
    of, name, value = args.positional
    if not isinstance(of.what, Instance) or not isinstance(name.what, Const) or not isinstance(name.what.value, str):
        return None
    _put(r, f, of.what, name.what.value, value)
    return Value()


def _vars(r: Reader, f: Frame, args: Args) -> Value | None:
    of = args.positional[0].what if args.positional else None
    return Value(what=Attributes(of)) if isinstance(of, Instance) else None


def _import_module(r: Reader, f: Frame, args: Args) -> Value | None:
    from operator_lib.trace.imports import loaded

    name = args.positional[0].what if args.positional else None
    if isinstance(name, Const) and isinstance(name.value, str) and len(args.positional) == 1:
        return Value(what=loaded(r, f, name.value))
    return Value(what=Unknown("dynamic-import"))


def _unknown(reason: str) -> Any:
    return lambda r, f, args: Value(what=Unknown(reason))


def repeated(a: Thing | None, b: Thing | None) -> Thing | None:
    """``[x] * 3``."""
    items, count = (a, b) if isinstance(a, Items) else (b, a)
    times = count.value if isinstance(count, Const) and type(count.value) is int else -1
    if isinstance(items, Items) and items.kind != "dict" and 0 <= times * len(items.values) <= 1000:
        return Items.of(list(items.values.values()) * times, items.kind)
    if isinstance(items, Items) and holds_operators(items):
        return many(list(items.values.values()))
    return None


def _reduce(r: Reader, f: Frame, args: Args, node: ast.Call) -> Value | None:
    """``functools.reduce`` over known members."""
    if not 2 <= len(args.positional) <= 3 or args.rest is not None:
        return None
    found = _known(r, f, args.positional[1])
    if found is None or not any(holds_operators(v.what) for v in found):
        return None
    values = [*args.positional[2:], *found]
    made = values[0]
    for value in values[1:]:
        made = _apply(r, f, args.positional[0], Args([made, value]), node)
    return made


def _call(r: Reader, f: Frame, args: Args, node: ast.Call) -> Value | None:
    """``operator.call(obj, ...)``."""
    if not args.positional or args.rest is not None:
        return None
    return _apply(r, f, args.positional[0], args.without_first(), node)


def _method_caller(r: Reader, f: Frame, args: Args, node: ast.Call) -> Value | None:
    """What ``methodcaller(name, ...)`` makes, called: the object comes last."""
    name = args.positional[0].what if args.positional else None
    if not isinstance(name, Const) or len(args.positional) < 2:
        return None
    callee = attribute(args.positional[-1], str(name.value), f.env.heap, r.world)
    return _apply(r, f, callee, Args(args.positional[1:-1], args.keywords), node)


def _apply(r: Reader, f: Frame, callee: Value, args: Args, node: ast.Call) -> Value:
    from operator_lib.trace.calls import apply

    return apply(r, f, callee, args, node)


def _prepared(name: str) -> Any:
    return lambda r, f, args: Value(what=Partial(External(name), tuple(args.positional), dict(args.keywords)))


def method_of_attributes(r: Reader, f: Frame, of: Attributes, name: str, args: Args) -> Value | None:
    """``vars(self).update(...)``."""
    if name != "update":
        return None
    given = dict(args.keywords)
    for value in args.positional:
        if not isinstance(value.what, Items) or value.what.kind != "dict":
            return None
        given.update({str(k): v for k, v in value.what.values.items()})
    for key, value in given.items():
        _put(r, f, of.instance, key, value)
    return Value()


# These call what they are given, here and now.
CALLING: dict[str, Any] = {
    "functools.reduce": _reduce,
    "operator.call": _call,
    "operator.methodcaller()": _method_caller,
}

FUNCTIONS: dict[str, Any] = {
    "sorted": _sorted,
    "filter": _filter,
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": _chained,
    "random.choice": _any_of,
    "collections.OrderedDict": _ordered,
    "collections.defaultdict": _default_dict,
    "types.MappingProxyType": _ordered,
    "collections.deque": _deque,
    "set": _set,
    "frozenset": _set,
    "types.SimpleNamespace": _namespace,
    "collections.namedtuple": _named_tuple,
    "operator.attrgetter": _attrgetter,
    "operator.itemgetter": _itemgetter,
    "operator.methodcaller": _prepared("operator.methodcaller()"),
    "operator.attrgetter()": _get_attribute,
    "operator.itemgetter()": _get_item,
    "functools.partialmethod": _partial_method,
    "setattr": _set_attribute,
    "object.__setattr__": _set_attribute,
    "vars": _vars,
    "importlib.import_module": _import_module,
    "pickle.loads": _unknown("loaded"),
    "pickle.load": _unknown("loaded"),
    "copyreg.__newobj__": _unknown("loaded"),
    "joblib.load": _unknown("loaded"),
    "globals": _unknown("dynamic-name"),
    "locals": _unknown("dynamic-name"),
}
