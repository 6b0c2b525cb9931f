"""A failing program, made small: statements and expressions are taken away as long as it still fails."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

WRITTEN = ("forward", "helper", "gen", "later", "mixed")
_SMALL = (ast.Constant, ast.Name, ast.Attribute)
Fails = Callable[[str], bool]


def shrink(source: str, fails: Fails, tries: int = 300) -> str:
    """The smallest program found for which `fails` holds. `fails` must be False for a program that cannot run."""
    best = ast.unparse(ast.parse(source))
    if not fails(best):
        return source
    improved = True
    while improved and tries > 0:
        improved = False
        for candidate in _smaller(best):
            tries -= 1
            if tries <= 0:
                break
            if fails(candidate):
                best, improved = candidate, True
                break
    return best


def _smaller(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    written = [n for method in _methods(tree) for n in ast.walk(method)]
    free = set(written).difference(*(ast.walk(_counter(n)) for n in written if _counter(n) is not None))
    places = [(i, f) for i, node in enumerate(ast.walk(tree)) if node in free for f in node._fields if _body(node, f)]
    for i, name in places:
        for width in (8, 3, 1):
            for start in range(0, len(getattr(list(ast.walk(tree))[i], name)), width):
                yield from _without(source, i, name, start, width)
    for i, node in enumerate(ast.walk(tree)):
        if node in free and isinstance(node, ast.expr) and not isinstance(node, _SMALL):
            yield from _simpler(source, i)


def _methods(tree: ast.Module) -> list[ast.AST]:
    """What the random choices have written: all else is the same in every program."""
    classes = [c for c in tree.body if isinstance(c, ast.ClassDef) and c.name not in ("Leaf", "Waiting", "Echo")]
    return [m for c in classes for m in c.body if getattr(m, "name", "") in WRITTEN]


def _counter(node: ast.AST) -> ast.AST | None:
    """What makes a loop end, if that is in a node: a program without it would never fail, nor end."""
    if isinstance(node, ast.While):
        return node.test
    counted = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub)
    return node if counted or (isinstance(node, ast.If) and isinstance(node.body[0], ast.Break)) else None


def _body(node: ast.AST, name: str) -> bool:
    value = getattr(node, name, None)
    return isinstance(value, list) and bool(value) and isinstance(value[0], ast.stmt)


def _without(source: str, i: int, name: str, start: int, width: int) -> Iterator[str]:
    """Without some statements of a block; a block in the place of the statement that holds it."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[i]
    body = getattr(node, name)
    held = body[start]
    taken = body[start : start + width]
    if all(isinstance(s, ast.Pass) for s in taken) or any(_counter(s) is s for s in taken):
        return
    body[start : start + width] = []
    if not body and name not in ("orelse", "finalbody"):
        body.append(ast.Pass())
    yield ast.unparse(tree)
    if width == 1 and isinstance(held, ast.If | ast.For | ast.While | ast.Try | ast.With | ast.Match):
        for inner in (*_blocks(held),):
            body[:] = [*body[:start], *inner, *body[start:]]
            yield ast.unparse(tree)
            body[start : start + len(inner)] = []


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        if block := getattr(node, name, None):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _simpler(source: str, i: int) -> Iterator[str]:
    """An expression replaced by one of its parts, or by a name."""
    for nth in range(-1, 3):
        tree = ast.parse(source)
        node = list(ast.walk(tree))[i]
        parts = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
        if nth >= len(parts):
            return
        made = parts[nth] if nth >= 0 else ast.Name("x", ast.Load())
        yield ast.unparse(_Replaced(node, made).visit(tree))


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)
