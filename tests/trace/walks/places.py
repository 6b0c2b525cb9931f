"""From a node of the graph to the piece of source that it stands for."""

from __future__ import annotations

import ast
import os
import textwrap
from collections.abc import Iterator, Mapping
from functools import lru_cache

Span = tuple[int, int, int, int]
LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Places:
    """The parsed files of a program, by the spans of their expressions and statements."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.files = {file: _File(text) for file, text in sources.items()}

    def of(self, node, *kinds: type) -> ast.AST | None:
        """The tree with the span of a node."""
        found = self.files[os.path.basename(node.file)].found
        place = node.line, node.col, node.end_line, node.end_col
        return next((t for t in found.get(place, ()) if isinstance(t, kinds)), None)

    def starting(self, node, *kinds: type) -> ast.AST | None:
        """The tree that starts where a node starts."""
        starts = self.files[os.path.basename(node.file)].starts
        return next((t for t in starts.get((node.line, node.col), ()) if isinstance(t, kinds)), None)

    def conditional(self, node) -> bool:
        """Whether the expression may be passed over by the expression or statement that it is in."""
        parents = self.files[os.path.basename(node.file)].parents
        here = self.of(node, ast.expr)
        while here is not None and isinstance(above := parents.get(here), ast.expr | ast.keyword | ast.Assert):
            if isinstance(above, ast.BoolOp) and here is not above.values[0]:
                return True
            if isinstance(above, ast.Compare) and here in above.comparators[1:]:
                return True
            if isinstance(above, ast.Assert):
                return here is above.msg
            if isinstance(above, ast.Lambda) or (isinstance(above, ast.IfExp) and here is not above.test):
                return False
            here = above
        return False

    def enclosing(self, node, tree: ast.AST, *kinds: type) -> ast.AST | None:
        """The nearest tree of these kinds around, in the file of a node."""
        parents = self.files[os.path.basename(node.file)].parents
        above = parents.get(tree)
        while above is not None and not isinstance(above, kinds):
            above = parents.get(above)
        return above


@lru_cache(8)
class _File:
    """One parsed file."""

    def __init__(self, text: str) -> None:
        self.found: dict[Span, list[ast.AST]] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.starts: dict[tuple[int, int], list[ast.AST]] = {}
        for outer in ast.walk(ast.parse(text)):
            for inner in ast.iter_child_nodes(outer):
                self.parents[inner] = outer
            if hasattr(outer, "lineno"):
                self.found.setdefault(span(outer), []).append(outer)
                self.starts.setdefault(span(outer)[:2], []).append(outer)


def span(tree) -> Span:
    return tree.lineno, tree.col_offset, tree.end_lineno, tree.end_col_offset


def within(node, *trees: ast.AST) -> bool:
    """Whether a node of the graph stands in a piece of source: from the first of `trees` to the last."""
    if not trees:
        return False
    start, end = (node.line, node.col), (node.end_line, node.end_col)
    return (trees[0].lineno, trees[0].col_offset) <= start and end <= (trees[-1].end_lineno, trees[-1].end_col_offset)


@lru_cache(4096)
def leaves_by(code: str) -> tuple[set[str], bool]:
    """How plain code may leave the block it is in, and whether it may also run on."""
    statements = ast.parse(textwrap.dedent(code)).body
    ways = set(_jumps(statements))
    last = statements[-1] if statements else None
    return ways, not isinstance(last, ast.Break | ast.Continue | ast.Raise)


def _jumps(statements: list[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, ast.Break):
            yield "break"
        elif isinstance(statement, ast.Continue):
            yield "continue"
        elif isinstance(statement, LOOPS):
            yield from _jumps(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _jumps([s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt)])
            for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                yield from _jumps(part.body)
