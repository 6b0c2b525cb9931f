"""One reading of one program: what the visitors share."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from operator_lib.trace.frame import Env, Frame
from operator_lib.trace.graph import Draft, Graph
from operator_lib.trace.values import Deps, Function, Value
from operator_lib.trace.world import World

if TYPE_CHECKING:
    from operator_lib.trace.static import StaticModule

# Every visited call costs one step; a program that needs more is cut off with opaque nodes.
STEP_LIMIT = 400_000
DEPTH_LIMIT = 32


class Reader:
    """World, graph, and what is remembered across functions."""

    def __init__(self, world: World, live: bool) -> None:
        self.world = world
        self.live = live
        self.graph = Graph()
        self.steps = 0
        # Functions known to call no operator, with the files they use: never read twice.
        self.plain: dict[tuple[int, int], dict[str, str]] = {}
        # Local functions and lambdas that nobody was seen to call.
        self.uncalled: dict[int, tuple[Function, Frame]] = {}
        self.heap: dict[tuple[int, str], Value] = {}
        self.seen_functions: set[int] = set()
        # Fingerprints of functions, by their definition.
        self.prints: dict[int, str] = {}
        world.evaluate = self._evaluate_static
        world.decorate = self._decorate_static

    def evaluate(self, frame: Frame, node: ast.expr | None) -> Value:
        from operator_lib.trace.expressions import evaluate

        return evaluate(self, frame, node) if node is not None else Value()

    def visit(self, frame: Frame, body: list[ast.stmt]) -> None:
        from operator_lib.trace.statements import visit

        visit(self, frame, body)

    def opaque(self, frame: Frame, tree: ast.AST, name: str, reason: str, code: str = "", kind: str = "call") -> Draft:
        """A node for something that cannot be followed."""
        draft = self.graph.emit(kind, name, frame, tree, key=("opaque", reason))
        if draft.certainty != "opaque" and kind != "call":
            self.graph.sites += 1
        draft.certainty, draft.reason = "opaque", reason
        draft.code = code or frame.file.segment(tree)
        return draft

    @property
    def exhausted(self) -> bool:
        return self.steps > STEP_LIMIT or self.graph.full

    def _silent(self, module: StaticModule) -> Frame:
        return Frame(None, module.file, module.name, Env(), lookup=module.lookup)

    def _evaluate_static(self, expression: ast.expr, module: StaticModule) -> Value:
        mark = self.graph.mark()
        value = self.evaluate(self._silent(module), expression)
        self.graph.fold(mark)
        self.graph.sites = mark[2]
        return Value(what=value.what)

    def _decorate_static(self, function: Function, decorators: list[ast.expr], module: StaticModule) -> object:
        from operator_lib.trace.definitions import decorated

        mark = self.graph.mark()
        made = decorated(self, self._silent(module), Value(what=function), decorators)
        self.graph.fold(mark)
        self.graph.sites = mark[2]
        return made.what


def labelled(deps: Deps, name: str) -> Deps:
    """Values that had no name so far are called `name` from here on."""
    for _, label in deps:
        if not label:
            return frozenset((d, n or name) for d, n in deps)
    return deps
