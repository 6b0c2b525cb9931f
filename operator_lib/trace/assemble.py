"""From an operator, live or only read, to its `DAG`."""

from __future__ import annotations

import ast
import gc
import inspect
import os
import sys
from difflib import get_close_matches
from typing import Any

from operator_lib import project, tree
from operator_lib.trace import definitions, expand, graphs, ids, records
from operator_lib.trace.args import Args
from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.edges import edges
from operator_lib.trace.frame import Env, Frame
from operator_lib.trace.graph import Draft
from operator_lib.trace.live import packages, what_is
from operator_lib.trace.modules import DEFINITIONS, StaticModule, module_of
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import attribute, entry
from operator_lib.trace.source import SourceFile, unparsed
from operator_lib.trace.static import StaticClass, function_operator
from operator_lib.trace.values import (
    Class,
    Const,
    External,
    Function,
    FunctionOperator,
    Instance,
    Method,
    Partial,
    Thing,
    Unknown,
    Value,
)  # fmt: skip
from operator_lib.trace.world import World

_EMPTY = SourceFile("", "")
# Python frames: 32 operators deep, each some blocks and expressions deep.
RECURSION = 12_000


def from_object(target: Any) -> tuple[DAG, World]:
    """The graph of a live operator, of a class (made with unknown arguments) or of a function."""
    own = type(target) if tree.is_operator(target) and not project.stands_for(target) else target
    place = project.locate(own)
    paths = tree.paths(target) if tree.is_operator(target) else {}
    operators = (op for _, op in tree.named_operators(target)) if paths else ()
    world = World(str(place.root), paths, packages(operators))
    r = Reader(world, live=True)
    what = what_is(target, world)
    if isinstance(what, Class):
        what = _blank(r, what, Frame(None, _EMPTY, "", Env()))
    name, doc = getattr(own, "__name__", type(own).__name__), getattr(own, "__doc__", None)
    return _guarded(r, what, name, inspect.cleandoc(doc) if isinstance(doc, str) else ""), world


def from_file(file: str, name: str) -> DAG:
    """The graph of a class or function of a file that is not imported."""
    filename = os.path.realpath(file)
    root = _project_root(filename)
    world = World(root)
    r = Reader(world, live=False)
    source = world.source(filename)
    if source is None:
        why = unparsed(filename) if os.path.isfile(filename) else "no such file"
        raise ValueError(f"cannot read {file}: {why}")
    module = module_of(source, world)
    what = _named(module, name, file)
    node = getattr(what, "node", None)
    doc = ast.get_docstring(node) if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else ""
    if isinstance(what, Instance) and what.live is None:
        world.adopt(what, "", world.heap)
    if isinstance(what, Function):
        what = function_operator(what)
    if isinstance(what, Class):
        what = _blank(r, what, Frame(None, source, module.name, Env()))
    return _guarded(r, what, name, doc or "")


def _named(module: StaticModule, name: str, file: str) -> Thing | None:
    """What ``Name`` or ``Outer.Inner`` denotes in a module."""
    first, *rest = name.split(".")
    what = module.lookup(first) if first in module.bindings or module.stars else None
    for part in rest:
        what = attribute(Value(what=what), part, module.world.heap, module.world).what if what is not None else None
    missing = first not in module.bindings and (what is None or isinstance(what, External))
    absent = isinstance(what, Unknown) and what.reason in ("attribute", "absent")
    if missing or (rest and (what is None or absent or isinstance(what, External))):
        known = sorted(n for n, s in module.bindings.items() if isinstance(s[-1], DEFINITIONS))
        near = get_close_matches(name, known, 1)
        guess = f"did you mean {near[0]}? It defines" if near else "it defines"
        raise ValueError(f"{file} defines no {name!r}; {guess}: {', '.join(known) or 'nothing'}")
    if isinstance(what, Const):
        raise ValueError(f"{name!r} in {file} is {what.value!r}, not an operator")
    return what


def _guarded(r: Reader, what: Thing | None, name: str, doc: str) -> DAG:
    """`_read` with room for deep nesting; what is deeper still is one opaque node."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION))
    # Reading makes many objects and no garbage worth a walk over everything that the process holds.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _read(r, what, name, doc)
    except RecursionError:
        return _opaque(name, doc, "limit")
    finally:
        sys.setrecursionlimit(limit)
        r.let_go()
        if collecting:
            gc.enable()


def _project_root(filename: str) -> str:
    folder = os.path.dirname(filename)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _blank(r: Reader, cls: Class, frame: Frame) -> Instance:
    """An object of a class, made with unknown arguments; its constructor leaves no node."""
    made = Instance(cls, operator=True)
    init = cls.find("__init__")
    args = Args(rest=Value(what=Unknown("parameter")))
    with r.silence():
        if init is not None and isinstance(init.what, Function) and init.how == "method":
            expand.enter(r, frame, init.what.bind(made, init.owner), args, None)
        else:
            tree = getattr(cls, "node", ast.Pass())
            records.initialise(r, frame, made, args, tree)
    r.heap = {k: Value(what=v.what, cells=v.cells, part=v.part) for k, v in frame.env.heap.items()}
    r.world.adopt(made, "", r.heap)
    return made


def _read(r: Reader, what: Thing | None, name: str, doc: str) -> DAG:
    shape = graphs.shape(what, r.heap, r.world) if isinstance(what, Instance) else None
    if shape is not None:
        return _read_graph(r, shape, name)
    target = entry(what, r.world) if isinstance(what, Instance) else what
    positional: tuple[Value, ...] = ()
    while isinstance(target, Partial | Instance) and not (isinstance(target, Instance) and entry(target) is None):
        if isinstance(target, Partial):
            positional = (*target.positional, *positional)
            target = target.callee
        else:
            target = entry(target)
    title = what.title if isinstance(what, Instance) else name
    if not isinstance(target, Function):
        reason = target.reason if isinstance(target, Unknown) else "no-source"
        if isinstance(what, Instance) and (target is None or isinstance(target, Method)):
            reason = "outside-project" if what.cls.foreign else "no-forward"
        return _opaque(title, doc, reason)
    outer = Frame(None, target.file, "", Env({}, dict(r.heap)))
    _root_frame(r, outer, target, positional)
    definitions.leftovers(r)
    file, line = _place(r, what, target)
    if not doc and not isinstance(target.node, ast.Lambda):
        doc = ast.get_docstring(target.node) or ""
    return finish(r, title, signature(title, target), doc, file, line)


def _read_graph(r: Reader, shape: graphs.Shape, name: str) -> DAG:
    outer = Frame(None, _EMPTY, "", Env({}, dict(r.heap)))
    graphs.read(r, outer, None, shape, Args(rest=Value(what=Unknown("parameter"))))
    definitions.leftovers(r)
    title = shape.name or name
    return finish(r, title, f"{title}{shape.signature}", shape.doc, "", 0)


def _opaque(title: str, doc: str, reason: str) -> DAG:
    node = Node(ids.digest("opaque", title, reason), 0, "code", title, certainty="opaque", reason=reason)
    return DAG((node,), (), title, title, doc)


def _root_frame(r: Reader, outer: Frame, target: Function, positional: tuple[Value, ...]) -> Frame:
    args = Args(list(positional), rest=Value(what=Unknown("parameter")))
    return expand.enter(r, outer, target, args, None)


def _place(r: Reader, what: Thing | None, target: Function) -> tuple[str, int]:
    filename, line = "", 0
    if isinstance(what, Instance) and not isinstance(what, FunctionOperator):
        filename, line = what.cls.place()
    if not filename:
        filename, line = target.file.filename, target.node.lineno
    return r.world.shown(filename), line


def signature(title: str, function: Function) -> str:
    """``Digits(x: Path) -> Report``, without `self`."""
    node = function.node
    spec = ast.arguments(**{k: getattr(node.args, k) for k in node.args._fields})
    if function.bound is not None:
        skip = 1
        posonly, args = list(spec.posonlyargs), list(spec.args)
        if posonly:
            posonly = posonly[skip:]
        else:
            args = args[skip:]
        defaults = spec.defaults[max(0, len(spec.defaults) - len(posonly) - len(args)) :]
        spec.posonlyargs, spec.args, spec.defaults = posonly, args, defaults
    returns = getattr(node, "returns", None)
    return f"{title}({ast.unparse(spec)})" + (f" -> {ast.unparse(returns)}" if returns is not None else "")


def finish(r: Reader, name: str, signature: str, doc: str, file: str, line: int) -> DAG:
    """Drafts become nodes: ids, indices, edges between siblings."""
    drafts = r.graph.drafts
    names = ids.name_all(drafts)
    nodes = tuple(_node(draft, index, names) for index, draft in enumerate(drafts))
    return DAG(nodes, edges(r.graph, r.world, names), name, signature, doc, file, line)


def _node(draft: Draft, index: int, names: dict[Draft, str]) -> Node:
    line, col, end_line, end_col = draft.position
    reason = draft.reason if isinstance(draft.reason, str) else f"recursion to {names.get(draft.reason, '')}"
    code = draft.code
    if not code and draft.kind == "code" and line:
        code = draft.frame.file.between(line, col, end_line, end_col)
    return Node(
        id=names[draft],
        index=index,
        kind=draft.kind,
        name=_code_name(draft, code) if draft.kind == "code" and draft.certainty != "opaque" else draft.name,
        operator=draft.operator,
        parent=names[draft.parent] if draft.parent is not None else None,
        certainty=draft.certainty,
        reason=reason,
        condition=draft.condition,
        code=code,
        file=draft.file,
        line=line,
        end_line=end_line,
        col=col,
        end_col=end_col,
        inputs=tuple(draft.inputs),
        outputs=tuple(draft.outputs),
        uses=tuple(sorted(draft.uses.values())),
    )


def _code_name(draft: Draft, code: str) -> str:
    first = code.strip().split("\n", 1)[0].strip()
    return first if len(first) <= 60 else first[:59] + "…"


__all__ = ["StaticClass", "from_file", "from_object"]
