"""One reading of one program: what the visitors share."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from operator_lib.trace.frame import Env, Frame, Heap
from operator_lib.trace.graph import Draft, Graph
from operator_lib.trace.uses import Uses
from operator_lib.trace.values import Cells, Function, Instance, Place, Value
from operator_lib.trace.world import World

if TYPE_CHECKING:
    from operator_lib.trace.modules import Scope

# Every visited call costs one step; a program that needs more is cut off with opaque nodes.
STEP_LIMIT = 400_000
DEPTH_LIMIT = 32


# Files that a function uses, and the state that it looks at.
Plain = tuple[dict[str, str], tuple[Place, ...]]


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
        # While a constructor or the top level of a module is read for the objects that it makes.
        self.building = 0
        # Functions known to call no operator, with the files they use: never read twice.
        self.plain: dict[tuple[int, int], Plain] = {}
        # Local functions and lambdas that nobody was seen to call.
        self.uncalled: dict[int, tuple[Function, Frame]] = {}
        self.heap: Heap = {}
        # Objects, by where they are made.
        self.cells: dict[tuple[object, ...], Cells] = {}
        # Whether an object of the program was handed to code that cannot be read.
        self.escaped = False
        # State written inside the `try` bodies around.
        self.caught: list[dict[Place, list[Value]]] = []
        # In a loop whose body is read again: the objects that it makes, the same ones in every reading.
        self.made: dict[Any, Instance] | None = None
        # The rounds of the unrolled loops around: what is made in another round is another object.
        self.turn: tuple[int, ...] = ()
        self.seen_functions: set[int] = set()
        self.uses = Uses(world)
        world.evaluate = self._evaluate_static
        world.decorate = self._decorate_static
        world.read_body = self._read_body

    def let_go(self) -> None:
        """It has been read. Everything here refers to everything else, and would stay until the collector came."""
        for draft in self.graph.drafts:
            draft.frame.__dict__.clear()
        self.graph.__dict__.clear()
        self.world.let_go()
        self.__dict__.clear()

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

    def _evaluate_static(self, expression: ast.expr, scope: Scope) -> Value:
        return Value(what=self._silently(scope, lambda frame: self.evaluate(frame, expression)).what)

    def _decorate_static(self, function: Function, decorators: list[ast.expr], scope: Scope) -> object:
        from operator_lib.trace.definitions import decorated

        if not decorators:
            return function
        return self._silently(scope, lambda frame: decorated(self, frame, Value(what=function), decorators)).what

    def _read_body(self, scope: Scope) -> None:
        """The body of a module or class in order; definitions that nothing disturbs are looked up when needed."""
        later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
        body = [s for s in scope.body if not isinstance(s, later) or s in scope.restless]

        def action(frame: Frame) -> Value:
            scope.frame = frame
            self.visit(frame, body)
            return Value()

        self._silently(scope, action)

    def _silently(self, scope: Scope, action: Callable[[Frame], Value]) -> Value:
        """Read something at the top level of a module or class: it leaves no node, only the objects that it makes."""
        shown = self.world.shown(scope.file.filename)
        frame = Frame(None, scope.file, shown, Env({}, dict(self.world.heap)), lookup=scope.lookup)
        frame.scope = scope
        with self.silence():
            value = action(frame)
        self.world.heap.update({k: Value(what=v.what, cells=v.cells, part=v.part) for k, v in frame.env.heap.items()})
        return value

    @contextmanager
    def silence(self) -> Generator[None]:
        """What is read inside leaves no node."""
        mark = self.graph.mark()
        uncalled = dict(self.uncalled)
        self.building += 1
        repeating, self.graph.repeating = self.graph.repeating, 0
        yield
        self.graph.repeating = repeating
        self.building -= 1
        self.graph.fold(mark)
        self.graph.sites = mark[2]
        self.uncalled = uncalled
