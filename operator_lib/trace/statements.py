"""Statements: simple ones become code, calls and returns; compound ones become regions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from operator_lib.trace import assign, loops, regions, tries
from operator_lib.trace.frame import Frame
from operator_lib.trace.graph import Draft, Mark, expanded, outside_code
from operator_lib.trace.objects import again, identified, immutable, used
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import own_deps
from operator_lib.trace.values import Deps, Function, Items, Many, Value

NONE: Deps = frozenset()


def visit(r: Reader, f: Frame, body: list[ast.stmt]) -> None:
    """Read statements one after another."""
    for node in body:
        if isinstance(node, ast.Pass):
            continue
        if r.building and not f.env.alive:
            return
        if r.exhausted:
            r.opaque(f, node, "the rest", "limit", kind="code")
            return
        _VISITORS.get(type(node), _simple)(r, f, node)


def header(r: Reader, f: Frame, test: ast.expr) -> Value:
    """The expression in the head of a compound statement; its calls stand before the region."""
    f.begin()
    value = r.evaluate(f, test)
    f.tested = value.what
    return value


def code_node(r: Reader, f: Frame, node: ast.AST) -> Draft:
    """The code node that a statement belongs to: the one just before, or a new one."""
    last = r.graph.drafts[-1] if r.graph.drafts else None
    if (
        last is not None
        and last.kind == "code"
        and last.serial >= r.graph.sealed
        and last.frame is f
        and last.parent is f.region
        and isinstance(last.tree, list)
        and last.certainty == ("may" if f.why else "exact")
        and not r.graph.repeating
    ):
        last.tree.append(node)  # type: ignore[arg-type]
        last.position = (*last.position[:2], node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return last
    draft = r.graph.emit("code", "code", f, node)
    if not isinstance(draft.tree, list):
        draft.tree = [node]  # type: ignore[list-item]
    return draft


def _simple(r: Reader, f: Frame, node: ast.stmt) -> None:
    """Any statement without a body of its own."""
    f.begin()
    mark = r.graph.mark()
    result = f.placeholder()
    deps = _SIMPLE.get(type(node), _any)(r, f, node, result)
    close_simple(r, f, node, mark, result, deps)


def close_simple(r: Reader, f: Frame, node: ast.stmt, mark: Mark, result: Draft, deps: Deps) -> None:
    """The statement has been read: it is code, or the calls in it stand for it."""
    f.used.update(f.uses)
    if r.graph.plain_since(mark):
        target = code_node(r, f, node)
        target.note((n for n in f.reads if n not in target.outputs), target.inputs)
        r.graph.connect(deps, target)
        result.through = outside_code(deps) | {(target, "")}
        if result.alone is not None:
            result.alone.through = outside_code(result.alone.through) | {(target, "")}
        if f.assumed and not target.reason:
            target.reason = "assumed-write: " + ", ".join(f.assumed)
    else:
        target = _outermost(r, f, mark[0])
        target.code = f.file.segment(node)
        result.through = frozenset(expanded(deps))
    target.note(f.writes, target.outputs)
    target.uses.update(f.uses)
    f.finish(target, r.graph.events)


def _outermost(r: Reader, f: Frame, start: int) -> Draft:
    """The last node that the statement has made in this region: the outermost call."""
    for draft in reversed(r.graph.drafts[start:]):
        if draft.parent is f.region and draft.kind != "input":
            return draft
    # In a later round of an unrolled loop the statement has made nothing new.
    return r.graph.met.get(f.region) or r.graph.drafts[-1]


def _any(r: Reader, f: Frame, node: ast.stmt, result: Draft) -> Deps:
    deps = NONE
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            deps |= r.evaluate(f, child).deps
    return deps


def _assign(r: Reader, f: Frame, node: ast.Assign, result: Draft) -> Deps:
    value = r.evaluate(f, node.value)
    made = again(value, frozenset({(result, "")}))
    if isinstance(value.what, Items):
        result.alone = f.placeholder()
        result.alone.through = own_deps(value, value.what)
    if len(node.targets) > 1 and value.cells is None:  # every target gets the same object
        cells = identified(r, f, value, id(node), ast.unparse(node.targets[0]))
        made = Value(made.deps, made.what, cells, made.part)
    for target in node.targets:
        assign.bind(r, f, target, made)
    return value.deps


def _annotated(r: Reader, f: Frame, node: ast.AnnAssign, result: Draft) -> Deps:
    if node.value is None:
        return NONE
    value = r.evaluate(f, node.value)
    fixed = value.cells is None and immutable(node.annotation)
    cells = assign.NONE if fixed else value.cells
    assign.bind(r, f, node.target, Value(frozenset({(result, "")}), value.what, cells, value.part))
    return value.deps


def _augmented(r: Reader, f: Frame, node: ast.AugAssign, result: Draft) -> Deps:
    from operator_lib.trace.expressions import combined, of_attribute, of_subscript

    target = node.target
    if isinstance(target, ast.Name):
        base = index = Value()
        old = r.evaluate(f, ast.copy_location(ast.Name(target.id, ast.Load()), target))
    else:
        base = r.evaluate(f, target.value)
        index = r.evaluate(f, target.slice) if isinstance(target, ast.Subscript) else Value()
        old = of_attribute(r, f, base, target) if isinstance(target, ast.Attribute) else of_subscript(r, f, base, index)
    new = r.evaluate(f, node.value)
    value = combined(r, f, node, node.op, old, new)
    made = Value(frozenset({(result, "")}), value.what, value.cells, value.part)
    if old.cells and value.cells != assign.NONE:  # it may be the same object, changed
        members = new.cells or assign.NONE
        if isinstance(value.what, Items | Many) and value.what.kind != "tuple":
            assign.update(r, f, old, value.what, new.deps, members)
        else:
            assign.changed(r, f, old, new.deps, members=members)
        made = Value(made.deps, made.what, old.cells, old.part)
    if isinstance(target, ast.Name):
        assign.name(r, f, target.id, made, target)
    elif isinstance(target, ast.Attribute):
        assign.set_attribute(r, f, base, target, made)
    else:
        assign.put(r, f, base, index, made)
    return value.deps | index.deps


def _assert(r: Reader, f: Frame, node: ast.Assert, result: Draft) -> Deps:
    deps = r.evaluate(f, node.test).deps
    if node.msg is not None:
        maybe, f.maybe = f.maybe, f.maybe or "assert"
        deps |= r.evaluate(f, node.msg).deps
        f.maybe = maybe
    return deps


def _delete(r: Reader, f: Frame, node: ast.Delete, result: Draft) -> Deps:
    deps = NONE
    for target in node.targets:
        deps |= assign.removed(r, f, target)
    return deps


def _nonlocal(r: Reader, f: Frame, node: ast.Nonlocal, result: Draft) -> Deps:
    f.nonlocals.update(node.names)
    return NONE


def _global(r: Reader, f: Frame, node: ast.Global, result: Draft) -> Deps:
    f.globals.update(node.names)
    return NONE


def _import(r: Reader, f: Frame, node: ast.Import | ast.ImportFrom, result: Draft) -> Deps:
    from operator_lib.trace.imports import local_import

    for name, what in local_import(r, f, node):
        f.env.names[name] = Value(what=what)
        f.locals.add(name)
    return NONE


def _raise(r: Reader, f: Frame, node: ast.Raise) -> None:
    _simple(r, f, node)
    f.env.alive = False


def _return(r: Reader, f: Frame, node: ast.Return) -> None:
    f.begin()
    mark = r.graph.mark()
    value = used(r, f, r.evaluate(f, node.value)) if node.value is not None else Value()
    last = None if r.graph.plain_since(mark) else _outermost(r, f, mark[0])
    draft = r.graph.emit("return", "return", f, node)
    draft.code = f.file.segment(node)
    draft.note(f.reads, draft.inputs)
    draft.uses.update(f.uses)
    f.used.update(f.uses)
    r.graph.connect(value.deps, draft)
    f.finish(last or draft, r.graph.events)
    f.returns.append(Value(frozenset({(draft, "")}), value.what, value.cells, value.part))
    f.exits.append(f.env.copy())
    f.env.alive = False
    if f.maybe or f.loops or f.tries:
        f.after = "after-return"  # a `break` is over with its loop, a return is not


def _break(r: Reader, f: Frame, node: ast.Break | ast.Continue) -> None:
    f.begin()
    code_node(r, f, node)
    if f.loops:
        loop = f.loops[-1]
        (loop.breaks if isinstance(node, ast.Break) else loop.continues).append(f.env.copy())
        f.after = f.after or "after-break"
    f.env.alive = False


def _function(r: Reader, f: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    from operator_lib.trace.definitions import closure, decorated

    f.begin()
    mark = r.graph.mark()
    result = f.placeholder()
    value = closure(r, f, node, node.name)
    value = decorated(r, f, value, node.decorator_list)
    what = value.what
    assign.name(r, f, node.name, Value(value.deps if isinstance(what, Function) else frozenset({(result, "")}), what))
    close_simple(r, f, node, mark, result, value.deps)


def _class(r: Reader, f: Frame, node: ast.ClassDef) -> None:
    from operator_lib.trace.definitions import closure, local_class

    f.begin()
    mark = r.graph.mark()
    result = f.placeholder()
    deps = NONE
    for part in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
        deps |= r.evaluate(f, part).deps
    names = dict(f.env.names)
    methods = [s for s in node.body if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)]
    for method in methods:
        for decorator in method.decorator_list:
            deps |= r.evaluate(f, decorator).deps
        closure(r, f, method, f"{node.name}.{method.name}")
    for statement in node.body:
        value = getattr(statement, "value", None)
        if statement not in methods and isinstance(value, ast.expr):
            deps |= r.evaluate(f, value).deps
    f.env.names = names
    assign.name(r, f, node.name, Value(deps, local_class(r, f, node)))
    close_simple(r, f, node, mark, result, deps)


_SIMPLE: dict[type, Callable[[Reader, Frame, Any, Draft], Deps]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Nonlocal: _nonlocal,
    ast.Global: _global,
    ast.Import: _import,
    ast.ImportFrom: _import,
}

_VISITORS: dict[type, Callable[[Reader, Frame, Any], None]] = {
    ast.If: regions.if_statement,
    ast.Match: regions.match_statement,
    ast.For: loops.for_statement,
    ast.AsyncFor: loops.for_statement,
    ast.While: loops.while_statement,
    ast.Try: tries.try_statement,
    ast.With: loops.with_statement,
    ast.AsyncWith: loops.with_statement,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _break,
    ast.Continue: _break,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    **({ast.TryStar: tries.try_statement} if hasattr(ast, "TryStar") else {}),
}
