"""Which variables a function has, and which of them may stand for something that is still being computed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# The blocks around a statement, outermost first: whose, which of them, and whether it is a loop.
Path = tuple[tuple[int, str, bool], ...]
Function = ast.FunctionDef | ast.Lambda
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)
_NAMED = (ast.ExceptHandler, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.MatchAs, ast.MatchStar)
# Who names these looks at variables as they are, by name or by frame.
SPYING = frozenset(["locals", "vars", "eval", "exec", "dir", "globals", "_getframe", "currentframe", "breakpoint"])


def loads(node: ast.AST) -> set[str]:
    """Names that are read anywhere in it, functions inside included."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


def free(node: ast.AST) -> set[str]:
    """Names that an expression reads from outside of it: not the variables of comprehensions and lambdas in it."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.Lambda):
        defaults = [one for one in (*node.args.defaults, *node.args.kw_defaults) if one is not None]
        return (free(node.body) - set(parameters(node))).union(*map(free, defaults))
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        own = bound_in(node)
        first = free(node.generators[0].iter)
        return first | set().union(*(free(one) for one in ast.iter_child_nodes(node))) - own
    return set().union(*(free(one) for one in ast.iter_child_nodes(node)))


def bound_in(node: ast.AST) -> set[str]:
    """Variables of the comprehensions in it."""
    return {n for one in ast.walk(node) if isinstance(one, ast.comprehension) for n in stores(one.target)}


def stores(node: ast.AST) -> set[str]:
    """Names that are assigned or deleted in it, not counting functions and comprehensions inside."""
    found: set[str] = set()
    for one in inner(node):
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            found.add(one.id)
        elif isinstance(one, ast.alias):
            found.add((one.asname or one.name).partition(".")[0])
        elif isinstance(one, _NAMED) and one.name:
            found.add(one.name)
        elif isinstance(one, ast.MatchMapping) and one.rest:
            found.add(one.rest)
    return found


def inner(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, without what belongs to functions and comprehensions inside."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_SCOPES, ast.ListComp, ast.SetComp, ast.DictComp)):
            yield child
            for one in ast.walk(child):
                if isinstance(one, ast.NamedExpr):
                    yield one.target
        else:
            yield from inner(child)


def parameters(node: Function) -> list[str]:
    spec = node.args
    found = [a.arg for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    return found + [a.arg for a in (spec.vararg, spec.kwarg) if a is not None]


def captured(body: list[ast.stmt]) -> set[str]:
    """Names that functions, lambdas and generators inside look up when they run, which may be later."""
    found: set[str] = set()
    for statement in body:
        for one in ast.walk(statement):
            if isinstance(one, _SCOPES):
                found |= loads(one) | {n for s in ast.walk(one) if isinstance(s, ast.Nonlocal) for n in s.names}
    return found


def refused(definition: ast.FunctionDef) -> str:
    """Why a function is left as it is; "" when it need not be."""
    for one in ast.walk(definition):
        if isinstance(one, ast.Name) and one.id in SPYING:
            return f"{one.id}() looks at variables (line {one.lineno})"
        if isinstance(one, ast.Attribute) and one.attr in SPYING:
            return f"{one.attr}() looks at variables (line {one.lineno})"
    for one in inner(definition):
        if isinstance(one, ast.Yield | ast.YieldFrom):
            return "it is a generator"
        if isinstance(one, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return "it is a coroutine"
        if isinstance(one, ast.Global | ast.Nonlocal):
            return f"it writes variables from outside (line {one.lineno})"
    return ""


def assigned_first(name: str, body: list[ast.stmt]) -> bool:
    """Whether a body that begins anew does not look at what it left in a variable the last time."""
    for one in body:
        if name in loads(one) | stores(one):
            plain = isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name)
            return plain and name not in loads(one)
    return True


def private_holders(definition: ast.FunctionDef) -> set[str]:
    """Lists and dicts that are made empty here and only filled until they are looked at for the first time.

    What is put into one of them may be pending as long as nobody has looked.
    """
    seen = _Uses()
    seen.visit_body(definition.body, ())
    found: set[str] = set()
    for name, home in seen.made:
        if seen.stored.get(name, 0) != 1 or name in parameters(definition):
            continue
        fills = [(at, around) for one, at, around in seen.fills if one == name]
        looks = [(at, around) for one, at, around in seen.looks if one == name]
        if fills and all(_before(fill, look, home) for fill in fills for look in looks):
            found.add(name)
    return found


def _before(fill: tuple[int, Path], look: tuple[int, Path], home: Path) -> bool:
    """Whether no look at it can come before it is filled: later, and in no loop but those it is made in."""
    size = len(home)
    shared = {block for block in fill[1] if block[2] and block in look[1]}
    return fill[0] < look[0] and fill[1][:size] == home == look[1][:size] and shared <= set(home)


class _Uses:
    """In the order of the source: where a name is made, filled, and looked at, with the loops around."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Path]] = []
        self.fills: list[tuple[str, int, Path]] = []
        self.looks: list[tuple[str, int, Path]] = []
        self.stored: dict[str, int] = {}
        self.count = 0

    def visit_body(self, body: list[ast.stmt], loops: Path) -> None:
        for one in body:
            self.count += 1
            self._statement(one, loops)

    def _statement(self, one: ast.stmt, loops: Path) -> None:
        name = filled(one)
        if name is not None:
            self.fills.append((name[0], self.count, loops))
            for part in name[1]:
                self._looked(part, loops)
            return
        if (
            isinstance(one, ast.Assign)
            and len(one.targets) == 1
            and isinstance(one.targets[0], ast.Name)
            and _empty(one.value)
        ):
            self.made.append((one.targets[0].id, loops))
            self._stored(one.targets[0])
            return
        for block in ("body", "orelse", "finalbody"):
            inside = (*loops, (id(one), block, isinstance(one, ast.For | ast.While)))
            if not isinstance(one, ast.FunctionDef | ast.ClassDef):
                self.visit_body(getattr(one, block, []), inside)
        inside = (*loops, (id(one), "", isinstance(one, ast.For | ast.While)))
        for child in ast.iter_child_nodes(one):
            if isinstance(child, ast.ExceptHandler | ast.match_case):
                within = (*loops, (id(child), "", False))
                self.visit_body(child.body, within)
                for part in ast.iter_child_nodes(child):
                    if not isinstance(part, ast.stmt):
                        self._looked(part, within)
            elif not isinstance(child, ast.stmt):
                self._looked(child, inside if isinstance(one, ast.While) else loops)
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            self._looked(one, loops)

    def _looked(self, node: ast.AST, loops: Path) -> None:
        for name in loads(node):
            self.looks.append((name, self.count, loops))
        self._stored(node)

    def _stored(self, node: ast.AST) -> None:
        for name in stores(node):
            self.stored[name] = self.stored.get(name, 0) + 1


def _empty(node: ast.expr) -> bool:
    if isinstance(node, ast.List):
        return not node.elts
    if isinstance(node, ast.Dict):
        return not node.keys
    return False


def filled(node: ast.stmt) -> tuple[str, list[ast.expr]] | None:
    """``name.append(x)`` and ``name[k] = x``: the name, and what else stands in it."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        func, call = node.value.func, node.value
        plain = len(call.args) == 1 and not call.keywords and not isinstance(call.args[0], ast.Starred)
        if isinstance(func, ast.Attribute) and func.attr == "append" and isinstance(func.value, ast.Name) and plain:
            return func.value.id, [call.args[0]]
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript):
        target = node.targets[0]
        if isinstance(target.value, ast.Name) and not isinstance(target.slice, ast.Slice):
            return target.value.id, [node.value, target.slice]
    return None
