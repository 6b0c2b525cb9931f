"""Whether what a program did is a walk of its graph.

A walk is read like a sentence by a grammar. Every call of an operator has its own sentence, the sequence of the calls
made directly in it, and the grammar is the part of the graph below its node. Reading a node from one position of the
sentence leads to a set of (position, way on); the way on is one of `next`, `break`, `continue`, `return`, `raise`.

* Nodes of one region are passed in order. Several calls at one place (an alias that may be one of several operators,
  the rounds of an unrolled loop) are alternatives that stand where the first of them stands.
* A call of an operator reads one call: same path, same file, line and column, and its own sentence must be a walk of
  the node's inside. If it raised, the way on is `raise` (unless it is a coroutine or a generator, which raises where it
  is waited for).
* A call of a helper is transparent: its inside is read in place, `return` ends it.
* A node may be passed over only if it is marked ``may`` *and* the source has it in a conditional position of an
  expression (an operand of ``and``/``or``, of a chained comparison, the message of an assert). All other ``may`` has to
  be explained by regions: so ``exact`` is checked wherever a call ends normally.
* `branch`: an ``if`` alone is passed through or over; of several arms at most one is taken, exactly one if there is an
  ``else``; calls of an ``elif`` test run only when no arm before was taken; a ternary takes one side.
* `loop`: rounds of its body; ``while`` and ``if`` of a comprehension may end a round behind the test; ``break`` leaves
  without ``else``. Known children: as many rounds as children, and, outside of other
  loops, the i-th round calls the i-th child. The *iteration* of
  a call is the number of the round in which it was read; what is outside of every loop is read at most once.
* `try`: may stop anywhere with `raise`; then at most one handler (any number of ``except*``), always ``finally``.
* `return` nodes lead to `return`. Plain code may raise, and leads to `break` or `continue` if its text says so.
* `recursion to ID` reads the inside of that node.
* Callbacks (``callback``, ``called by ...``, ``never called here``) may run any number of times from their node on, and
  from inside loops around it also before; the place of the call is that of whoever calls back.
* Bodies of generators run when values are taken: they are sentences of their own, each a beginning of a walk of a node
  marked ``lazy`` or of a generator expression below the same call.
* Opaque: whatever is called at its place.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping

from walks.places import Places
from walks.recorder import Call
from walks.sentence import RECURSION, Sentence

from operator_lib.trace.dag import DAG, Node

FLOATING = ("callback", "called by", "never called here")


class Acceptor:
    """Compares the tree of calls of a run with the graph of the operator."""

    def __init__(self, dag: DAG, sources: Mapping[str, str], operators: frozenset[str] = frozenset()) -> None:
        self.dag = dag
        self.places = Places(sources)
        # Operators that hang in no tree go by their names; a node without path and with another name is a helper.
        self.operators = operators
        self.known: dict[tuple[str | None, int | str], bool] = {}
        self.grouped: dict[int, list[list[Node]]] = {}
        self.below: dict[str | None, list[Node]] = {}
        self.refused: list[str] = []

    def walk(self, call: Call) -> bool:
        """Whether the whole run is a walk; `refused` names the deepest calls that are not."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 5000))
        try:
            return self.explains(None, call)
        finally:
            sys.setrecursionlimit(limit)

    def explains(self, node: Node | None, call: Call) -> bool:
        """Whether the calls made in `call` are a walk of the inside of `node` (None: of the whole graph)."""
        # Calls in which nothing was called are all alike.
        key = (node.id if node is not None else None, id(call) if call.children else call.outcome)
        if key not in self.known:
            self.known[key] = True
            found = self.known[key] = self._explains(node, call)
            if not found:
                where = f"{node.index} {node.title}" if node is not None else "the operator"
                self.refused.append(f"{where} does not explain {call}")
        return self.known[key]

    def _explains(self, node: Node | None, call: Call) -> bool:
        lanes: dict[int, list[Call]] = {0: []}
        for child in call.children:
            lanes.setdefault(child.lane, []).append(child)
        end = {"returned": ("next", "return"), "raised": ("raise",), "open": ("next", "return", "raise")}[call.outcome]
        main = lanes.pop(0)
        ways = Sentence(self, node, main).read(self.inside(node))
        if not any((len(main), way) in ways for way in end):
            return False
        return all(self._taken(node, calls) for calls in lanes.values())

    def _taken(self, node: Node | None, calls: list[Call]) -> bool:
        for lazy in self.contents(node):
            if self.lazy(lazy):
                sentence = Sentence(self, node, calls)
                if any(position == len(calls) for position, _ in sentence.read([lazy], entered=lazy)):
                    return True
        return False

    def inside(self, node: Node | None) -> tuple[Node, ...]:
        """What is directly below a node, or below the one that a recursion leads back to."""
        while node is not None and node.reason.startswith(RECURSION):
            target = node.reason.removeprefix(RECURSION)
            node = None if target == "itself" else self.dag.node(target)
        return self.dag.children_of(node.id if node is not None else None)

    def contents(self, node: Node | None) -> list[Node]:
        """Every node whose code runs in a call: through regions and helpers, not into operators."""
        key = node.id if node is not None else None
        if key not in self.below:
            self.below[key] = list(self._contents(self.inside(node), set()))
        return self.below[key]

    def _contents(self, nodes: Iterable[Node], seen: set[str]) -> Iterator[Node]:
        for node in nodes:
            if node.id not in seen:
                seen.add(node.id)
                yield node
                if not self.is_operator(node):
                    yield from self._contents(self.inside(node), seen)

    def is_operator(self, node: Node) -> bool:
        return node.kind == "call" and (node.operator is not None or node.name in self.operators)

    def lazy(self, node: Node) -> bool:
        """The body of a generator."""
        if node.kind == "loop":
            above = self.dag.node(node.parent) if node.parent is not None else None
            same = above is not None and (above.line, above.col, above.end_col) == (node.line, node.col, node.end_col)
            return not same and self.places.of(node, ast.GeneratorExp) is not None
        if node.reason.startswith(RECURSION) and not node.reason.endswith("itself") and not self.is_operator(node):
            node = self.dag.node(node.reason.removeprefix(RECURSION))
        return node.kind == "call" and node.reason == "lazy"

    def floating(self, node: Node) -> bool:
        return node.kind == "call" and node.reason.startswith(FLOATING)
