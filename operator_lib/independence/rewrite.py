"""The source of a `forward`, written anew so that calls become steps of a `Flow`. Lines stay what they are.

A statement is either *managed*, taken apart into calls and pieces of code that change nothing, or it stays as it is,
behind a barrier: then all that was put off has ended, and variables hold values.
"""

from __future__ import annotations

import ast

from operator_lib.independence import names
from operator_lib.independence.apart import Apart
from operator_lib.independence.written import FLOW, LOOPS, MADE, Place, Refused, Rewritten, either, lines_of, placed


class Rewriter(Apart):
    """The statements of one function."""

    def rewrite(self) -> Rewritten:
        self.managed = self._assigned(self.definition.body)
        body = self.block(self.definition.body)
        body.append(self._call("barrier", [], self.definition.body[-1], statement=True))
        around = ast.With([ast.withitem(self._name(FLOW), None)], body)
        self.definition.body = [placed(around, self.definition.body[0])]
        # Never run; a function begins in the line of its first decorator.
        self.definition.decorator_list = [placed(ast.Constant(None), one) for one in self.definition.decorator_list]
        ast.fix_missing_locations(self.definition)
        return Rewritten(self.definition, self.sites, self.barriers, self.reading, self.places, self.locals)

    def _assigned(self, body: list[ast.stmt]) -> set[str]:
        return names.stores(ast.Module(body, [])) - self.captured

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for one in body:
            found.extend(self.statement(one))
        return found

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        visitor = getattr(self, f"_{type(node).__name__.lower()}", None)
        before, sites, places, loops = set(self.bound), dict(self.sites), len(self.places), len(self.loops)
        if visitor is not None:
            try:
                return visitor(node)
            except Refused as why:
                self.bound, self.sites = before, sites
                del self.places[places:], self.loops[loops:]
                return self.as_it_is(node, str(why))
        return self.as_it_is(node, f"{type(node).__name__.lower()} is not taken apart")

    def as_it_is(self, node: ast.stmt, why: str) -> list[ast.stmt]:
        """Behind a barrier, with values in its variables."""
        self.barriers.setdefault(node.lineno, why)
        self._kept(node, why)
        found = self._values(names.loads(node) | names.stores(node), node)
        self._bind(node)
        return [*found, node]

    def _kept(self, node: ast.stmt, why: str) -> None:
        """The calls in a statement that stays as it is."""
        own, around = names.bound_in(node), [one for one in ast.walk(node) if isinstance(one, LOOPS)]
        for one in ast.walk(node):
            named = isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in own | self.locals
            if isinstance(one, ast.Call) and (named or self._is_site(one)):
                inside = [loop for loop in around if loop.lineno <= one.lineno <= (loop.end_lineno or 0)]
                loop = inside[-1] if inside else self.loops[-1] if self.loops else None
                self.places.append(Place(one, None, why, lines_of(loop)))

    def _values(self, wanted: set[str], at: ast.AST) -> list[ast.stmt]:
        """A barrier; then these variables hold no pending step any more."""
        found: list[ast.stmt] = []
        for name in sorted(wanted & self.holders & self.bound):
            found.append(self._set(name, self._call("gather", [self._name(name)], at), at))
        found.append(self._call("barrier", [], at, statement=True))
        for name in sorted(wanted & (self.managed | self.holders)):
            value = self._set(name, self._call("got", [self._name(name)], at), at)
            if name not in self.bound:
                handler = ast.ExceptHandler(self._name("UnboundLocalError"), None, [placed(ast.Pass(), at)])
                value = placed(ast.Try([value], [placed(handler, at)], [], []), at)
            found.append(value)
        return found

    def _bind(self, node: ast.stmt) -> None:
        """Variables that surely have a value after the statement."""
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.FunctionDef | ast.Import | ast.ImportFrom):
            self.bound |= names.stores(node)
        if isinstance(node, ast.Delete):
            self.bound -= names.stores(node)

    def _expr(self, node: ast.Expr) -> list[ast.stmt]:
        held = names.filled(node)
        if held is not None and held[0] in self.holders and held[0] in self.bound:
            before, value = self.take_apart(held[1][0])
            return [*before, self._call("append", [self._name(held[0]), value], node, statement=True)]
        before, _ = self.take_apart(node.value)
        if not before:
            return [node]
        return before

    def _assign_value(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> list[ast.stmt]:
        before, atom = self.take_apart(value)
        if isinstance(target, ast.Name):
            if target.id in self.captured:
                atom = self._call("value", [atom], node)
            self.bound.add(target.id)
            return [*before, self._set(target.id, atom, node)]
        if isinstance(target, ast.Tuple) and all(isinstance(one, ast.Name) for one in target.elts):
            self.bound |= names.stores(target)
            return [*before, self._unpacked(target, atom, node)]
        if isinstance(target, ast.Attribute | ast.Subscript):
            why = f"writes {ast.unparse(target)}"
            self.barriers.setdefault(node.lineno, why)
            wait = self._values(names.loads(target), node)
            return [*before, *wait, placed(ast.Assign([target], self._call("got", [atom], node)), node)]
        raise Refused("assigns to something that is not followed")

    def _assign(self, node: ast.Assign) -> list[ast.stmt]:
        if len(node.targets) != 1:
            raise Refused("assigns to several targets")
        held = names.filled(node)
        if held is not None and held[0] in self.holders and held[0] in self.bound:
            before, atom = self.take_apart(held[1][0])
            more, place = self.take_apart(held[1][1])
            return [*before, *more, self._call("put", [self._name(held[0]), place, atom], node, statement=True)]
        return self._assign_value(node.targets[0], node.value, node)

    def _annassign(self, node: ast.AnnAssign) -> list[ast.stmt]:
        if node.value is None or not isinstance(node.target, ast.Name):
            raise Refused("is an annotation")
        return self._assign_value(node.target, node.value, node)

    def _augassign(self, node: ast.AugAssign) -> list[ast.stmt]:
        if not isinstance(node.target, ast.Name) or node.target.id not in self.bound or node.target.id in self.captured:
            raise Refused(f"changes {ast.unparse(node.target)} in place")
        if node.target.id in self.holders:
            raise Refused(f"changes {node.target.id} in place")
        before, atom = self.take_apart(node.value)
        name = node.target.id
        left, right = f"{MADE}a", f"{MADE}b"
        method = _INPLACE[type(node.op)]
        holder = placed(ast.Attribute(self._name(FLOW), "inplace", ast.Load()), node)
        inplace = placed(ast.Attribute(holder, method, ast.Load()), node)
        body = placed(ast.Call(inplace, [self._name(left), self._name(right)], []), node)
        work = self._lambda([left, right], body, node)
        made = self._call("augment", [work, self._name(name), atom], node)
        return [*before, self._set(name, made, node)]

    def _return(self, node: ast.Return) -> list[ast.stmt]:
        if node.value is None:
            return [self._call("barrier", [], node, statement=True), node]
        before, atom = self.take_apart(node.value)
        return [*before, placed(ast.Return(self._call("finish", [atom], node)), node)]

    def _pass(self, node: ast.Pass) -> list[ast.stmt]:
        return [node]

    def _break(self, node: ast.Break) -> list[ast.stmt]:
        return self._leave(node)

    def _continue(self, node: ast.Continue) -> list[ast.stmt]:
        return self._leave(node)

    def _leave(self, node: ast.stmt) -> list[ast.stmt]:
        return [self._call("barrier", [], node, statement=True), node] if self.guarded else [node]

    def _if(self, node: ast.If) -> list[ast.stmt]:
        before, atom = self.take_apart(node.test)
        start = set(self.bound)
        body = self.block(node.body)
        after, self.bound = self.bound, start
        orelse = self.block(node.orelse)
        self.bound = either((after, node.body), (self.bound, node.orelse))
        return [*before, placed(ast.If(self._call("test", [atom], node.test), body, orelse), node)]

    def _for(self, node: ast.For) -> list[ast.stmt]:
        if names.stores(node.target) & self.captured:
            raise Refused("the variable of the loop is used by a function inside")
        before, source = self.iterated(node.iter)
        target, first = self._each(node.target, node)
        start = set(self.bound)
        self.loops.append(node)
        self.bound |= names.stores(node.target)
        body = [*first, *self.block(node.body)]
        self.loops.pop()
        self.bound = set(start)
        orelse = self.block(node.orelse)
        self.bound = start
        return [*before, placed(ast.For(target, source, body, orelse), node)]

    def _while(self, node: ast.While) -> list[ast.stmt]:
        start = set(self.bound)
        if self._holds_site(node.test):
            raise Refused("the condition of the loop calls an operator")
        why = self.reading.stands_in_the_way(node.test, self.locals)
        work, values, before = self._function(node.test)
        if why or before:
            raise Refused(why or "the condition of the loop looks at what the loop fills")
        atom = self._call("code", [work, *values], node.test)
        self.loops.append(node)
        body = self.block(node.body)
        self.loops.pop()
        self.bound = start
        orelse = self.block(node.orelse)
        self.bound = start
        return [placed(ast.While(self._call("test", [atom], node.test), body, orelse), node)]

    def _try(self, node: ast.Try) -> list[ast.stmt]:
        """What a handler sees must be what has happened up to there."""
        stored = names.stores(ast.Module(node.body, []))
        if stored & self._seen_outside(node):
            raise Refused("a try whose variables are used behind it")
        if self.loops and any(not names.assigned_first(one, node.body) for one in stored):
            raise Refused("a try whose variables are used in its next round")
        start = set(self.bound)
        self.guarded += 1
        body = [*self.block(node.body), self._call("barrier", [], node.body[-1], statement=True)]
        handlers: list[ast.ExceptHandler] = []
        for one in node.handlers:
            self.bound = set(start)
            inside = [*self.block(one.body), self._call("barrier", [], one.body[-1], statement=True)]
            handlers.append(placed(ast.ExceptHandler(one.type, one.name, inside), one))
        self.bound = set(start)
        orelse = [*self.block(node.orelse), self._call("barrier", [], node, statement=True)] if node.orelse else []
        self.bound = set(start)
        final = self.block(node.finalbody)
        if final:
            final = [*final, self._call("barrier", [], node.finalbody[-1], statement=True)]
        self.guarded -= 1
        self.bound = start
        first = self._call("barrier", [], node, statement=True)
        return [first, placed(ast.Try(body, handlers, orelse, final), node)]

    def _seen_outside(self, node: ast.Try) -> set[str]:
        """Names that are read anywhere but in the body of the `try`."""
        inside = {id(one) for part in node.body for one in ast.walk(part)}
        whole = ast.walk(self.definition)
        return {n.id for n in whole if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and id(n) not in inside}


_INPLACE: dict[type, str] = {
    ast.Add: "iadd", ast.Sub: "isub", ast.Mult: "imul", ast.Div: "itruediv", ast.FloorDiv: "ifloordiv",
    ast.Mod: "imod", ast.Pow: "ipow", ast.LShift: "ilshift", ast.RShift: "irshift", ast.BitOr: "ior",
    ast.BitXor: "ixor", ast.BitAnd: "iand", ast.MatMult: "imatmul",
}  # fmt: skip
