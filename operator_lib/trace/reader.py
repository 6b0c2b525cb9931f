"""One reading of one program: what the visitors share."""

from __future__ import annotations

import ast
from collections.abc import Callable
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
        from operator_lib.trace.expressions import evaluate
        from operator_lib.trace.statements import visit

        self._evaluate, self._visit = evaluate, visit
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
        return self._evaluate(self, frame, node) if node is not None else Value()

    def visit(self, frame: Frame, body: list[ast.stmt]) -> None:
        self._visit(self, frame, body)

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

    def _evaluate_static(self, expression: ast.expr, module: StaticModule) -> Value:
        return Value(what=self._silently(module, lambda frame: self.evaluate(frame, expression)).what)

    def _decorate_static(self, function: Function, decorators: list[ast.expr], module: StaticModule) -> object:
        from operator_lib.trace.definitions import decorated

        if not decorators:
            return function
        return self._silently(module, lambda frame: decorated(self, frame, Value(what=function), decorators)).what

    def _silently(self, module: StaticModule, action: Callable[[Frame], Value]) -> Value:
        """Evaluate something at the top level of a module: it leaves no node, only the objects that it makes."""
        frame = Frame(None, module.file, module.name, Env({}, dict(self.world.heap)), lookup=module.lookup)
        mark = self.graph.mark()
        uncalled = dict(self.uncalled)
        value = action(frame)
        self.graph.fold(mark)
        self.graph.sites = mark[2]
        self.uncalled = uncalled
        self.world.heap.update({k: Value(what=v.what) for k, v in frame.env.heap.items()})
        return value


def labelled(deps: Deps, name: str) -> Deps:
    """Values that had no name so far are called `name` from here on."""
    for _, label in deps:
        if not label:
            return frozenset((d, n or name) for d, n in deps)
    return deps
