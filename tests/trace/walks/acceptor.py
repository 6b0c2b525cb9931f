"""Whether what a program did is a walk of its graph.

A walk is read like a sentence by a grammar. Every call of an operator has its own sentence, the sequence of the calls made
directly in it, and the grammar is the part of the graph below its node. Reading a node from one position of the sentence
leads to a set of (position, way on), where the way on is one of `next`, `break`, `continue`, `return`, `raise`.

* Nodes of one region are passed in order. Several calls at one place (an alias that may be one of several operators, the
  rounds of an unrolled loop) are alternatives that stand where the first of them stands.
* A call of an operator reads one call: same path, same file, line and column, and its own sentence must be a walk of the
  node's inside. If it raised, the way on is `raise`
  (unless it is a coroutine or a generator, which raises where it is waited for).
* A call of a helper is transparent: its inside is read in place, `return` ends it.
* A node may be passed over only if it is marked ``may`` *and* the source has it in a conditional position of an expression
  (an operand of ``and``/``or``, of a chained comparison, the message of an assert). All other ``may`` has to be explained
  by regions: so ``exact`` is checked wherever a call ends normally.
* `branch`: an ``if`` alone is passed through or over; of several arms at most one is taken, exactly one if there is an
  ``else``; calls of an ``elif`` test run only when no arm before was taken; a ternary takes one side.
* `loop`: rounds of its body; ``while`` and ``if`` of a comprehension may end a round behind the test; ``break`` leaves
  without ``else``. Known children: as many rounds as children, and the i-th round calls the i-th child. The *iteration* of
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
import os
import sys
from collections.abc import Iterable, Iterator, Mapping

from walks.places import COMPREHENSIONS, LOOPS, Places, leaves_by, within
from walks.recorder import Call

from operator_lib.trace.dag import DAG, Node

Ways = set[tuple[int, str]]
_RECURSION = "recursion to "
_FLOATING = ("callback", "called by", "never called here")


class Acceptor:
    """Compares the tree of calls of a run with the graph of the operator."""

    def __init__(self, dag: DAG, sources: Mapping[str, str], operators: frozenset[str] = frozenset()) -> None:
        self.dag = dag
        self.places = Places(sources)
        # Operators that hang in no tree go by their names; a node without path and with another name is a helper.
        self.operators = operators
        self.known: dict[tuple[str | None, int], bool] = {}
        self.below: dict[str | None, list[Node]] = {}
        self.refused: list[str] = []

    def walk(self, call: Call) -> bool:
        """Whether the whole run is a walk; `refused` names the deepest calls that are not."""
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 8000))
        return self.explains(None, call)

    def explains(self, node: Node | None, call: Call) -> bool:
        """Whether the calls made in `call` are a walk of the inside of `node` (None: of the whole graph)."""
        key = (node.id if node is not None else None, id(call))
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
        while node is not None and node.reason.startswith(_RECURSION):
            target = node.reason.removeprefix(_RECURSION)
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
        return node.kind == "call" and node.reason == "lazy"

    def floating(self, node: Node) -> bool:
        return node.kind == "call" and node.reason.startswith(_FLOATING)


class Sentence:
    """The calls made directly in one call, being read."""

    def __init__(self, acceptor: Acceptor, top: Node | None, calls: list[Call]) -> None:
        self.acceptor = acceptor
        self.dag = acceptor.dag
        self.places = acceptor.places
        self.calls = calls
        contents = acceptor.contents(top)
        self.floats = [n for n in contents if acceptor.floating(n)]
        self.circular = any(n.reason.startswith(_RECURSION) for n in contents)
        self.memo: dict[tuple[str, int, tuple[int, int] | None], Ways] = {}
        self.ended: dict[tuple[str, int, tuple[int, int] | None], bool] = {}
        self.cut = False
        self.turn: tuple[int, int] | None = None
        self.entered: Node | None = None

    def read(self, nodes: Iterable[Node], entered: Node | None = None) -> Ways:
        """All ways through `nodes` from the beginning; repeated while a recursion may lead further."""
        self.entered = entered
        nodes = list(nodes)
        while True:
            size = sum(map(len, self.memo.values()))
            self.ended.clear()
            self.cut = False
            ways = self.sequence(nodes, 0)
            if not self.cut or sum(map(len, self.memo.values())) == size:
                return ways

    def sequence(self, nodes: Iterable[Node], start: int) -> Ways:
        done: Ways = set()
        front = {start}
        for group in _groups(nodes):
            ways: Ways = set().union(*(self.group(group, at) for at in front))
            done |= {w for w in ways if w[1] != "next"}
            front = {at for at, way in ways if way == "next"}
        return done | {(at, "next") for at in front} | {(at, "raise") for at in front}

    def group(self, nodes: list[Node], at: int) -> Ways:
        ways: Ways = {(at, "raise")}
        turn = self.turn
        if turn is not None and len(nodes) == turn[0] and all(n.certainty == "exact" for n in nodes):
            nodes = [nodes[turn[1]]]
        if all(n.certainty == "may" for n in nodes) and self.places.conditional(nodes[0]):
            ways.add((at, "next"))
        for node in nodes:
            ways |= self.passing(node, at)
        return ways

    def passing(self, node: Node, at: int) -> Ways:
        key = (node.id, at, self.turn)
        if key in self.ended:
            self.cut = self.cut or not self.ended[key]
            return self.memo.get(key, set())
        self.ended[key] = False
        ways = self.memo.get(key, set()).copy()
        for before in self._called_back(at, node):
            if before[1] == "raise":
                ways.add(before)
                continue
            for way in self._passing(node, before[0]):
                ways |= self._called_back(way[0], node) if way[1] == "next" else {way}
        self.memo[key] = ways
        self.ended[key] = True
        return ways

    def _called_back(self, at: int, node: Node) -> Ways:
        """Where callbacks may lead while the walk is at `node`."""
        ways: Ways = {(at, "next")}
        front = {at} if self.floats else set()
        while front:
            here = front.pop()
            for back in self.floats:
                if back.index <= node.index or self.circular or self._in_one_loop(back, node):
                    found = {(to, "raise" if way == "raise" else "next") for to, way in self._enter(back, here)}
                    front |= {to for to, way in found - ways if way == "next" and to > here}
                    ways |= {(to, way) for to, way in found if to > here}
        return ways

    def _in_one_loop(self, a: Node, b: Node) -> bool:
        return bool(self._loops(a) & self._loops(b))

    def _loops(self, node: Node) -> set[str]:
        found: set[str] = set()
        while node.parent is not None:
            node = self.dag.node(node.parent)
            if node.kind == "loop":
                found.add(node.id)
        return found

    def _passing(self, node: Node, at: int) -> Ways:
        if node.certainty == "opaque":
            return self._anything(node, at)
        if node.kind == "call":
            if self.acceptor.floating(node) or (self.acceptor.lazy(node) and node is not self.entered):
                return {(at, "next")}
            return self._enter(node, at)
        if node.kind == "loop" and self.acceptor.lazy(node) and node is not self.entered:
            return {(at, "next")}
        if node.kind == "return":
            return {(at, "return")}
        if node.kind == "code":
            ways, runs_on = leaves_by(node.code)
            return {(at, way) for way in ways} | ({(at, "next")} if runs_on else set())
        if node.kind == "input":
            return {(at, "next")}
        return getattr(self, f"_{node.kind}")(node, at)

    def _enter(self, node: Node, at: int) -> Ways:
        """A call: of an operator one symbol, of a helper what is inside."""
        if not self.acceptor.is_operator(node):
            outer, self.turn = self.turn, None
            ways = self.sequence(self.acceptor.inside(node), at)
            self.turn = outer
            return {(to, "next" if way == "return" else way) for to, way in ways}
        if at == len(self.calls) or not self._is(node, self.calls[at]):
            return set()
        call = self.calls[at]
        if not self.acceptor.explains(node, call):
            return set()
        ways: Ways = {(at + 1, "next")} if call.outcome != "raised" or call.later else set()
        return ways | ({(at + 1, "raise")} if call.outcome != "returned" else set())

    def _is(self, node: Node, call: Call) -> bool:
        if call.path != node.operator or (node.operator is None and node.name != call.name):
            return False
        return self.acceptor.floating(node) or call.place == (os.path.basename(node.file), node.line, node.col)

    def _anything(self, node: Node, at: int) -> Ways:
        ways: Ways = {(at, "next")}
        while at < len(self.calls) and self.calls[at].place == (os.path.basename(node.file), node.line, node.col):
            at += 1
            ways |= {(at, "next"), (at, "raise")}
        return ways

    # --- regions ----------------------------------------------------------------------------------------------------

    def _with(self, node: Node, at: int) -> Ways:
        ways = self.sequence(self.dag.children_of(node.id), at)
        if "suppress" in node.condition:
            ways |= {(to, "next") for to, way in ways if way == "raise"}
        return ways

    def _branch(self, node: Node, at: int) -> Ways:
        children = self.dag.children_of(node.id)
        ternary = self.places.of(node, ast.IfExp)
        if ternary is not None:
            sides = ([c for c in children if within(c, side)] for side in (ternary.body, ternary.orelse))
            return set().union(*(self.sequence(side, at) for side in sides))
        arms = [c for c in children if self._arm(c, node)]
        if not arms:
            return self.sequence(children, at) | {(at, "next")}
        return self._chain(children, arms, at)

    def _arm(self, child: Node, chain: Node) -> bool:
        if child.kind != "branch":
            return False
        words = ("case ",) if chain.name.startswith("match ") else ("if ", "elif ", "else")
        if not child.name.startswith(words) or self.places.of(child, ast.IfExp) is not None:
            return False
        own = self.places.starting(chain, ast.If)
        return own is None or bool(own.orelse)

    def _chain(self, children: Iterable[Node], arms: list[Node], at: int) -> Ways:
        ways: Ways = set()
        front = {at}
        for child in children:
            if child not in arms:
                found: Ways = set().union(*(self.sequence([child], here) for here in front))
                ways |= {w for w in found if w[1] != "next"}
                front = {to for to, way in found if way == "next"}
                continue
            guard = self._guard(child)
            over: set[int] = set()
            for here in front:
                tested = self.sequence([c for c in self.dag.children_of(child.id) if guard and within(c, guard)], here)
                body = [c for c in self.dag.children_of(child.id) if not (guard and within(c, guard))]
                for to, way in tested:
                    ways |= self.sequence(body, to) if way == "next" else {(to, way)}
                    over |= {to} if way == "next" else set()
            front = set() if child.name == "else" else over | front
        return ways | {(here, "next") for here in front}

    def _guard(self, arm: Node) -> ast.expr | None:
        pattern = self.places.starting(arm, ast.pattern)
        case = self.places.enclosing(pattern, ast.match_case) if pattern is not None else None
        return case.guard if case is not None else None

    def _loop(self, node: Node, at: int) -> Ways:
        tree = self.places.of(node, *LOOPS, *COMPREHENSIONS)
        children = self.dag.children_of(node.id)
        otherwise: list[Node] = []
        tests: list[list[Node]] = []
        if isinstance(tree, COMPREHENSIONS):
            tests = [[c for c in children if within(c, test)] for test in tree.generators[self._level(node)].ifs]
        else:
            otherwise = [c for c in children if within(c, *tree.orelse)]
            if isinstance(tree, ast.While):
                tests = [[c for c in children if within(c, tree.test)]]
        apart = {c.id for part in (otherwise, *tests) for c in part}
        body = [c for c in children if c.id not in apart]
        done, ended = self._rounds(node, tests, body, at, last=isinstance(tree, ast.While))
        for here in ended:
            done |= self.sequence(otherwise, here)
        return done

    def _rounds(
        self, node: Node, tests: list[list[Node]], body: list[Node], at: int, last: bool
    ) -> tuple[Ways, set[int]]:
        """What leaves the loop for good, and where the last round may have ended. `last`: behind a failed test."""
        count = _known_children(node)
        front, seen, done = {at}, {at}, set()
        sure = any(c.kind == "call" and c.certainty == "exact" for c in body)
        ended: set[int] = set() if last or sure or count else {at}
        outer = self.turn
        for number in range(count if count is not None else len(self.calls) + 2):
            if count is not None:
                self.turn = (count, number) if outer is None else (0, 0)
            following: set[int] = set()
            for here in front:
                ways, stopped = self._round(tests, body, here)
                done |= {(to, "next" if way == "break" else way) for to, way in ways if way not in ("next", "continue")}
                following |= {to for to, way in ways if way in ("next", "continue")}
                if last:
                    ended |= stopped
                else:
                    following |= stopped
            if count is not None:
                ended, front = following, following
                continue
            ended |= set() if last else following
            front = following - seen
            seen |= following
            if not front:
                break
        self.turn = outer
        return done, ended

    def _round(self, tests: list[list[Node]], body: list[Node], at: int) -> tuple[Ways, set[int]]:
        front, done, stopped = {at}, set(), set()
        for test in tests:
            ways: Ways = set().union(*(self.sequence(test, here) for here in front))
            done |= {w for w in ways if w[1] != "next"}
            front = {to for to, way in ways if way == "next"}
            stopped |= front
        return done.union(*(self.sequence(body, here) for here in front)), stopped

    def _level(self, node: Node) -> int:
        level = 0
        while node.parent is not None:
            above = self.dag.node(node.parent)
            if above.kind != "loop" or (above.line, above.col, above.end_col) != (node.line, node.col, node.end_col):
                return level
            level, node = level + 1, above
        return level

    def _try(self, node: Node, at: int) -> Ways:
        tree = self.places.of(node, ast.Try, ast.TryStar)
        children = self.dag.children_of(node.id)
        final = next((c for c in children if c.kind == "try" and c.name == "finally"), None)
        handlers = [c for c in children if self.places.of(c, ast.ExceptHandler) is not None]
        ways: Ways = set()
        for here, way in self.sequence([c for c in children if within(c, *tree.body)], at):
            if way == "next":
                ways |= self.sequence([c for c in children if within(c, *tree.orelse)], here)
            elif way == "raise":
                ways |= {(here, way)} | self._handled(handlers, here, isinstance(tree, ast.TryStar))
            else:
                ways.add((here, way))
        if final is None:
            return ways
        ended: Ways = set()
        for here, way in ways:
            ended |= {(to, way if then == "next" else then) for to, then in self._finally(final, here)}
        return ended

    def _finally(self, node: Node, at: int) -> Ways:
        return self.sequence(self.dag.children_of(node.id), at)

    def _handled(self, handlers: list[Node], at: int, several: bool) -> Ways:
        ways: Ways = set()
        front = {at}
        for handler in handlers:
            for here in list(front):
                found = self.sequence(self.dag.children_of(handler.id), here)
                ways |= found
                # Behind one ``except*`` comes the next, also when it raised.
                front |= {to for to, way in found if way in ("next", "raise")} if several else set()
        return ways


def _groups(nodes: Iterable[Node]) -> list[list[Node]]:
    """Calls at one place belong together, where the first of them stands."""
    found: dict[object, list[Node]] = {}
    for node in nodes:
        place = (node.file, node.line, node.col, node.end_line, node.end_col) if node.kind == "call" else node.id
        found.setdefault(place, []).append(node)
    return list(found.values())


def _known_children(node: Node) -> int | None:
    number, _, rest = node.reason.partition(" ")
    return int(number) if rest.startswith("known children") else None
