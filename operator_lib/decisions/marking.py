"""A function written anew so that its decisions are told: the same statements, evaluated once, in the same lines.

``if a < b:`` becomes ``if (S.done(True if S.open() and S.keep(0, a) < S.keep(1, b) else False) if S.on else a < b):``.
`S` is a `Site`, a constant of the code: nothing is looked up by name, and nothing of the user's is in the way. While a
site does not listen, what it costs is one attribute of a constant. Where even that is much, in loops that call no
operators, the loop is written twice: marked for its first rounds, and as it was for the rest (`loops`).
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import Any

from operator_lib import syntax
from operator_lib.decisions import loops
from operator_lib.decisions.pieces import MARK, at, call, on, when
from operator_lib.trace.source import SourceFile


@dataclass(frozen=True, slots=True)
class Spot:
    """A decision in the source."""

    what: str
    """``if elif while ternary assert guard comprehension for match except``; ``call``: no decision, but followed."""
    source: str
    """The condition; for a loop, a ``match`` or an ``except`` its header."""
    operands: tuple[str, ...]
    line: int
    col: int
    cases: tuple[str, ...] = ()


class Marking(ast.NodeTransformer):
    """Marks the decisions of one definition, in place."""

    def __init__(self, file: SourceFile, me: str, functions: frozenset[str], methods: frozenset[str]) -> None:
        """`me` is the name that the operator goes by in it; `functions` of the project, and `methods` of the operator,
        are followed."""
        self.file = file
        self.me = me
        self.functions = functions
        self.methods = methods
        self.spots: list[Spot] = []

    def _site(self, what: str, place: Any, source: str, operands: list[str], cases: tuple[str, ...] = ()) -> str:
        self.spots.append(Spot(what, source, tuple(operands), place.lineno, place.col_offset, cases))
        return f"{MARK}{len(self.spots) - 1}"

    def _text(self, node: ast.AST) -> str:
        return self.file.segment(node)

    # --- conditions ------------------------------------------------------------------------------------------------

    def _condition(self, test: ast.expr, what: str) -> tuple[ast.expr, str]:
        """The condition, marked, and its mark; "" where there is nothing that could be otherwise."""
        source = self._text(test)
        if not _reads(source, test):
            return self.visit(test), ""
        visited: ast.expr = self.visit(test)
        leaves = operands(visited)
        if not leaves:
            return visited, ""
        mark = self._site(what, test, source, [self._text(leaf) for leaf in leaves])
        plain = copy.deepcopy(visited)
        kept = _Keeping(mark, leaves).visit(visited)
        asked = ast.BoolOp(ast.And(), [call(mark, "open", [], test), kept])
        truth = ast.IfExp(asked, ast.Constant(True), ast.Constant(False))
        return at(ast.IfExp(on(mark, test), call(mark, "done", [at(truth, test)], test), plain), test), mark

    def visit_If(self, node: ast.If) -> ast.AST:
        word = self.file.lines[node.lineno - 1].encode()[node.col_offset :][:4]
        node.test, _ = self._condition(node.test, "elif" if word == b"elif" else "if")
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test, _ = self._condition(node.test, "ternary")
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.test, _ = self._condition(node.test, "assert")
        node.msg = self.visit(node.msg) if node.msg is not None else None
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.iter = self.visit(node.iter)
        node.ifs = [self._condition(one, "comprehension")[0] for one in node.ifs]
        return node

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements, marked."""
        found: list[ast.stmt] = []
        for one in body:
            made: Any = self.visit(one)
            found.extend(made if isinstance(made, list) else [made])
        return found

    # --- what is defined inside: it may be kept, sent elsewhere, or be what a stored result is found by --------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    # --- calls -----------------------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if self._followed(node.func):
            mark = self._site("call", node, "", [])
            followed = call(mark, "follow", [node.func], node.func)
            node.func = at(ast.IfExp(on(mark, node.func), followed, copy.deepcopy(node.func)), node.func)
        return node

    def _followed(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self.functions
        if not isinstance(function, ast.Attribute) or function.lineno != function.end_lineno:
            return False  # in several lines Python gives calls of methods another place than those of functions
        base = function.value
        return isinstance(base, ast.Name) and base.id == self.me and function.attr in self.methods

    # --- loops, handlers, cases ------------------------------------------------------------------------------------

    def visit_While(self, node: ast.While) -> Any:
        quick = loops.quick(node, self.me)
        plain = copy.deepcopy(node) if quick else node
        node.test, mark = self._condition(node.test, "while")
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        return loops.twice_while(mark, node, plain) if quick and mark else node

    def visit_For(self, node: ast.For) -> Any:
        return self._for(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        return self._for(node)

    def _for(self, node: Any) -> list[ast.stmt]:
        quick = loops.quick(node, self.me)
        plain = copy.deepcopy(node) if quick else node
        source = f"for {self._text(node.target)} in {self._text(node.iter)}"
        mark = self._site("for", node, source, [self._text(node.iter)])
        visited = self.visit(node.iter)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        node.orelse.insert(0, when(mark, "on", "over", node.iter))
        if quick:
            node.iter = visited
            return loops.twice_for(mark, node, plain)
        entered = call(mark, "enter", [visited], node.iter)
        node.iter = at(ast.IfExp(on(mark, node.iter), entered, copy.deepcopy(visited)), node.iter)
        node.body.insert(0, when(mark, "counts", "round", node.target))
        return [node, when(mark, "on", "left", node.iter)]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        source = "except" if node.type is None else f"except {self._text(node.type)}"
        mark = self._site("except", node, source, ["raised"])
        node.body = [when(mark, "on", "caught", node), *self.block(node.body)]
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        source = f"match {self._text(node.subject)}"
        cases = tuple(self._text(case.pattern) for case in node.cases)
        mark = self._site("match", node, source, [self._text(node.subject)], cases)
        visited = self.visit(node.subject)
        subject = call(mark, "subject", [visited], node.subject)
        node.subject = at(ast.IfExp(on(mark, node.subject), subject, copy.deepcopy(visited)), node.subject)
        for number, case in enumerate(node.cases):
            if case.guard is not None:
                case.guard, _ = self._condition(case.guard, "guard")
            case.body = [when(mark, "on", "case", case.pattern, number), *self.block(case.body)]
        return node


class _Keeping(ast.NodeTransformer):
    """Hands the operands of a condition to their site, which gives them back."""

    def __init__(self, mark: str, leaves: list[ast.expr]) -> None:
        self.mark = mark
        self.numbers = {id(leaf): number for number, leaf in enumerate(leaves)}

    def visit(self, node: Any) -> Any:
        number = self.numbers.get(id(node))
        if number is not None:
            return call(self.mark, "keep", [at(ast.Constant(number), node), node], node)
        return self.generic_visit(node) if isinstance(node, ast.BoolOp | ast.UnaryOp | ast.Compare) else node


def _reads(source: str, test: ast.expr) -> bool:
    """Whether the text is that of the condition: in strings with expressions older Pythons take others for it."""
    try:
        return ast.dump(parsed(source)) == ast.dump(test)
    except (SyntaxError, ValueError):
        return False


def parsed(source: str) -> ast.expr:
    """A condition, from its text."""
    return syntax.parse(f"({source}\n)", mode="eval").body


def operands(test: ast.expr) -> list[ast.expr]:
    """What a condition is decided by, in the order of evaluation: sides of comparisons, and what is true or not."""
    if isinstance(test, ast.BoolOp):
        return [leaf for value in test.values for leaf in operands(value)]
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return operands(test.operand)
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
    return [side for side in sides if not literal(side)]


def literal(node: ast.AST) -> bool:
    """Whether an expression says its value itself."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(literal(one) for one in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Constant)
