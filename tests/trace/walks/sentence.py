"""The calls made directly in one call, read along the nodes of the graph: the rules are in `walks.acceptor`."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from walks.places import COMPREHENSIONS, LOOPS, leaves_by, within
from walks.recorder import Call

from operator_lib.trace.dag import Node

if TYPE_CHECKING:
    from walks.acceptor import Acceptor

Ways = set[tuple[int, str]]
RECURSION = "recursion to "


class Sentence:
    """The calls made directly in one call, being read."""

    def __init__(self, acceptor: Acceptor, top: Node | None, calls: list[Call]) -> None:
        self.acceptor = acceptor
        self.dag = acceptor.dag
        self.places = acceptor.places
        self.calls = calls
        contents = acceptor.contents(top)
        self.floats = [n for n in contents if acceptor.floating(n)]
        self.circular = any(n.reason.startswith(RECURSION) for n in contents)
        self.memo: dict[tuple[str, int, tuple[int, int] | None], Ways] = {}
        self.ended: dict[tuple[str, int, tuple[int, int] | None], bool] = {}
        self.cut = False
        self.returns: dict[tuple[int, tuple[int, ...]], Ways] = {}
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
        for group in self._groups(nodes):
            ways: Ways = set().union(*(self.group(group, at) for at in front))
            done |= {w for w in ways if w[1] != "next"}
            front = {at for at, way in ways if way == "next"}
        return done | {(at, "next") for at in front} | {(at, "raise") for at in front}

    def _groups(self, nodes: Iterable[Node]) -> list[list[Node]]:
        if not isinstance(nodes, tuple):  # not all children of a node
            return _groups(nodes)
        known = self.acceptor.grouped.get(id(nodes))
        if known is None:
            known = self.acceptor.grouped[id(nodes)] = _groups(nodes)
        return known

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
        if not self.floats:
            return {(at, "next")}
        backs = tuple(
            i
            for i, back in enumerate(self.floats)
            if back.index <= node.index or self.circular or self._in_one_loop(back, node)
        )
        if (at, backs) not in self.returns:
            cut, self.cut = self.cut, False
            ways = self._by([self.floats[i] for i in backs], at)
            if self.cut:  # not all that a recursion may read is known yet
                return ways
            self.cut = cut
            self.returns[at, backs] = ways
        return self.returns[at, backs]

    def _by(self, backs: list[Node], at: int) -> Ways:
        ways: Ways = {(at, "next")}
        front = {at}
        while front:
            here = front.pop()
            for back in backs:
                found = {
                    (to, "raise" if way == "raise" else "next") for to, way in self._enter(back, here) if to > here
                }
                front |= {to for to, way in found - ways if way == "next"}
                ways |= found
        return ways

    def _in_one_loop(self, a: Node, b: Node) -> bool:
        return bool(self._loops(a) & self._loops(b))

    def _loops(self, node: Node) -> set[str]:
        found: set[str] = set()
        while node.parent is not None:
            node = self.dag.node(node.parent)
            if self.acceptor.is_operator(node):
                break
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
        if node.reason == "suppresses":
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
        for group in _groups(children):
            child = group[0]
            if child not in arms:
                found: Ways = set().union(*(self.sequence(group, here) for here in front))
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
        case = self.places.enclosing(arm, pattern, ast.match_case) if pattern is not None else None
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
        outer, alone = self.turn, not self._loops(node)
        for number in range(count if count is not None else len(self.calls) + 2):
            self.turn = (count, number) if count is not None and alone else (0, 0)
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
        if node.kind == "input" or (node.kind == "code" and _uneventful(node)):
            continue
        place = (node.file, node.line, node.col, node.end_line, node.end_col) if node.kind == "call" else node.id
        found.setdefault(place, []).append(node)
    return list(found.values())


def _uneventful(node: Node) -> bool:
    return node.certainty != "opaque" and leaves_by(node.code) == (set(), True)


def _known_children(node: Node) -> int | None:
    number, _, rest = node.reason.partition(" ")
    return int(number) if rest.startswith("known children") else None
