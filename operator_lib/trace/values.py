"""What an expression may denote, as far as it matters for finding operators. Plain data, no evaluation."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from operator_lib.trace.source import FunctionNode, SourceFile

if TYPE_CHECKING:
    from operator_lib.trace.frame import Frame
    from operator_lib.trace.graph import Draft

# Of objects that are only read: never an `id`, which is used again once an object is gone.
_identities = itertools.count(-2, -1)

Dep = tuple["Draft", str]
Deps = frozenset[Dep]
# A piece of state: (identity, attribute) of an object, or the contents of one whose class is of no interest.
Place = tuple[int, str]
Cells = frozenset[Place]


class Thing:
    """Base of everything below. `None` stands for ordinary data."""

    __slots__ = ()


class Value:
    """The value of an expression: the nodes it comes from, what it denotes, and which objects it may be.

    `cells` is None for a new object that nothing else refers to yet, and empty for what cannot change.
    `part`: it is somewhere inside of those objects, not one of them itself. `after`: it is the result of the node with
    this number, so what was done to them before is known to it. `name`: of the variable that holds it.
    """

    __slots__ = ("after", "cells", "deps", "name", "part", "what")

    def __init__(
        self, deps: Deps = frozenset(), what: Thing | None = None, cells: Cells | None = None, part: bool = False
    ) -> None:
        self.deps = deps
        self.what = what
        self.cells = cells
        self.part = part
        self.after = 0
        self.name = ""


DATA = Value()


class Const(Thing):
    """A known constant: str, int, bool, None, float, slice."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class External(Thing):
    """Something from outside the project that is known not to be an operator."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Foreign(External):
    """A function or class of an installed package that is read only when it is handed something worth following."""

    __slots__ = ("raw",)

    def __init__(self, name: str, raw: Any) -> None:
        super().__init__(name)
        self.raw = raw


class Text(External):
    """Text of which only the beginning is known."""

    __slots__ = ()


class ForeignObject(External):
    """A live object of a class from outside the project."""

    __slots__ = ()


class Declaring(External):
    """``operator(...)`` before it has got its function: the decorator with its options."""

    __slots__ = ("options",)

    def __init__(self, name: str, options: Mapping[str, Thing | None]) -> None:
        super().__init__(name)
        self.options = options


class Unknown(Thing):
    """Could be an operator; `reason` says why that cannot be told."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Choice(Thing):
    """One of several, depending on how the program runs."""

    __slots__ = ("options",)

    def __init__(self, options: tuple[Thing, ...]) -> None:
        self.options = options


class Maybe(Thing):
    """Written on some of the ways only: on the others it is what it was before."""

    __slots__ = ("what",)

    def __init__(self, what: Thing | None) -> None:
        self.what = what


class Kept(Thing):
    """The contents of an object changed in a way that does not change what it denotes."""

    __slots__ = ()


KEPT = Kept()


class Items(Thing):
    """A container with known members: a list, tuple (keys 0..n-1) or dict."""

    __slots__ = ("cls", "kind", "names", "values")

    def __init__(self, kind: str, values: Mapping[Any, Value]) -> None:
        self.kind = kind
        self.values = values
        # Of a named tuple: the names of its members. Of a subclass of list, tuple or dict: that class.
        self.names: tuple[str, ...] = ()
        self.cls: Class | None = None

    @classmethod
    def of(cls, values: Iterable[Value], kind: str = "list") -> Items:
        return cls(kind, dict(enumerate(values)))


class Many(Thing):
    """A container with an unknown number of members that all look like `element`."""

    __slots__ = ("element", "kind")

    def __init__(self, element: Value, kind: str = "list") -> None:
        self.element = element
        self.kind = kind


class Instance(Thing):
    """An object with a class that can be read: an operator, or a helper object of the project."""

    __slots__ = ("assumed", "cls", "forward", "identity", "live", "operator", "options", "path", "title")

    def __init__(self, cls: Class, *, operator: bool, live: Any = None, path: str | None = None) -> None:
        self.cls = cls
        self.operator = operator
        self.live = live
        self.path = path
        # Why it is not certain that it is this object, or "".
        self.assumed = ""
        # What was assigned to its `forward`, where only the text was read.
        self.forward: Thing | None = None
        # What was said on the object itself, by a decorator or with_options; None: see `said`.
        self.options: Mapping[str, Thing | None] | None = None
        self.title = cls.name
        self.identity: int = id(live) if live is not None else next(_identities)


class Class(Thing):
    """A class, live or only read. `find` walks the method resolution order."""

    __slots__ = ()
    name: str
    operator: bool

    def find(self, name: str, after: object = None) -> Member | None:
        """The attribute and the class that defines it, behind the class `after` (its key) where given."""
        raise NotImplementedError

    @property
    def key(self) -> object:
        """Identity of the class, for `after`."""
        raise NotImplementedError

    @property
    def foreign(self) -> bool:
        """Whether something in the inheritance could not be read."""
        return False

    @property
    def container(self) -> str:
        """Name of the class of operator_lib.containers that it is or inherits from, or ""."""
        return ""

    def place(self) -> tuple[str, int]:
        """File name and line, or ("", 0)."""
        return "", 0


class Member:
    """An attribute found on a class. `how` is ``method``, ``class``, ``static``, ``property`` or ``value``."""

    __slots__ = ("how", "owner", "what")

    def __init__(self, how: str, what: Thing | None, owner: object) -> None:
        self.how = how
        self.what = what
        self.owner = owner


class Function(Thing):
    """A function of which the source is there."""

    __slots__ = ("bound", "computed", "default", "file", "given", "home", "live", "lookup", "name", "node", "owner")

    def __init__(
        self,
        node: FunctionNode,
        file: SourceFile,
        name: str,
        lookup: Callable[[str], Thing | None],
        *,
        bound: Thing | None = None,
        owner: object = None,
        default: Callable[[str], Thing | None] | None = None,
        live: Any = None,
        home: Frame | None = None,
        given: Mapping[str, Value] | None = None,
    ) -> None:
        self.node = node
        self.file = file
        self.name = name
        self.lookup = lookup
        self.bound = bound
        self.owner = owner
        self.default = default
        self.live = live
        self.home = home
        # Defaults that were computed where a local function was defined.
        self.given = given or {}
        # Of one that is only read: what an expression denotes where it is defined.
        self.computed: Callable[[ast.expr], Thing | None] | None = None

    def bind(self, bound: Thing | None, owner: object) -> Function:
        made = Function(
            self.node, self.file, self.name, self.lookup,
            bound=bound, owner=owner, default=self.default, live=self.live, home=self.home,
            given=self.given,
        )  # fmt: skip
        made.computed = self.computed
        return made


class FunctionOperator(Instance):
    """An operator that is a function: decorated, or wrapped."""

    __slots__ = ("function",)

    def __init__(self, function: Thing, cls: Class, live: Any = None, path: str | None = None) -> None:
        super().__init__(cls, operator=True, live=live, path=path)
        self.function = function


class Remote(Instance):
    """A handle: an operator that is deployed, of which only the name is known here.

    `face`: ``job``, ``serving``, or ``front`` for what a front end has as handle.
    """

    __slots__ = ("face",)

    def __init__(self, cls: Class, title: str, face: str, path: str | None = None) -> None:
        super().__init__(cls, operator=True, path=path)
        self.title = title
        self.face = face

    def named(self, title: str) -> Remote:
        """The same one, for a call that is shown under another name."""
        made = Remote(self.cls, title, self.face, self.path)
        made.identity, made.assumed = self.identity, self.assumed
        return made


class Partial(Thing):
    """``functools.partial``: a callee with its first arguments."""

    __slots__ = ("callee", "keywords", "positional")

    def __init__(self, callee: Thing, positional: tuple[Value, ...], keywords: Mapping[str, Value]) -> None:
        self.callee = callee
        self.positional = positional
        self.keywords = keywords


class Super(Thing):
    """``super()`` inside a method of the class `after`, for `instance`."""

    __slots__ = ("after", "instance")

    def __init__(self, instance: Instance, after: object) -> None:
        self.instance = instance
        self.after = after


class Module(Thing):
    """A module of which the members can be looked up."""

    __slots__ = ("lookup", "name")

    def __init__(self, name: str, lookup: Callable[[str], Thing | None]) -> None:
        self.name = name
        self.lookup = lookup


class Attributes(Thing):
    """``vars(obj)``: the attributes of an object as a dict."""

    __slots__ = ("instance",)

    def __init__(self, instance: Instance) -> None:
        self.instance = instance


class Method(Thing):
    """A method of a container or of plain data: ``stages.values``, ``xs.append``."""

    __slots__ = ("name", "of")

    def __init__(self, of: Value, name: str) -> None:
        self.of = of
        self.name = name


def same(a: Thing | None, b: Thing | None) -> bool:
    """Whether two denote the same thing."""
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and a.value == b.value
    if isinstance(a, Instance) and isinstance(b, Instance):
        return a.identity == b.identity
    if isinstance(a, Function) and isinstance(b, Function):
        return a.node is b.node and same(a.bound, b.bound)
    if isinstance(a, Foreign) and isinstance(b, Foreign):
        return a.raw is b.raw
    return isinstance(a, External) and isinstance(b, External) and a.name == b.name


def maybe_rebound(what: Thing | None) -> Thing:
    """A global name that functions assign: it denotes `what` at first."""
    return Unknown("global") if what is None or isinstance(what, Const) else Choice((what, Unknown("global")))


def holds_operators(what: Thing | None, depth: int = 0) -> bool:
    """Whether calling, iterating or handing over `what` can lead to a call of an operator."""
    if isinstance(what, Instance):
        return what.operator
    if isinstance(what, Unknown):
        return False
    if depth > 4:
        return False
    if isinstance(what, Items):
        return any(holds_operators(v.what, depth + 1) for v in what.values.values())
    if isinstance(what, Many):
        return holds_operators(what.element.what, depth + 1)
    if isinstance(what, Choice):
        return any(holds_operators(o, depth + 1) for o in what.options)
    if isinstance(what, Partial):
        return holds_operators(what.callee, depth + 1)
    return False


def either(options: Iterable[Thing | None]) -> Thing | None:
    """One of `options`: a single thing when they agree, plain data when nothing in them is of interest."""
    found: list[Thing] = []
    plain = False
    for option in options:
        for one in option.options if isinstance(option, Choice) else (option,):
            if one is None:
                plain = True
            elif not any(same(one, f) for f in found):
                found.append(one)
    if not found or (len(found) > 64):
        return None if not found else Unknown("dynamic")
    callable_ = [f for f in found if not isinstance(f, Const) and type(f) is not External]
    if not callable_:
        if len(found) == 1 and not plain:
            return found[0]
        outside = [f.name for f in found if isinstance(f, External)]
        nothing = all(f.value is None for f in found if isinstance(f, Const))
        return External(" or ".join(outside)) if outside and nothing and not plain else None
    if len(found) == 1 and not plain:
        return found[0]
    if plain:
        callable_.append(Unknown("dynamic"))
    return Choice(tuple(callable_)) if len(callable_) > 1 or len(found) > 1 else callable_[0]
