"""Statements, as far as a proof can be made of them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.independence import calls, expressions, lookup
from operator_lib.independence.expressions import bind, data, evaluate, items, truth, value_of
from operator_lib.independence.things import SIMPLE, Data, Frame, Known, Local, Thing, Unclear, join

if TYPE_CHECKING:
    from operator_lib.independence.prover import Prover

# Readings of a loop until nothing new turns up; what is still new then is left unclear.
ROUNDS = 5


def visit(p: Prover, f: Frame, body: list[ast.stmt]) -> None:
    """The statements in order."""
    for node in body:
        p.steps += 1
        visitor = VISITORS.get(type(node))
        if visitor is None:
            p.obstacle(f, node, f"{type(node).__name__.lower()} is not followed")
        else:
            visitor(p, f, node)


def _expression(p: Prover, f: Frame, node: ast.Expr) -> None:
    evaluate(p, f, node.value)


def _assign(p: Prover, f: Frame, node: ast.Assign) -> None:
    value = value_of(p, f, node.value)
    for target in node.targets:
        bind(p, f, target, value)


def _annotated(p: Prover, f: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        bind(p, f, node.target, value_of(p, f, node.value))


def _augmented(p: Prover, f: Frame, node: ast.AugAssign) -> None:
    """``x += 1`` rebinds a number and changes a list: which one it is, is asked at the call."""
    given = data(p, f, node, value_of(p, f, node.value), "computes with")
    if not isinstance(node.target, ast.Name):
        value = expressions.evaluate(p, f, _loaded(node.target))
        bind(p, f, node.target, p.new(f, node, lookup.cells_of(expressions.settled(value)) | given.cells))
        return
    before = data(p, f, node, value_of(p, f, _loaded(node.target)), "computes with")
    for cell in before.cells:
        if cell.external:
            cell.fixed = True
        cell.inside |= given.cells - {cell}
    made = SIMPLE if before.fixed and given.fixed else p.new(f, node, before.cells | given.cells)
    bind(p, f, node.target, Data(made.cells | frozenset(c for c in before.cells if not c.external), made.fixed))


def _loaded(target: Any) -> Any:
    fields = dict(ast.iter_fields(target)) | {"ctx": ast.Load()}
    return ast.copy_location(type(target)(**fields), target)


def _return(p: Prover, f: Frame, node: ast.Return) -> None:
    f.returns.append(value_of(p, f, node.value))


def _if(p: Prover, f: Frame, node: ast.If) -> None:
    truth(p, f, node.test, value_of(p, f, node.test))
    _arms(p, f, [node.body, node.orelse])


def _arms(p: Prover, f: Frame, arms: list[list[ast.stmt]]) -> None:
    """One of several ways is taken."""
    before = dict(f.env)
    after: dict[str, Thing] | None = None
    for arm in arms:
        f.env = dict(before)
        visit(p, f, arm)
        after = dict(f.env) if after is None else merged(after, f.env)
    f.env = after if after is not None else before


def merged(one: dict[str, Thing], other: dict[str, Thing]) -> dict[str, Thing]:
    """Variables after either of two ways."""
    return {
        name: join(one[name], other[name]) if name in one and name in other else one.get(name, other.get(name, SIMPLE))
        for name in {**one, **other}
    }


def _repeat(p: Prover, f: Frame, once: Callable[[], None]) -> None:
    """A body that runs any number of times."""
    f.weak += 1
    before: dict[str, Thing] = {}
    for _ in range(ROUNDS):
        before = dict(f.env)
        inside = sum(len(cell.inside) for cell in p.made.values())
        once()
        f.env = merged(before, f.env)
        if f.env == before and inside == sum(len(cell.inside) for cell in p.made.values()):
            break
    else:
        for name, value in f.env.items():
            if value != before.get(name):
                f.env[name] = Unclear("is another one in every round")
        once()
    f.weak -= 1


def _for(p: Prover, f: Frame, node: ast.For) -> None:
    source = value_of(p, f, node.iter)

    def once() -> None:
        bind(p, f, node.target, items(p, f, node, source))
        visit(p, f, node.body)

    _repeat(p, f, once)
    visit(p, f, node.orelse)


def _while(p: Prover, f: Frame, node: ast.While) -> None:
    def once() -> None:
        truth(p, f, node.test, value_of(p, f, node.test))
        visit(p, f, node.body)

    _repeat(p, f, once)
    visit(p, f, node.orelse)


def _try(p: Prover, f: Frame, node: ast.Try) -> None:
    before = dict(f.env)
    f.weak += 1  # it may end anywhere
    visit(p, f, node.body)
    f.weak -= 1
    f.env = merged(before, f.env)
    for handler in node.handlers:
        if handler.type is not None:
            _exceptions(p, f, handler.type)
        if handler.name:
            f.env[handler.name] = Unclear("is an exception")
    _arms(p, f, [node.orelse, *(handler.body for handler in node.handlers)])
    visit(p, f, node.finalbody)


def _exceptions(p: Prover, f: Frame, node: ast.expr) -> None:
    for one in node.elts if isinstance(node, ast.Tuple) else [node]:
        found = evaluate(p, f, one)
        if not (isinstance(found, Known) and isinstance(found.value, type) and type(found.value) is type):
            p.obstacle(f, one, "catches something that is no known class")


def _raise(p: Prover, f: Frame, node: ast.Raise) -> None:
    for one in (node.exc, node.cause):
        if one is not None:
            found = evaluate(p, f, one)
            if isinstance(found, Known) and isinstance(found.value, type):
                calls.apply(p, f, one, found, expressions.Args())


def _assert(p: Prover, f: Frame, node: ast.Assert) -> None:
    truth(p, f, node.test, value_of(p, f, node.test))
    if node.msg is not None:
        data(p, f, node, value_of(p, f, node.msg), "shows")


def _delete(p: Prover, f: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            f.env[target.id] = Unclear("was deleted")
        elif isinstance(target, ast.Subscript):
            p.changed(f, target, value_of(p, f, target.value))
            data(p, f, target, value_of(p, f, target.slice), "looks up")
        else:
            p.obstacle(f, target, f"deletes {ast.unparse(target)}")


def _define(p: Prover, f: Frame, node: ast.FunctionDef) -> None:
    if node.decorator_list or node.args.defaults or any(node.args.kw_defaults):
        p.obstacle(f, node, f"defines {node.name} with decorators or defaults")
        f.env[node.name] = Unclear("was not read")
        return
    if any(isinstance(one, ast.Yield | ast.YieldFrom | ast.Nonlocal | ast.Global) for one in ast.walk(node)):
        p.obstacle(f, node, f"defines {node.name}, which yields or writes variables from outside")
    f.env[node.name] = Local(node, f)


def _given_away(p: Prover, f: Frame, node: ast.Global | ast.Nonlocal) -> None:
    f.declared = f.declared | frozenset(node.names)


def _import(p: Prover, f: Frame, node: ast.Import) -> None:
    for alias in node.names:
        module = sys.modules.get(alias.name)
        if module is None:
            p.obstacle(f, node, f"imports {alias.name}, which is not loaded yet")
            continue
        name = alias.asname or alias.name.partition(".")[0]
        f.env[name] = Known(module if alias.asname else sys.modules[name], name)


def _import_from(p: Prover, f: Frame, node: ast.ImportFrom) -> None:
    module = sys.modules.get(node.module or "") if not node.level else None
    for alias in node.names:
        if module is None or alias.name not in module.__dict__:
            p.obstacle(f, node, f"imports from {'.' * node.level}{node.module or ''}, which is not loaded yet")
            f.env[alias.asname or alias.name] = Unclear("was not imported")
        else:
            f.env[alias.asname or alias.name] = lookup.placed(p, module.__dict__, alias.name, alias.name)


def _nothing(p: Prover, f: Frame, node: ast.stmt) -> None:
    pass


VISITORS: dict[type, Callable[..., None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.Try: _try,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.FunctionDef: _define,
    ast.Global: _given_away,
    ast.Nonlocal: _given_away,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Pass: _nothing,
    ast.Break: _nothing,
    ast.Continue: _nothing,
}
