"""Classes that are only read: for ``operator-lib dag FILE:NAME`` and for plans, nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from operator_lib import core
from operator_lib.trace.live import LiveClass
from operator_lib.trace.values import (
    Choice,
    Class,
    External,
    Function,
    FunctionOperator,
    Member,
    Thing,
    Unknown,
    either,
)  # fmt: skip

if TYPE_CHECKING:
    from operator_lib.trace.modules import Scope

_MODULE_BASES = ("torch.nn.Module", "torch.nn.modules.Module")
_OPERATOR_BASES = ("operator_lib.Operator", "operator_lib.core.Operator", *_MODULE_BASES)
# Bases that add nothing which could be an operator or call one.
_PLAIN_BASES = frozenset(
    """
    object Generic Protocol ABC abc.ABC typing.Generic typing.Protocol typing.NamedTuple typing.TypedDict Exception
    ValueError RuntimeError KeyError TypeError enum.Enum enum.IntEnum enum.StrEnum str int dict list tuple set
    """.split()  # noqa: SIM905
)
# What ``torch.nn.Module`` brings along; none of it calls a child.
_MODULE_METHODS = frozenset(
    """
    add_module apply buffers children cpu cuda double eval extra_repr float get_buffer get_parameter get_submodule
    half load_state_dict modules named_buffers named_children named_modules named_parameters parameters
    register_buffer register_forward_hook register_module register_parameter requires_grad_ state_dict to train
    type zero_grad training
    """.split()  # noqa: SIM905
)


class StaticClass(Class):
    """A class that was only read."""

    __slots__ = ("_found", "_order", "bases", "changed", "dataclass", "decorator", "module", "name", "node", "operator",
                 "scope")  # fmt: skip

    def __init__(self, node: ast.ClassDef, module: Any) -> None:
        from operator_lib.trace.modules import Scope

        self.node = node
        self.module = module
        self.name = node.name
        world = module.world
        self.scope: Scope = Scope(node.body, module.file, f"{module.name}.{node.name}", world, module.lookup)
        self.bases = [_base(world.evaluate(b, module).what) for b in node.bases]
        self.operator = any(_operator_base(b) for b in self.bases)
        self.dataclass = False
        # ``@operator(...)``, where there is one.
        self.decorator: ast.expr | None = None
        # Attributes that were assigned from outside: ``Class.name = value``.
        self.changed: dict[str, Thing | None] = {}
        self._found: dict[str, Member | None] = {}
        self._order: list[Class] | None = None
        for decorator in node.decorator_list:
            what = world.evaluate(decorator.func if isinstance(decorator, ast.Call) else decorator, module).what
            if is_operator_decorator(what):
                self.operator, self.decorator = True, decorator
            self.dataclass = self.dataclass or (isinstance(what, External) and what.name in DATACLASS)

    @property
    def key(self) -> object:
        return self.node

    @property
    def container(self) -> str:
        return next((b.container for b in self.bases if isinstance(b, Class) and b.container), "")

    @property
    def foreign(self) -> bool:
        """Whether something in the inheritance stems from a package that was not read."""
        bases = [b for c in self.order() if isinstance(c, StaticClass) for b in c.bases]
        return any(not isinstance(b, Class) and not _known_base(b) for b in bases)

    def order(self) -> list[Class]:
        """Method resolution order, as Python computes it."""
        if self._order is None:
            self._order = [self]  # a class that inherits from itself ends here
            bases = [b for b in self.bases if isinstance(b, Class)]
            self._order = [self, *_merged([*(_order_of(b) for b in bases), bases])]
        return self._order

    def find(self, name: str, after: object = None) -> Member | None:
        order = self.order()
        keys = [c.key for c in order]
        if after is not None and after in keys:
            order = order[keys.index(after) + 1 :]
        for cls in order:
            found = cls.own(name) if isinstance(cls, StaticClass | LiveClass) else cls.find(name)
            if found is not None:
                return found
        if self.operator and hasattr(core.Operator, name):
            return Member("machinery", External(f"Operator.{name}"), core.Operator)
        if name in _MODULE_METHODS and any(_is_module(b) for c in order for b in getattr(c, "bases", ())):
            return Member("machinery", External(f"Module.{name}"), core.Operator)
        return None

    def own(self, name: str) -> Member | None:
        """The attribute of this very class."""
        if name in self.changed:
            what = self.changed[name]
            return Member("method" if isinstance(what, Function) else "value", what, self.node)
        if name not in self._found:
            self._found[name] = None  # an attribute defined by itself ends here
            self._found[name] = self._own(name)
        return self._found[name]

    def _own(self, name: str) -> Member | None:
        statements = self.scope.bindings.get(name, [])
        methods = [s for s in statements if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)]
        if methods and len(methods) == len(statements):
            return self._methods(name, methods)
        if not any(not isinstance(s, ast.AnnAssign) or s.value is not None for s in statements):
            return None
        given = getattr(statements[-1], "value", None)
        wrapper = _dotted(given.func) if isinstance(given, ast.Call) and given.args else ""
        for how, wrappers in _KINDS.items():
            if isinstance(given, ast.Call) and wrapper in wrappers:  # ``name = staticmethod(function)``
                return Member(how, self.module.world.evaluate(given.args[0], self.scope).what, self.node)
        what = self.scope.lookup(name)
        if any(isinstance(b, External) and b.name.startswith("enum.") for b in self.bases):
            what = None  # a member of an enumeration is not its value
        bound = isinstance(what, Function) or wrapper.endswith("partialmethod")
        return Member("method" if bound else "value", what, self.node)

    def _methods(self, name: str, statements: list[Any]) -> Member | None:
        """The last definition; behind conditions any of them."""
        statements = [s for s in statements if not _accessor(s)]
        if any(s not in self.node.body for s in statements):
            what = self.scope.lookup(name)
            kept = [getattr(w, "node", None) for w in getattr(what, "options", (what,))]
            statements = [s for s in statements if s in kept] or statements
        last = next((i for i in reversed(range(len(statements))) if statements[i] in self.node.body), 0)
        found = [self._method(name, s) for s in statements[last:]]
        if len(found) < 2:
            return found[0] if found else None
        return Member(found[-1].how, either(m.what for m in found), self.node)

    def _method(self, name: str, statement: ast.FunctionDef | ast.AsyncFunctionDef) -> Member:
        names = [_dotted(d) for d in statement.decorator_list]
        made = Function(statement, self.module.file, name, self.module.lookup, owner=self.node)
        made.home = getattr(self.module, "home", None)
        made.computed = lambda expression: self.module.world.evaluate(expression, self.scope).what
        for how, decorators in _KINDS.items():
            if any(n in decorators for n in names):
                rest = [d for d in statement.decorator_list if _dotted(d) not in decorators]
                return Member(how, self._decorated(made, rest), self.node)
        return Member("method", self._decorated(made, statement.decorator_list), self.node)

    def _decorated(self, made: Function, decorators: list[ast.expr]) -> Thing | None:
        rest = [d for d in decorators if _dotted(d) not in ("abstractmethod", "abc.abstractmethod")]
        return self.module.world.decorate(made, rest, self.scope) if rest else made

    def sets(self, name: str) -> bool:
        """Whether one of its methods may give its objects this attribute after they were made."""
        if self.foreign:
            return True
        for cls in self.order():
            if isinstance(cls, LiveClass) and cls.sets(name):
                return True
            for node in ast.walk(cls.node) if isinstance(cls, StaticClass) else ():
                if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store):
                    return True
                if isinstance(node, ast.Name) and node.id in ("setattr", "vars", "__getattr__"):
                    return True
                if isinstance(node, ast.FunctionDef) and node.name in ("__getattr__", "__getattribute__"):
                    return True
        return False

    def fields(self) -> Iterator[ast.AnnAssign]:
        """The annotated names of the body, in order."""
        for statement in self.node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                yield statement

    def annotation(self, name: str) -> tuple[ast.expr, Any] | None:
        """The annotation of an attribute in the class body, with the scope in which it means something."""
        for cls in self.order():
            if isinstance(cls, StaticClass):
                for statement in cls.fields():
                    if statement.target.id == name:  # type: ignore[union-attr]
                        return statement.annotation, cls.scope
        return None

    def place(self) -> tuple[str, int]:
        return self.module.file.filename, self.node.lineno


DATACLASS = ("dataclasses.dataclass", "attr.s", "attr.define", "attrs.define", "attr.dataclass")
_KINDS = {
    "static": ("staticmethod",),
    "class": ("classmethod",),
    "property": ("property", "cached_property", "functools.cached_property"),
}


def _order_of(cls: Class) -> list[Class]:
    return list(cls.order()) if isinstance(cls, StaticClass | LiveClass) else [cls]


def _merged(rows: list[list[Class]]) -> list[Class]:
    """The C3 linearisation; what contradicts itself (Python would refuse the class) keeps its first order."""
    found: list[Class] = []
    rows = [list(row) for row in rows if row]
    while rows:
        tails = [c.key for row in rows for c in row[1:]]
        head = next((row[0] for row in rows if row[0].key not in tails), rows[0][0])
        found.append(head)
        rows = [rest for row in rows if (rest := [c for c in row if c.key != head.key])]
    return found


def _base(what: Thing | None) -> Thing | None:
    """A base class; ``Generic[T]`` and a call that makes one (``namedtuple(...)``) stay what they are."""
    if isinstance(what, Choice):
        classes = [o for o in what.options if isinstance(o, Class)]
        return classes[0] if len(classes) == 1 else Unknown("dynamic")
    return what


def _accessor(statement: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """``@name.setter`` and the like, ``@overload``: not what reading the attribute runs."""
    names = [_dotted(d).rpartition(".")[2] for d in statement.decorator_list]
    return any(n in ("setter", "deleter", "overload", "register") for n in names)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def is_operator_decorator(what: Thing | None) -> bool:
    """Whether this is ``@operator``, by whatever name."""
    return isinstance(what, External) and what.name in ("operator_lib.operator", "operator_lib.Operator.fn")


def _operator_base(what: Thing | None) -> bool:
    if isinstance(what, Class):
        return what.operator
    return isinstance(what, External) and what.name in _OPERATOR_BASES


def _is_module(what: Thing | None) -> bool:
    return isinstance(what, External) and what.name in _MODULE_BASES


def _known_base(what: Thing | None) -> bool:
    if not isinstance(what, External):
        return False
    return what.name.removesuffix("()") in _PLAIN_BASES or what.name in _OPERATOR_BASES or "namedtuple" in what.name


def function_operator(function: Thing, options: Mapping[str, Thing | None] | None = None) -> FunctionOperator:
    """An operator made of a function that was only read, with the options of its decorator."""
    made = FunctionOperator(function, _FunctionClass())
    name = getattr(function, "name", "").rpartition(".")[2]
    made.title = "<lambda>" if isinstance(getattr(function, "node", None), ast.Lambda) else name
    made.options = options or {}
    return made


class _FunctionClass(Class):
    __slots__ = ()
    name = "function"
    operator = True

    def find(self, name: str, after: object = None) -> Member | None:
        return None

    @property
    def key(self) -> object:
        return _FunctionClass
