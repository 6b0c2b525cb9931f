"""Into what is called: operators, helpers and constructors are read in place, inside the node of their call."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from operator_lib.trace import graphs, remote
from operator_lib.trace.args import Args, bound, label
from operator_lib.trace.declared import declare, extend
from operator_lib.trace.foreign import item_getter
from operator_lib.trace.frame import Env, Frame, merge
from operator_lib.trace.graph import ASSUMED, Draft, Mark, without_assumed
from operator_lib.trace.hints import hinted
from operator_lib.trace.normal import is_docstring
from operator_lib.trace.objects import NONE, PERHAPS, WRITTEN, held, identified, immutable, note
from operator_lib.trace.reader import DEPTH_LIMIT, Reader
from operator_lib.trace.resolve import CONTENTS, attribute, contents, entry, many
from operator_lib.trace.said import uses_ctx, with_options
from operator_lib.trace.source import call_position
from operator_lib.trace.values import (
    Class,
    Const,
    Dep,
    Deps,
    External,
    Function,
    Instance,
    Items,
    Method,
    Partial,
    Place,
    Remote,
    Unknown,
    Value,
    either,
    holds_operators,
)  # fmt: skip


def operator_call(
    r: Reader, f: Frame, callee: Value, what: Instance, args: Args, node: ast.AST, extra: object = None
) -> Value:
    """A call of an operator: always a node."""
    maybe, f.maybe = f.maybe, f.maybe or what.assumed
    draft = _call_node(r, f, what.title, node, args, what.path, (what.identity if what.path is None else 0, extra))
    f.maybe = maybe
    return read_operator(r, f, draft, callee.deps, what, args, node)


def read_operator(r: Reader, f: Frame, draft: Draft, deps: Deps, what: Instance, args: Args, node: ast.AST) -> Value:
    """What is inside the node of a call of an operator."""
    r.graph.connect(deps | args.deps, draft)
    settle(r, f, draft)
    if isinstance(what, Remote):
        _unreadable(r, f, draft, "remote", node)
        return Value(frozenset({(draft, "")}))
    shape = graphs.shape(what, f.env.heap, r.world)
    if shape is not None:
        return graphs.read(r, f, draft, shape, args)
    if graphs.unmade(what):
        _unreadable(r, f, draft, "outside-project", node)
        return Value(frozenset({(draft, "")}))
    target = entry(what, r.world)
    if isinstance(target, Partial):
        args = args.after(target.positional, target.keywords)
        target = target.callee
    if isinstance(target, Function):
        if uses_ctx(what, r.world):
            args = args.after((Value(),), {})
        returned = _into(r, f, target, args, draft)
        if returned is not None:
            made = Value(returned.deps | {(draft, "")}, returned.what, returned.cells, returned.part)
            made.after = draft.serial
            return made
    elif isinstance(target, Unknown):
        _unreadable(r, f, draft, target.reason, node)
    elif target is None and not what.assumed:
        _unreadable(r, f, draft, "outside-project" if what.cls.foreign else "no-forward", node)
    return Value(frozenset({(draft, "")}))


def _call_node(r: Reader, f: Frame, name: str, node: ast.AST, args: Args, path: str | None, extra: object) -> Draft:
    draft = r.graph.emit("call", name, f, node, path, ("call", extra))
    if isinstance(node, ast.Call):
        draft.position = call_position(node)
    draft.code = draft.code or f.file.segment(node)
    draft.note(args.labels, draft.inputs)
    return draft


def _unreadable(r: Reader, f: Frame, call: Draft, reason: str, node: ast.AST) -> None:
    region, maybe = f.region, f.maybe
    f.region, f.maybe = call, ""
    r.opaque(f, node, call.name, reason, kind="code")
    f.region, f.maybe = region, maybe


def _into(r: Reader, f: Frame, function: Function, args: Args, draft: Draft) -> Value | None:
    again = f.active(function)
    if again is not None:
        if again.call is not None:
            draft.reason = again.call
        else:
            draft.reason = "recursion to itself"
        return None
    if f.depth >= DEPTH_LIMIT or r.exhausted:
        draft.certainty, draft.reason = "opaque", "limit"
        return None
    start = len(r.graph.events)
    inner = enter(r, f, function, args, draft)
    lift(r, f, start, draft)
    return result_of(inner)


def settle(r: Reader, f: Frame, draft: Draft) -> None:
    """What the statement did so far happens before this call: it belongs to it."""
    f.finish(draft, r.graph.events)


def lift(r: Reader, f: Frame, start: int, draft: Draft) -> None:
    """State that was written inside a call comes from that call, too."""
    _written(r, f, ((p, how) for _, p, how in r.graph.events[start:]), draft)


def _written(r: Reader, f: Frame, touched: Iterable[tuple[Place, int]], by: Draft) -> list[str]:
    """State that `by` has written, or may have, according to what happened inside of it: how it is called."""
    heap = f.env.heap
    sure: dict[Place, bool] = {}
    for place, how in touched:
        if how in (WRITTEN, PERHAPS):
            sure[place] = sure.get(place, False) or how == WRITTEN
    titles: list[str] = []
    for place, certain in sure.items():
        title = r.graph.titles.get(place, "")
        titles.append(title)
        value = heap.get(place)
        if value is None:
            _lift_name(f, place, (by, title))
        else:
            before = value.deps if certain else without_assumed(value.deps)
            dep = (by, title if certain else ASSUMED + title)
            heap[place] = Value(before | {dep}, value.what, value.cells, value.part)
    return titles


def _lift_name(f: Frame, place: Place, dep: Dep) -> None:
    """A variable of a function around was rebound inside."""
    frame: Frame | None = f
    while frame is not None:
        if frame.spot == place[0] and (value := frame.env.names.get(place[1])) is not None:
            frame.env.names[place[1]] = Value(value.deps | {dep}, value.what, value.cells, value.part)
        frame = frame.outer


def enter(r: Reader, f: Frame, function: Function, args: Args, draft: Draft | None) -> Frame:
    """Read a function with these arguments; its nodes go into `draft`."""
    r.uncalled.pop(id(function.node), None)
    file = function.file
    inner = Frame(function, file, r.world.shown(file.filename), Env({}, f.env.heap), call=draft, outer=f)
    inner.region = draft if draft is not None else f.region
    if draft is None:
        inner.maybe = f.maybe
    elif draft.operator is None and file.is_generator(function.node):
        inner.maybe = "generator"  # runs as far as its values are taken
    else:
        draft.uses.update(r.uses.function(function, head=True))
    spec = function.node.args
    first = next(iter([*spec.posonlyargs, *spec.args]), None)
    bound_names = bound(function, args, function.bound)
    for name, value in bound_names.items():
        inner.locals.add(name)
        if function.bound is not None and first is not None and name == first.arg:
            inner.me = function.bound if isinstance(function.bound, Instance) else None
            inner.env.names[name] = value
        else:
            inner.env.names[name] = parameter(r, inner, name, value, function)
    given = _entered(inner)
    run(r, inner, function)
    ends = [*inner.exits, inner.env] if inner.env.alive or not inner.exits else inner.exits
    f.env.heap = merge([Env({}, e.heap, True) for e in ends]).heap
    _left(f, given)
    return inner


Given = dict[Place, tuple[Value, Value]]


def _entered(inner: Frame) -> Given:
    """Inside, what was done to an argument before comes from the node of the parameter."""
    heap = inner.env.heap
    given: Given = {}
    for value in inner.env.names.values():
        for place in value.cells or ():
            if (before := heap.get(place)) is not None:
                known = given.get(place, (before, Value()))[1]
                given[place] = (before, Value(known.deps | value.deps, before.what, before.cells, before.part))
    if given:
        inner.env.heap = heap | {place: now for place, (_, now) in given.items()}
    return given


def _left(f: Frame, given: Given) -> None:
    """The reverse: what was done before the call is known again, and what the call has done."""
    if not given:
        return
    heap = f.env.heap = dict(f.env.heap)
    for place, (before, inside) in given.items():
        now = heap[place]
        if now is inside:
            heap[place] = before
        else:
            heap[place] = Value(before.deps | (now.deps - inside.deps), now.what, now.cells, now.part)


def parameter(r: Reader, inner: Frame, name: str, value: Value, function: Function) -> Value:
    """The node of a parameter, fed by the argument."""
    spec = function.node.args
    every = (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg)
    tree = next((a for a in every if a is not None and a.arg == name), None)
    draft = r.graph.emit("input", name, inner, tree, key=("input", name))
    if tree is not None:
        draft.code = inner.file.segment(tree)
    draft.outputs[:] = [name]
    r.graph.connect(value.deps, draft)
    what = value.what
    if tree is not None and tree.annotation is not None and (what is None or isinstance(what, Unknown)):
        what = hinted(tree.annotation, function.lookup, r.world) or what
    fixed = value.cells is None and tree is not None and immutable(tree.annotation)
    cells = NONE if fixed else identified(r, inner, value, name, name)
    r.graph.call(inner, cells, name)
    made = Value(frozenset({(draft, name)}), what, cells, value.part)
    made.name = name
    return made


def run(r: Reader, inner: Frame, function: Function) -> None:
    """The body of a function, or of a lambda."""
    body = function.node.body
    if isinstance(body, list):
        r.visit(inner, body[1:] if is_docstring(body[0]) else body)
        if inner.env.alive and inner.returns:
            inner.returns.append(Value())
        return
    inner.begin()
    mark = r.graph.mark()
    value = r.evaluate(inner, body)
    inner.used.update(inner.uses)
    if r.graph.plain_since(mark):
        inner.returns.append(value)
    else:
        inner.returns.append(value)
        inner.finish(r.graph.drafts[-1], r.graph.events)


def result_of(inner: Frame) -> Value:
    """What the function returned on any of its ways."""
    deps: Deps = frozenset()
    for value in inner.returns:
        deps |= value.deps
    function = inner.function
    fixed = function is not None and not isinstance(function.node, ast.Lambda) and immutable(function.node.returns)
    cells = [v.cells for v in inner.returns if v.cells]
    part = any(v.part for v in inner.returns)
    every = NONE.union(*cells) if cells else None
    if inner.yields:
        whats = [v.what for v in inner.yields]
        if not any(holds_operators(w) for w in whats):
            return Value(deps, None, every, True)
        return Value(deps, Items.of(inner.yields, "generator") if inner.counted else many(inner.yields), every, True)
    what = either(v.what for v in inner.returns) if inner.returns else None
    return Value(deps, what, NONE) if fixed else Value(deps, what, every, part)


def helper_call(r: Reader, f: Frame, function: Function, args: Args, node: ast.AST, extra: object = None) -> Value:
    """A call of a function or method of the project: a node when it calls an operator, else part of the code."""
    identity = function.bound.identity if isinstance(function.bound, Instance) else 0
    key = (id(function.node), identity)
    simple = not any(
        v.what is not None and (holds_operators(v.what) or isinstance(v.what, Function)) for v in args.values
    )
    if simple and key in r.plain:
        used, looked = r.plain[key]
        f.uses.update(used)
        f.touch(looked)
        heap = f.env.heap
        return Value(args.deps.union(*(heap[p].deps for p in looked if p in heap)))
    mark = r.graph.mark()
    draft = _call_node(r, f, _helper_name(f, function, node), node, args, None, (id(function.node), identity, extra))
    r.graph.sites -= 1  # a helper is a site only when there is one inside
    r.graph.connect(args.deps, draft)
    start = len(r.graph.events)
    inner = _helper_frame(r, f, function, args, draft)
    if inner is None:
        r.graph.sites += 1
        return Value(args.deps | {(draft, "")})
    result = result_of(inner)
    if not r.graph.plain_since(mark):
        r.graph.sites += 1
        lift(r, f, start, draft)
        made = Value(result.deps | {(draft, "")}, result.what, result.cells, result.part)
        made.after = draft.serial
        return made
    touched = _taken_back(r, f, inner, mark)
    used = {**inner.used, **r.uses.function(function)}
    f.uses.update(used)
    if simple and result.what is None and not result.cells and not any(how in (WRITTEN, PERHAPS) for _, how in touched):
        r.plain[key] = (used, tuple(place for place, _ in touched))
    return Value(result.deps | args.deps, result.what, result.cells, result.part)


def _taken_back(r: Reader, f: Frame, inner: Frame, mark: Mark) -> list[tuple[Place, int]]:
    """A function that calls no operator is part of the statement that calls it, with all that it looks at and does."""
    _, _, touched = r.graph.fold(mark)
    touched = list(dict.fromkeys([*touched, *inner.touched]))
    inner.pass_on(f)
    f.touched.extend(touched)
    if any(how in (WRITTEN, PERHAPS) for _, how in touched):
        for title in _written(r, f, touched, f.effect()):
            note(f, title)
    return touched


def _helper_name(f: Frame, function: Function, node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
        return label(node.func, f.file)
    return function.name


def _helper_frame(r: Reader, f: Frame, function: Function, args: Args, draft: Draft) -> Frame | None:
    again = f.active(function)
    if again is not None:
        draft.reason = again.call if again.call is not None else "recursion to itself"
        return None
    if f.depth >= DEPTH_LIMIT or r.exhausted:
        draft.certainty, draft.reason = "opaque", "limit"
        return None
    if function.file.is_generator(function.node):
        draft.reason = "lazy"  # the call only makes the generator
    return enter(r, f, function, args, draft)


def construct(r: Reader, f: Frame, cls: Class, args: Args, node: ast.AST) -> Value:
    """``Class(...)``: a new object, its ``__init__`` read for the attributes that it gets."""
    from operator_lib.trace import records

    names = records.tuple_names(cls)
    if names is not None:
        return records.make_tuple(r, cls, names, args)
    made = Instance(cls, operator=cls.operator)
    if r.made is not None:
        made = r.made.setdefault((id(node), id(f.file), cls.key), made)
    init = cls.find("__init__")
    if graphs.unmade(made) and not (init is not None and isinstance(init.what, Function)):
        declare(r, f, made, args, node)
        return Value(args.deps, made)
    if init is not None and isinstance(init.what, Function) and init.how == "method":
        if _constructing(f, init.what.node, cls):
            return Value(args.deps, Unknown("recursion"))
        value = helper_call(r, f, init.what.bind(made, init.owner), args, node, extra=("new", cls.name))
        return Value(value.deps, made)
    records.initialise(r, f, made, args, node)
    return Value(args.deps, made)


def _constructing(f: Frame, init: ast.AST, cls: Class) -> bool:
    frame: Frame | None = f
    while frame is not None:
        if frame.function is not None and frame.function.node is init:
            me = frame.function.bound
            if isinstance(me, Instance) and me.cls.key == cls.key:
                return True
        frame = frame.outer
    return False


def _method_of_handle(r: Reader, f: Frame, of: Value, what: Remote, name: str, args: Args, node: ast.Call) -> Value:
    """A call of a method of something deployed, or of one of what every handle has of its own."""
    if name == "with_options":
        return of
    title = remote.called(what, name)
    if title is None:
        return Value(of.deps | args.deps, External(name))
    maybe, f.maybe = f.maybe, "called by map" if name.rpartition(".")[2] == "map" else f.maybe
    made = operator_call(r, f, of, what.named(title), args, node, extra=name)
    f.maybe = maybe
    return made


def machinery(r: Reader, f: Frame, of: Value, name: str, args: Args, node: ast.Call) -> Value:
    """A method that every operator has: the ones that call it, the ones that return it or its children."""
    from operator_lib.trace.known import live_children, method_result

    what = of.what
    assert isinstance(what, Instance)
    if isinstance(what, Remote):
        return _method_of_handle(r, f, of, what, name, args, node)
    if name == "deploy":
        return Value(of.deps | args.deps, remote.deployed(r, f, what, args, node))
    if name == "get" and args.positional and (getter := item_getter(what)) is not None:  # of a Mapping
        found = helper_call(r, f, getter, Args(args.positional[:1]), node)
        missing = [v.what for v in args.positional[1:]] or [Const(None)]
        return Value(found.deps | args.deps, either([found.what, *missing]))
    declared = graphs.declared(what)
    calling = ("map", "submit", "__call__", "forward", "run", "push", *(("stream",) if declared else ()))
    if name in calling and what.operator and (declared or entry(what) is not None):
        maybe = f.maybe
        if name == "map":
            f.maybe = "called by map"
        value = operator_call(r, f, of, what, args if name != "map" else Args.unknown(args.deps), node, extra=name)
        f.maybe = maybe
        return Value(value.deps)
    if declared and name in ("add_node", "add_edge", "add_edges", "__init__"):
        if name == "__init__" and what.live is None:
            declare(r, f, what, args, node)
        elif what.live is None:
            extend(r, f, what, name, args, node)
        return of
    if name == "with_options" and r.building and args.rest is None:
        changes = {key: value.what for key, value in args.keywords.items()}
        return Value(of.deps, with_options(f, what, changes, r.world))
    if name in (
        "with_options",
        "eval",
        "train",
        "to",
        "cuda",
        "cpu",
        "half",
        "float",
        "apply",
        "propagate",
        "remote_init",
    ):
        return of
    if name in ("children", "named_children"):
        return live_children(r, f, what, name.startswith("named"))
    if name in ("operators", "named_operators"):
        return Value(what=Unknown("dynamic"))
    inside = contents(what, f.env.heap, r.world)
    if inside is not None and what.cls.container and isinstance(node.func, ast.Attribute):
        holder = ast.copy_location(ast.Attribute(node.func.value, CONTENTS[what.cls.container], ast.Load()), node.func)
        function = ast.copy_location(ast.Attribute(holder, name, ast.Load()), node.func)
        call = ast.copy_location(ast.Call(function, node.args, node.keywords), node)
        stored = attribute(of, CONTENTS[what.cls.container], f.env.heap, r.world)
        cells = stored.cells if stored.cells is not None else held(r, inside, None, (id(inside), "[]"), "")
        found = method_result(r, f, Method(Value(of.deps, inside, cells), name), args, call)
        if found is not None:
            return found
    return Value(of.deps | args.deps, External(name))
