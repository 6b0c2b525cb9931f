"""Expressions taken apart: calls of operators become steps of a `Flow`, what is around them pieces of code."""

from __future__ import annotations

import ast
import copy
from typing import Any

from operator_lib.independence import names
from operator_lib.independence.launching import Site
from operator_lib.independence.reading import Reading
from operator_lib.independence.written import (
    CONSUMERS,
    FLOW,
    MADE,
    OURS,
    Place,
    Refused,
    Renamed,
    Split,
    keeps_variables,
    lines_of,
    placed,
    readable,
)


class Apart:
    """The expressions of one function, and what is known of its variables where it has come to."""

    def __init__(self, definition: ast.FunctionDef, reading: Reading) -> None:
        self.definition: ast.FunctionDef = Split().visit(copy.deepcopy(definition))
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
                return [self._set(node.id, self._call("gather", [node], node), node)], node
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
            keys.append(placed(ast.Constant(keyword.arg), node))
            values.append(atom)
        self.count += 1
        site = self.sites[self.count] = Site(readable(node.func), node.lineno)
        self.places.append(Place(node, site, "", lines_of(self.loops[-1] if self.loops else None)))
        arguments = [
            placed(ast.Constant(self.count), node),
            callee,
            placed(ast.Tuple(args, ast.Load()), node),
            placed(ast.Dict(keys, values), node),
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
        if keeps_variables(node, set(wanted)):
            raise Refused("makes a function that looks at variables later")
        before: list[ast.stmt] = []
        for one in wanted:
            if one in self.holders:
                before.append(self._set(one, self._call("gather", [self._name(one)], node), node))
        return self._lambda(wanted, node, node), [self._name(one) for one in wanted], before

    def _step(self, before: list[ast.stmt], value: ast.expr, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        self.count += 1
        name = f"{MADE}{self.count}"
        self.locals.add(name)
        self.bound.add(name)
        return [*before, self._set(name, value, node)], placed(ast.Name(name, ast.Load()), node)

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
                    made.func = placed(ast.Attribute(atom, value.attr, value.ctx), value)
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
            return placed(ast.keyword(value.arg, self._fields(value.value, before)), value)
        if isinstance(value, ast.FormattedValue):
            return placed(
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
            [*body, self._set(name, one, node)],
            [*orelse, self._set(name, other, node)],
        )
        return [*before, placed(made, node)], placed(ast.Name(name, ast.Load()), node)

    def _boolean(self, node: ast.BoolOp) -> tuple[list[ast.stmt], ast.expr]:
        self.count += 1
        name = f"{MADE}{self.count}"
        self.locals.add(name)
        found: list[ast.stmt] = []
        inside = found
        for number, value in enumerate(node.values):
            before, atom = self.take_apart(value)
            inside.extend([*before, self._set(name, atom, node)])
            if number < len(node.values) - 1:
                test: ast.expr = self._call("test", [self._name(name)], node)
                if isinstance(node.op, ast.Or):
                    test = placed(ast.UnaryOp(ast.Not(), test), node)
                arm = placed(ast.If(test, [], []), node)
                inside.append(arm)
                inside = arm.body
        self.bound.add(name)
        return found, placed(ast.Name(name, ast.Load()), node)

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
        before, source, target, name, body = self._unrolled(node)
        made = self._set(name, placed(empty, node), node)
        loop = placed(ast.For(target, source, body, []), node)
        return self._step([*before, made, loop], self._call("gather", [self._name(name)], node), node)

    def _unrolled(self, node: Any) -> tuple[list[ast.stmt], ast.expr, ast.expr, str, list[ast.stmt]]:
        """A comprehension: what comes before, what it goes through, its variable, a name, what is done with an item."""
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
        renamed = Renamed(fresh).visit(renamed)
        part = renamed.generators[0]
        name = f"{MADE}{self.count}_all"
        self.locals |= {name, *fresh.values()}
        self.bound |= {name, *fresh.values()}
        self.loops.append(node)
        body = self._element(renamed, name, part.ifs)
        self.loops.pop()
        target, first = self._each(part.target, node)
        self.bound -= set(fresh.values())
        return before, source, target, name, [*first, *body]

    def _element(self, node: Any, name: str, tests: list[ast.expr]) -> list[ast.stmt]:
        if tests:
            before, atom = self.take_apart(tests[0])
            inside = self._element(node, name, tests[1:])
            return [*before, placed(ast.If(self._call("test", [atom], tests[0]), inside, []), node)]
        if isinstance(node, ast.DictComp):
            before, place = self.take_apart(node.key)
            more, atom = self.take_apart(node.value)
            return [*before, *more, self._call("put", [self._name(name), place, atom], node, statement=True)]
        before, atom = self.take_apart(node.elt)
        if isinstance(node, ast.GeneratorExp):
            return [*before, placed(ast.Return(atom), node)]
        return [*before, self._call("append", [self._name(name), atom], node, statement=True)]

    def _consumer(self, node: ast.Call) -> bool:
        func = node.func
        if isinstance(func, ast.Name):
            known = func.id in CONSUMERS and func.id not in self.locals and self.reading.is_builtin(func.id)
        else:  # "".join
            text = func.value if isinstance(func, ast.Attribute) and func.attr == "join" else None
            known = isinstance(text, ast.Constant) and isinstance(text.value, str)
        return (
            known
            and bool(node.args)
            and isinstance(node.args[0], ast.GeneratorExp)
            and not node.keywords
            and not any(self._holds_site(one) for one in node.args[1:])
        )

    def _consume(self, node: ast.Call) -> tuple[list[ast.stmt], ast.expr]:
        generator = node.args[0]
        before, source, target, name, body = self._unrolled(generator)
        assert isinstance(target, ast.Name)
        skip = placed(ast.Attribute(self._name(FLOW), "skip", ast.Load()), generator)
        spec = ast.arguments([], [placed(ast.arg(target.id), node)], None, [], [], None, [])
        before.append(placed(ast.FunctionDef(name, spec, [*body, placed(ast.Return(skip), node)], []), generator))
        rest: list[ast.expr] = []
        for one in node.args[1:]:
            more, atom = self.take_apart(one)
            before.extend(more)
            rest.append(atom)
        return self._step(before, self._call("consume", [node.func, source, self._name(name), *rest], node), node)

    def _unpacked(self, target: ast.expr, value: ast.expr, at: ast.AST) -> ast.stmt:
        """``a, b = value``."""
        if not isinstance(target, ast.Tuple) or not all(isinstance(one, ast.Name) for one in target.elts):
            raise Refused("assigns to more than names")
        count = placed(ast.Constant(len(target.elts)), at)
        return placed(ast.Assign([target], self._call("unpack", [value, count], at)), at)

    def _each(self, target: ast.expr, at: ast.AST) -> tuple[ast.expr, list[ast.stmt]]:
        """What a loop assigns to, and how its body begins."""
        if isinstance(target, ast.Name):
            return target, []
        self.count += 1
        name = f"{MADE}{self.count}_each"
        return placed(ast.Name(name, ast.Store()), at), [self._unpacked(target, self._name(name), at)]

    def _set(self, name: str, value: ast.expr, at: ast.AST) -> Any:
        """A statement of our own."""
        return placed(ast.Assign([placed(ast.Name(name, ast.Store()), at)], value), at)

    def _name(self, name: str) -> ast.Name:
        return ast.Name(name, ast.Load())

    def _call(self, method: str, args: list[Any], at: ast.AST, statement: bool = False) -> Any:
        func = placed(ast.Attribute(placed(self._name(FLOW), at), method, ast.Load()), at)
        made = placed(ast.Call(func, [placed(one, at) if not hasattr(one, "lineno") else one for one in args], []), at)
        return placed(ast.Expr(made), at) if statement else made

    def _lambda(self, parameters: list[str], body: ast.expr, at: ast.AST) -> ast.expr:
        mark = placed(ast.arg(OURS), at)  # by which tracebacks know it
        spec = ast.arguments([], [placed(ast.arg(one), at) for one in parameters], mark, [], [], None, [])
        return placed(ast.Lambda(spec, body), at)
