"""The source of a `forward`, written anew so that calls become steps of a `Flow`. Lines stay what they are.

A statement is either *managed*, taken apart into calls and pieces of code that change nothing, or it stays as it is,
behind a barrier: then all that was put off has ended, and variables hold values.
"""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import dataclass, field
from typing import Any

from operator_lib.independence import names
from operator_lib.independence.launching import Site
from operator_lib.independence.reading import Reading

FLOW, MADE = "__operator_flow__", "__operator_step_"
# Functions that take one value of a generator after another, at once.
CONSUMERS = frozenset(["sum", "min", "max", "any", "all", "list", "tuple", "sorted", "set", "frozenset", "dict"])


@dataclass(slots=True, eq=False)
class Place:
    """A call of an operator, as it is written."""

    call: ast.Call
    site: Site | None
    """None: it stays in its statement."""
    kept: str = ""
    """Why that is so."""
    rounds: tuple[int, int] | None = None
    """First and last line of the innermost loop around."""

    @property
    def text(self) -> str:
        return _readable(self.call.func)


@dataclass(slots=True)
class Rewritten:
    """A function taken apart."""

    definition: ast.FunctionDef
    sites: dict[int, Site]
    barriers: dict[int, str]
    """Lines of statements that stay as they are, and why."""
    reading: Reading
    places: list[Place] = field(default_factory=list[Place])
    variables: set[str] = field(default_factory=set[str])


class Refused(Exception):
    """An expression cannot be taken apart; the statement stays as it is."""


class Rewriter:
    """One function."""

    def __init__(self, definition: ast.FunctionDef, reading: Reading) -> None:
        self.definition: ast.FunctionDef = _Split().visit(copy.deepcopy(definition))
        self.reading = reading
        self.sites: dict[int, Site] = {}
        self.places: list[Place] = []
        self.barriers: dict[int, str] = {}
        self.locals = names.stores(ast.Module(self.definition.body, [])) | set(names.parameters(definition))
        self.captured = names.captured(self.definition.body) & self.locals
        self.holders = names.private_holders(self.definition) - self.captured
        self.managed: set[str] = set()
        self.bound = set(names.parameters(definition))
        self.count = 0
        self.loops: list[ast.AST] = []
        self.guarded = 0
        """Inside of how many `try` and `with`."""

    # --- statements ---------------------------------------------------------------------------------------------------

    def rewrite(self) -> Rewritten:
        self.managed = self._assigned(self.definition.body)
        body = self.block(self.definition.body)
        body.append(self._call("barrier", [], self.definition.body[-1], statement=True))
        around = ast.With([ast.withitem(self._name(FLOW), None)], body)
        self.definition.body = [_at(around, self.definition.body[0])]
        # Never run; a function begins in the line of its first decorator.
        self.definition.decorator_list = [_at(ast.Constant(None), one) for one in self.definition.decorator_list]
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
        own, around = names.bound_in(node), [one for one in ast.walk(node) if isinstance(one, _LOOPS)]
        for one in ast.walk(node):
            named = isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in own | self.locals
            if isinstance(one, ast.Call) and (named or self._is_site(one)):
                inside = [loop for loop in around if loop.lineno <= one.lineno <= (loop.end_lineno or 0)]
                loop = inside[-1] if inside else self.loops[-1] if self.loops else None
                self.places.append(Place(one, None, why, _lines(loop)))

    def _values(self, wanted: set[str], at: ast.AST) -> list[ast.stmt]:
        """A barrier; then these variables hold no pending step any more."""
        found: list[ast.stmt] = []
        for name in sorted(wanted & self.holders & self.bound):
            found.append(self._assign(name, self._call("gather", [self._name(name)], at), at))
        found.append(self._call("barrier", [], at, statement=True))
        for name in sorted(wanted & (self.managed | self.holders)):
            value = self._assign(name, self._call("got", [self._name(name)], at), at)
            if name not in self.bound:
                handler = ast.ExceptHandler(self._name("UnboundLocalError"), None, [_at(ast.Pass(), at)])
                value = _at(ast.Try([value], [_at(handler, at)], [], []), at)
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
            return [*before, self._assign(target.id, atom, node)]
        if isinstance(target, ast.Tuple) and all(isinstance(one, ast.Name) for one in target.elts):
            self.bound |= names.stores(target)
            return [*before, self._unpacked(target, atom, node)]
        if isinstance(target, ast.Attribute | ast.Subscript):
            why = f"writes {ast.unparse(target)}"
            self.barriers.setdefault(node.lineno, why)
            wait = self._values(names.loads(target), node)
            return [*before, *wait, _at(ast.Assign([target], self._call("got", [atom], node)), node)]
        raise Refused("assigns to something that is not followed")

    def _unpacked(self, target: ast.expr, value: ast.expr, at: ast.AST) -> ast.stmt:
        """``a, b = value``."""
        if not isinstance(target, ast.Tuple) or not all(isinstance(one, ast.Name) for one in target.elts):
            raise Refused("assigns to more than names")
        count = _at(ast.Constant(len(target.elts)), at)
        return _at(ast.Assign([target], self._call("unpack", [value, count], at)), at)

    def _each(self, target: ast.expr, at: ast.AST) -> tuple[ast.expr, list[ast.stmt]]:
        """What a loop assigns to, and how its body begins."""
        if isinstance(target, ast.Name):
            return target, []
        self.count += 1
        name = f"{MADE}{self.count}_each"
        return _at(ast.Name(name, ast.Store()), at), [self._unpacked(target, self._name(name), at)]

    def _assign(self, node: Any, value: ast.expr | None = None, at: ast.AST | None = None) -> Any:
        if value is not None and at is not None:  # a statement of our own
            return _at(ast.Assign([_at(ast.Name(node, ast.Store()), at)], value), at)
        assert isinstance(node, ast.Assign)
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
        holder = _at(ast.Attribute(self._name(FLOW), "inplace", ast.Load()), node)
        inplace = _at(ast.Attribute(holder, method, ast.Load()), node)
        body = _at(ast.Call(inplace, [self._name(left), self._name(right)], []), node)
        work = self._lambda([left, right], body, node)
        made = self._call("augment", [work, self._name(name), atom], node)
        return [*before, self._assign(name, made, node)]

    def _return(self, node: ast.Return) -> list[ast.stmt]:
        if node.value is None:
            return [self._call("barrier", [], node, statement=True), node]
        before, atom = self.take_apart(node.value)
        return [*before, _at(ast.Return(self._call("finish", [atom], node)), node)]

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
        self.bound = _either((after, node.body), (self.bound, node.orelse))
        return [*before, _at(ast.If(self._call("test", [atom], node.test), body, orelse), node)]

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
        return [*before, _at(ast.For(target, source, body, orelse), node)]

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
        return [_at(ast.While(self._call("test", [atom], node.test), body, orelse), node)]

    def _try(self, node: ast.Try) -> list[ast.stmt]:
        """What a handler sees must be what has happened up to there."""
        seen_outside = self._seen_outside(node)
        if names.stores(ast.Module(node.body, [])) & seen_outside:
            raise Refused("a try whose variables are used behind it")
        start = set(self.bound)
        self.guarded += 1
        body = [*self.block(node.body), self._call("barrier", [], node.body[-1], statement=True)]
        handlers: list[ast.ExceptHandler] = []
        for one in node.handlers:
            self.bound = set(start)
            inside = [*self.block(one.body), self._call("barrier", [], one.body[-1], statement=True)]
            handlers.append(_at(ast.ExceptHandler(one.type, one.name, inside), one))
        self.bound = set(start)
        orelse = [*self.block(node.orelse), self._call("barrier", [], node, statement=True)] if node.orelse else []
        self.bound = set(start)
        final = self.block(node.finalbody)
        if final:
            final = [*final, self._call("barrier", [], node.finalbody[-1], statement=True)]
        self.guarded -= 1
        self.bound = start
        first = self._call("barrier", [], node, statement=True)
        return [first, _at(ast.Try(body, handlers, orelse, final), node)]

    def _seen_outside(self, node: ast.Try) -> set[str]:
        """Names that are read anywhere but in the body of the `try`."""
        inside = {id(one) for part in node.body for one in ast.walk(part)}
        whole = ast.walk(self.definition)
        return {n.id for n in whole if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and id(n) not in inside}

    # --- expressions --------------------------------------------------------------------------------------------------

    def take_apart(self, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        """Statements that compute it, and the name or constant that is its value then.

        Raises:
            Refused: it may have effects, or cannot be followed.
        """
        if isinstance(node, ast.Constant):
            return [], node
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._atom(node)
        if any(isinstance(one, ast.NamedExpr) for one in ast.walk(node)):
            raise Refused("assigns inside of an expression")
        if isinstance(node, ast.Call) and self._is_site(node):
            return self._site(node)
        if not self._holds_site(node):
            return self._code(node)
        if isinstance(node, ast.ListComp | ast.DictComp):
            return self._comprehension(node)
        if isinstance(node, ast.IfExp):
            return self._ternary(node)
        if isinstance(node, ast.BoolOp):
            return self._boolean(node)
        if isinstance(node, ast.Call) and self._consumer(node):
            return self._consume(node)
        return self._parts(node)

    def _atom(self, node: ast.Name) -> tuple[list[ast.stmt], ast.expr]:
        if node.id in self.locals and node.id not in self.bound:
            raise Refused(f"{node.id} may have no value yet")
        if node.id in self.locals:
            if node.id in self.holders:
                return [self._assign(node.id, self._call("gather", [node], node), node)], node
            return [], node
        return self._code(node)

    def _is_site(self, node: ast.Call) -> bool:
        func = node.func
        if isinstance(func, ast.Name) and func.id in self.locals:
            return func.id in self.bound
        return self.reading.is_operator(func, self.locals)

    def _holds_site(self, node: ast.AST) -> bool:
        own = names.bound_in(node)
        return any(
            isinstance(one, ast.Call)
            and (self._is_site(one) or (isinstance(one.func, ast.Name) and one.func.id in own))
            for one in ast.walk(node)
        )

    def _site(self, node: ast.Call) -> tuple[list[ast.stmt], ast.expr]:
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            raise Refused("hands on arguments with *")
        local = isinstance(node.func, ast.Name) and node.func.id in self.locals
        before, callee = ([], node.func) if local else self._code(node.func)
        found: list[ast.stmt] = [*before]
        args: list[ast.expr] = []
        for one in node.args:
            more, atom = self.take_apart(one)
            found.extend(more)
            args.append(atom)
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for keyword in node.keywords:
            more, atom = self.take_apart(keyword.value)
            found.extend(more)
            keys.append(_at(ast.Constant(keyword.arg), node))
            values.append(atom)
        self.count += 1
        site = self.sites[self.count] = Site(_readable(node.func), node.lineno)
        self.places.append(Place(node, site, "", _lines(self.loops[-1] if self.loops else None)))
        arguments = [
            _at(ast.Constant(self.count), node),
            callee,
            _at(ast.Tuple(args, ast.Load()), node),
            _at(ast.Dict(keys, values), node),
        ]
        return self._step(found, self._call("call", arguments, node), node)

    def _code(self, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        """A piece of code as a function of the variables in it."""
        why = self.reading.stands_in_the_way(node, self.locals)
        if why:
            raise Refused(why)
        work, values, before = self._function(node)
        return self._step(before, self._call("code", [work, *values], node), node)

    def _function(self, node: ast.expr) -> tuple[ast.expr, list[ast.expr], list[ast.stmt]]:
        wanted = sorted(names.free(node) & self.locals - set(self.reading.me))
        if any(one not in self.bound for one in wanted):
            raise Refused("a variable may have no value yet")
        if _keeps_variables(node, set(wanted)):
            raise Refused("makes a function that looks at variables later")
        before: list[ast.stmt] = []
        for one in wanted:
            if one in self.holders:
                before.append(self._assign(one, self._call("gather", [self._name(one)], node), node))
        return self._lambda(wanted, node, node), [self._name(one) for one in wanted], before

    def _step(self, before: list[ast.stmt], value: ast.expr, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        self.count += 1
        name = f"{MADE}{self.count}"
        self.locals.add(name)
        self.bound.add(name)
        return [*before, self._assign(name, value, node)], _at(ast.Name(name, ast.Load()), node)

    def _parts(self, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        """An expression with calls in it: the parts in evaluation order, then what is made of them."""
        allowed = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Tuple, ast.List, ast.Dict, ast.Subscript, ast.JoinedStr)
        if not isinstance(node, (*allowed, ast.FormattedValue, ast.Call, ast.Attribute, ast.Slice)):
            raise Refused(f"{type(node).__name__.lower()} around a call is not taken apart")
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise Refused("a chain of comparisons stops early")
        made: Any = copy.copy(node)
        before: list[ast.stmt] = []
        for name, value in ast.iter_fields(node):
            if isinstance(node, ast.Call) and name == "func":
                if self._holds_site(value) or isinstance(value, ast.Attribute):
                    if not isinstance(value, ast.Attribute):
                        raise Refused("calls the result of a call")
                    more, atom = self.take_apart(value.value) if self._holds_site(value) else ([], value.value)
                    before.extend(more)
                    made.func = _at(ast.Attribute(atom, value.attr, value.ctx), value)
                continue
            setattr(made, name, self._fields(value, before))
        if isinstance(made, ast.Dict) and any(one is None for one in made.keys):
            raise Refused("takes a mapping apart")
        more, atom = self._code(made)
        return [*before, *more], atom

    def _fields(self, value: Any, before: list[ast.stmt]) -> Any:
        if isinstance(value, list):
            return [self._fields(one, before) for one in value]
        if isinstance(value, ast.Starred):
            raise Refused("takes something apart with *")
        if isinstance(value, ast.keyword):
            if value.arg is None:
                raise Refused("hands on arguments with **")
            return _at(ast.keyword(value.arg, self._fields(value.value, before)), value)
        if isinstance(value, ast.FormattedValue):
            return _at(
                ast.FormattedValue(self._fields(value.value, before), value.conversion, value.format_spec), value
            )
        if not isinstance(value, ast.expr) or isinstance(value, ast.Constant | ast.Slice):
            return value
        if isinstance(value, ast.Lambda):
            return value
        more, atom = self.take_apart(value)
        before.extend(more)
        return atom

    def _ternary(self, node: ast.IfExp) -> tuple[list[ast.stmt], ast.expr]:
        before, test = self.take_apart(node.test)
        body, one = self.take_apart(node.body)
        orelse, other = self.take_apart(node.orelse)
        self.count += 1
        name = f"{MADE}{self.count}"
        self.locals.add(name)
        self.bound.add(name)
        made = ast.If(
            self._call("test", [test], node),
            [*body, self._assign(name, one, node)],
            [*orelse, self._assign(name, other, node)],
        )
        return [*before, _at(made, node)], _at(ast.Name(name, ast.Load()), node)

    def _boolean(self, node: ast.BoolOp) -> tuple[list[ast.stmt], ast.expr]:
        self.count += 1
        name = f"{MADE}{self.count}"
        self.locals.add(name)
        found: list[ast.stmt] = []
        inside = found
        for number, value in enumerate(node.values):
            before, atom = self.take_apart(value)
            inside.extend([*before, self._assign(name, atom, node)])
            if number < len(node.values) - 1:
                test: ast.expr = self._call("test", [self._name(name)], node)
                if isinstance(node.op, ast.Or):
                    test = _at(ast.UnaryOp(ast.Not(), test), node)
                arm = _at(ast.If(test, [], []), node)
                inside.append(arm)
                inside = arm.body
        self.bound.add(name)
        return found, _at(ast.Name(name, ast.Load()), node)

    # --- comprehensions -----------------------------------------------------------------------------------------------

    def iterated(self, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        """What a loop goes through."""
        if self._holds_site(node):
            before, atom = self.take_apart(node)
            name = "__operator_source__"
            work = self._lambda([name], self._name(name), node)
            return before, self._call("iterate", [work, atom], node)
        why = self.reading.stands_in_the_way(node, self.locals)
        if why:
            raise Refused(why)
        work, values, before = self._function(node)
        return before, self._call("iterate", [work, *values], node)

    def _comprehension(self, node: Any) -> tuple[list[ast.stmt], ast.expr]:
        empty = ast.Dict([], []) if isinstance(node, ast.DictComp) else ast.List([], ast.Load())
        holder, body = self._unrolled(node, _at(empty, node))
        return self._step(body, self._call("gather", [holder], node), node)

    def _unrolled(self, node: Any, empty: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """A comprehension as a loop that fills a list or dict."""
        if len(node.generators) != 1 or node.generators[0].is_async:
            raise Refused("a comprehension with several loops")
        part = node.generators[0]
        targets = names.stores(part.target)
        if not targets or not all(
            isinstance(one, ast.Name | ast.Tuple | ast.expr_context) for one in ast.walk(part.target)
        ):
            raise Refused("a comprehension that does not assign to names")
        before, source = self.iterated(part.iter)
        self.count += 1
        fresh = {name: f"{MADE}{self.count}_{name}" for name in targets}
        inner = [one for one in ast.walk(node) if isinstance(one, ast.Lambda | ast.comprehension) and one is not part]
        if any(names.stores(one.target) & targets for one in inner if isinstance(one, ast.comprehension)):
            raise Refused("a comprehension inside of another one with the same variable")
        if any(names.loads(one) & targets for one in inner if isinstance(one, ast.Lambda)):
            raise Refused("a function in a comprehension looks at its variable")
        renamed = copy.deepcopy(node)
        renamed = _Renamed(fresh).visit(renamed)
        part = renamed.generators[0]
        name = f"{MADE}{self.count}_all"
        made = self._assign(name, empty, node)
        self.locals |= {name, *fresh.values()}
        self.bound |= {name, *fresh.values()}
        self.loops.append(node)
        body = self._element(renamed, name, part.ifs)
        self.loops.pop()
        target, first = self._each(part.target, node)
        loop = _at(ast.For(target, source, [*first, *body], []), node)
        self.bound -= set(fresh.values())
        return self._name(name), [*before, made, loop]

    def _element(self, node: Any, name: str, tests: list[ast.expr]) -> list[ast.stmt]:
        if tests:
            before, atom = self.take_apart(tests[0])
            inside = self._element(node, name, tests[1:])
            return [*before, _at(ast.If(self._call("test", [atom], tests[0]), inside, []), node)]
        if isinstance(node, ast.DictComp):
            before, place = self.take_apart(node.key)
            more, atom = self.take_apart(node.value)
            return [*before, *more, self._call("put", [self._name(name), place, atom], node, statement=True)]
        before, atom = self.take_apart(node.elt)
        return [*before, self._call("append", [self._name(name), atom], node, statement=True)]

    def _consumer(self, node: ast.Call) -> bool:
        func = node.func
        return (
            isinstance(func, ast.Name)
            and func.id in CONSUMERS
            and func.id not in self.locals
            and self.reading.is_builtin(func.id)
            and bool(node.args)
            and isinstance(node.args[0], ast.GeneratorExp)
            and not node.keywords
            and not any(self._holds_site(one) for one in node.args[1:])
        )

    def _consume(self, node: ast.Call) -> tuple[list[ast.stmt], ast.expr]:
        holder, before = self._unrolled(node.args[0], _at(ast.List([], ast.Load()), node))
        rest: list[ast.expr] = []
        for one in node.args[1:]:
            more, atom = self.take_apart(one)
            before.extend(more)
            rest.append(atom)
        return self._step(before, self._call("consume", [node.func, holder, *rest], node), node)

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _name(self, name: str) -> ast.Name:
        return ast.Name(name, ast.Load())

    def _call(self, method: str, args: list[Any], at: ast.AST, statement: bool = False) -> Any:
        func = _at(ast.Attribute(_at(self._name(FLOW), at), method, ast.Load()), at)
        made = _at(ast.Call(func, [_at(one, at) if not hasattr(one, "lineno") else one for one in args], []), at)
        return _at(ast.Expr(made), at) if statement else made

    def _lambda(self, parameters: list[str], body: ast.expr, at: ast.AST) -> ast.expr:
        spec = ast.arguments([], [_at(ast.arg(one), at) for one in parameters], None, [], [], None, [])
        return _at(ast.Lambda(spec, body), at)


_LOOPS = (ast.For, ast.While, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)


def _readable(node: ast.expr) -> str:
    """As the user has written it."""
    return re.sub(rf"{MADE}\d+_", "", ast.unparse(node))


def _lines(loop: Any) -> tuple[int, int] | None:
    return (loop.lineno, loop.end_lineno or loop.lineno) if loop is not None else None


class _Split(ast.NodeTransformer):
    """``a, b = [], 0`` as two statements: nothing in between can fail."""

    def visit_Assign(self, node: ast.Assign) -> Any:
        target, value = node.targets[0], node.value
        if not (len(node.targets) == 1 and isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
            return node
        plain = all(isinstance(one, ast.Constant) or ast.unparse(one) in ("[]", "{}") for one in value.elts)
        if not plain or len(target.elts) != len(value.elts) or not all(isinstance(t, ast.Name) for t in target.elts):
            return node
        return [_at(ast.Assign([one], what), node) for one, what in zip(target.elts, value.elts, strict=True)]


class _Renamed(ast.NodeTransformer):
    """The variables of a comprehension are its own."""

    def __init__(self, fresh: dict[str, str]) -> None:
        self.fresh = fresh

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.copy_location(ast.Name(self.fresh.get(node.id, node.id), node.ctx), node)


def _at(node: Any, at: ast.AST) -> Any:
    return ast.copy_location(node, at)


def _either(one: tuple[set[str], list[ast.stmt]], other: tuple[set[str], list[ast.stmt]]) -> set[str]:
    """Variables that have a value after an `if`; an arm that leaves has no say."""
    ends = (ast.Return, ast.Raise, ast.Continue, ast.Break)
    if one[1] and isinstance(one[1][-1], ends):
        return other[0]
    if other[1] and isinstance(other[1][-1], ends):
        return one[0]
    return one[0] & other[0]


def _keeps_variables(node: ast.expr, wanted: set[str]) -> bool:
    """Whether a function made in it could look at variables after the expression has been evaluated."""
    at_once: set[int] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in CONSUMERS:
            at_once |= {id(arg) for arg in (*one.args, *(keyword.value for keyword in one.keywords))}
    return any(
        isinstance(one, ast.Lambda | ast.GeneratorExp) and id(one) not in at_once and names.loads(one) & wanted
        for one in ast.walk(node)
    )


_INPLACE: dict[type, str] = {
    ast.Add: "iadd", ast.Sub: "isub", ast.Mult: "imul", ast.Div: "itruediv", ast.FloorDiv: "ifloordiv",
    ast.Mod: "imod", ast.Pow: "ipow", ast.LShift: "ilshift", ast.RShift: "irshift", ast.BitOr: "ior",
    ast.BitXor: "ixor", ast.BitAnd: "iand", ast.MatMult: "imatmul",
}  # fmt: skip
