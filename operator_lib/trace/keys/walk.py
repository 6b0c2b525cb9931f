"""Everything of the project that code can reach, written down in an order that depends on nothing but the code.

Live functions and classes are followed, as they would be when called: globals as they are bound now, decorators, cells,
defaults, class attributes. A method counts when its name stands somewhere in the code that is reached, or when it is
called without its name (``__len__``, ``forward``). Things are numbered as they are found, so that their names, files
and places on the disk say nothing.
"""

from __future__ import annotations

import builtins
import dataclasses
import hashlib
import importlib
import importlib.util
import operator
import types
from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any

from operator_lib import core, options, tree
from operator_lib.trace.keys import code as codes
from operator_lib.trace.keys.contents import Contents
from operator_lib.trace.keys.outside import foreign, top, version
from operator_lib.trace.keys.refused import Refused
from operator_lib.trace.keys.sinks import sinks
from operator_lib.trace.keys.things import (
    is_called_by_others,
    is_generated,
    is_ours,
    model_fields,
    origin,
    parts,
    title,
    validators,
    wrapped,
)  # fmt: skip
from operator_lib.trace.keys.watch import ABSENT, Watch

# Builtins after which nothing is known.
OPAQUE = {"eval": eval, "exec": exec, "compile": compile, "__import__": __import__, "globals": globals}
_FOREIGN_OPAQUE = frozenset(
    "importlib.import_module runpy.run_path runpy.run_module inspect.getsource inspect.getsourcelines".split()  # noqa: SIM905
)
_BY_NAME = (getattr, hasattr, setattr, delattr, vars, dir, operator.attrgetter, operator.methodcaller)
# Who says one of these looks at what otherwise does not matter: annotations, names of local variables, docstrings.
_ANNOTATIONS = frozenset(
    "__annotations__ get_annotations get_type_hints signature __signature__ getfullargspec".split()  # noqa: SIM905
)
_LOCALS = frozenset({"locals", "vars", "dir", "_getframe", "currentframe", "co_varnames"})
_DOCUMENTS = frozenset({"__doc__", "getdoc"})
# Parts of a class that say nothing about what its objects do, or that others say already.
_SKIPPED = frozenset(
    """
    __annotations__ __dict__ __doc__ __module__ __qualname__ __weakref__ __slots__ __abstractmethods__ __parameters__
    __orig_bases__ __firstlineno__ __static_attributes__ __wrapped_class__ __remote_init__ __dataclass_fields__
    __dataclass_params__ __match_args__ __type_params__ __annotate__ __annotate_func__ __annotations_cache__ _options
    __slotnames__ _managed _abc_impl
    """.split()  # noqa: SIM905
)
_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__", "__class_getitem__"})


class Walk:
    """One reading. `watch` says what its result depends on."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.watch = Watch()
        self.packages: set[str] = set()
        self._out = hashlib.sha256()
        self._numbers: dict[int, int] = {}
        self._queue: deque[tuple[int, Any, str]] = deque()
        self._names: set[str] = set()
        self._everything = False
        # Classes and modules, of which more counts as more names turn up: number, thing, what was written, where.
        self._open: list[tuple[int, Any, set[str], str]] = []
        self._constructed: set[int] = set()
        self._read: set[str] = set()
        self._added_to: set[str] = set()
        self._handed_on = False
        self._functions: list[types.FunctionType] = []
        self._documented: list[Any] = []
        self.paths: set[str] = set()

    def add(self, path: str, thing: Any, held: bool) -> None:
        """Something to begin with. Raises Refused."""
        self._write(path.encode(), self._code(thing, held, path))

    def digest(self) -> str:
        """Go through everything. Raises Refused."""
        while True:
            while self._queue:
                number, thing, where = self._queue.popleft()
                self._write(b"#%d" % number)
                self._visit(number, thing, where)
            before = len(self._numbers), len(self._names), self._everything
            for number, thing, done, where in list(self._open):
                self._members(number, thing, done, where)
            if not self._queue and before == (len(self._numbers), len(self._names), self._everything):
                break
        self._looked_at()
        for package in sorted(filter(None, map(version, self.packages))):
            self._write(package.encode())
        return self._out.hexdigest()

    def _looked_at(self) -> None:
        """What only matters because code asks for it."""
        for function in self._functions:
            if self._names & _ANNOTATIONS:
                self._write(codes.annotated(function.__code__).encode())
            if self._names & _LOCALS:
                self._write(repr((function.__code__.co_varnames, function.__code__.co_cellvars)).encode())
        if self._names & _DOCUMENTS:
            for thing in self._documented:
                self._write(str(thing.__doc__).encode("utf-8", "surrogatepass"))

    @property
    def sinks(self) -> frozenset[str]:
        """Attributes that are added to and never looked at."""
        return frozenset() if self._everything or self._handed_on else frozenset(self._added_to - self._read)

    def _write(self, *parts: bytes) -> None:
        for part in parts:
            self._out.update(b"%d:" % len(part))
            self._out.update(part)

    def _refuse(self, thing: Any, why: str) -> None:
        if self.strict:
            raise Refused(thing, why, told=True)
        self._write(b"?", why.encode())

    # --- what a value is ---------------------------------------------------------------------------------------------

    def _value(self, value: Any, where: str) -> bytes:
        """A value that code can reach: data by content, code by number."""
        if type(value) is object:
            return b"object"  # told by its name: all that can be done with it is to compare it
        if isinstance(value, core.Operator):
            self._chosen(value, where)
        paths = dict[str, str]()
        contents = Contents(lambda thing, held: self._code(thing, held, where), refuse=self.strict, paths=paths)
        try:
            contents.write(value)
        except Refused as error:
            raise error.at(where) from None
        self.paths.update(paths)
        return b"".join(contents.out)

    def _chosen(self, op: Any, where: str) -> None:
        chosen = options.of(op)
        if chosen is not None and chosen.use_ctx:
            self._refuse(op, f"{where} ({tree.name_of(op)}) has use_ctx: what it reads there is not part of any key")

    def _code(self, thing: Any, held: bool, where: str) -> bytes:
        """A function, class or module: where it comes from, or the number that it is visited under."""
        if foreign(thing) and not (isinstance(thing, types.FunctionType) and wrapped(thing)):
            return self._foreign(thing, where)
        if isinstance(thing, type) and not held:
            self._construct(thing)
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self._numbers)
            self.watch.keep(thing)
            self._queue.append((number, thing, title(thing, where)))
        return b"#%d" % number

    def _construct(self, cls: type) -> None:
        for base in cls.__mro__:
            self._constructed.add(id(base))

    def _foreign(self, thing: Any, where: str) -> bytes:
        module, name = origin(thing)
        self.packages.add(top(module))
        if name in _FOREIGN_OPAQUE:
            self._refuse(thing, f"{where} calls {name}: what it loads is not known before it runs")
        if name == "operator_lib.context.RequestContext":
            self._refuse(thing, f"{where} uses RequestContext: what it reads there is not part of any key")
        parts = [name.encode()]
        if isinstance(thing, type):
            parts += [self._code(arg, False, where) for arg in getattr(thing, "__args__", ()) if isinstance(arg, type)]
        return b"(".join(parts)

    # --- functions ---------------------------------------------------------------------------------------------------

    def _visit(self, number: int, thing: Any, where: str) -> None:
        self._documented.append(thing)
        if isinstance(thing, types.FunctionType) and foreign(thing):
            # A decorator's: what it decorates is inside.
            self._write(self._foreign(thing, where), *(self._watched(part, where) for part in wrapped(thing)))
        elif isinstance(thing, types.FunctionType):
            self._function(thing, where)
        else:
            if isinstance(thing, type):
                self._class(thing, where)
            self._open.append((number, thing, set(), where))
            self._members(number, thing, self._open[-1][2], where)

    def _function(self, function: types.FunctionType, where: str) -> None:
        code = function.__code__
        self._functions.append(function)
        self.watch.function(function)
        self._write(codes.text(function).encode("utf-8", "surrogatepass"))
        for value in (function.__defaults__, function.__kwdefaults__):
            if value:
                self._write(self._watched(value, where, "a default of "))
        added_to = sinks(code)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if name not in added_to.names:
                self._cell(name, cell, where)
        for name, value in sorted(function.__dict__.items()):
            self._write(name.encode(), self._watched(value, f"{where}.{name}"))
        asked = codes.asked(code)
        self._names |= asked.names.union(*asked.chains)
        self._read |= asked.names - added_to.attributes
        self._added_to |= added_to.attributes
        self._handed_on = self._handed_on or added_to.hands_on
        self._everything = self._everything or codes.by_computed_name(code)
        same = codes.imported(code)
        for chain in sorted(asked.chains, key=lambda c: (same.get(c[0], c[0]), c)):
            if chain[0] not in added_to.names:
                self._chain(chain, same.get(chain[0], chain[0]), function.__globals__, where)
        for name, level, wanted in sorted(asked.imports):
            self._import(name, level, wanted, function.__globals__, where)

    def _cell(self, name: str, cell: Any, where: str) -> None:
        try:
            value = cell.cell_contents
        except ValueError:
            value = ABSENT
        self.watch.cell(cell, value)
        if value is not ABSENT and name != "__class__":
            self._write(self._watched(value, where, f"{name!r}, closed over by "))
        elif value is not ABSENT:
            self._write(self._code(value, True, where))

    def _watched(self, value: Any, where: str, what: str = "") -> bytes:
        """A value that may change in place."""
        self.watch.value(value)
        return self._value(value, what + where)

    def _chain(self, chain: tuple[str, ...], title: str, namespace: dict[str, Any], where: str) -> None:
        """``settings.rate``: as far as modules go, the rest by its name. `title`: what its first name stands for."""
        first, *rest = chain
        value = self.watch.item(namespace, first)
        said = f"the global {first!r} of {where}"
        if value is ABSENT:
            if hasattr(builtins, first):
                if first in OPAQUE:
                    self._refuse(None, f"{where} calls {first}(): what it does is not known before it runs")
                self._write(first.encode(), b"builtin")
            return
        while isinstance(value, types.ModuleType) and rest and not foreign(value):
            module, name = value, rest.pop(0)
            value = self.watch.item(vars(module), name)
            said = f"the global {name!r} of {module.__name__}"
            if value is ABSENT:
                return
        if isinstance(value, types.ModuleType) and foreign(value):
            self._foreign_chain(value, rest, where)
        if any(value is one for one in _BY_NAME):
            self._everything = True
        if any(value is one for one in OPAQUE.values()):
            self._refuse(None, f"{where} calls {value.__name__}(): what it does is not known before it runs")
        self._write(".".join((title, *chain[1:])).encode(), self._watched(value, said))

    def _foreign_chain(self, module: types.ModuleType, rest: list[str], where: str) -> None:
        name = ".".join([module.__name__, *rest])
        if name in _FOREIGN_OPAQUE:
            self._refuse(module, f"{where} calls {name}: what it loads is not known before it runs")

    def _import(self, name: str, level: int, wanted: tuple[str, ...], namespace: dict[str, Any], where: str) -> None:
        """``import`` in a function: the project's modules are loaded here, as the function would."""
        try:
            full = importlib.util.resolve_name("." * level + name, namespace.get("__package__") or None)
        except ImportError:
            return
        if f"{full}.{wanted[0] if wanted else ''}" in _FOREIGN_OPAQUE:
            self._refuse(None, f"{where} calls {full}.{wanted[0]}: what it loads is not known before it runs")
        if not is_ours(full):
            self.packages.add(top(full))
            self._write(full.encode())
            return
        try:
            module = importlib.import_module(full)
        except ImportError as error:
            self._write(full.encode(), type(error).__name__.encode())
            return
        self._write(full.encode())
        if not wanted or "*" in wanted:
            self._write(self._code(importlib.import_module(top(full)) if not wanted else module, False, where))
            return
        for part in wanted:
            value = self.watch.item(vars(module), part)
            if value is ABSENT:
                self._import(f"{full}.{part}", 0, (), namespace, where)
            else:
                self._write(part.encode(), self._watched(value, f"the global {part!r} of {full}"))

    # --- classes and modules -----------------------------------------------------------------------------------------

    def _class(self, cls: type, where: str) -> None:
        self._write(cls.__name__.encode(), type(cls).__name__.encode())
        if not foreign(type(cls)):
            self._write(self._code(type(cls), True, where))
        for base in cls.__bases__:
            if base is not object:
                self._write(self._code(base, True, where))
        fields = cls.__dict__.get("__dataclass_fields__")
        if fields is not None:
            self._write(repr(cls.__dict__["__dataclass_params__"]).encode())
            for field in fields.values():
                self._field(field, where)
        for name, field in sorted(model_fields(cls).items()):
            self._write(name.encode(), self._value(dict(field._attributes_set), f"{where}.{name}"))
        for name, info in validators(cls):
            self._write(name.encode(), self._value(info, f"{where}.{name}"))
        if issubclass(cls, Enum):
            for name, member in cls.__members__.items():
                self._write(name.encode(), self._value(member._value_, f"{where}.{name}"))

    def _field(self, field: Any, where: str) -> None:
        settings = (field.init, field.repr, field.compare, field.kw_only, field.hash)
        self._write(field.name.encode(), repr(settings).encode())
        for value in (field.default, field.default_factory):
            if value is not dataclasses.MISSING:
                self._write(self._watched(value, f"{where}.{field.name}"))

    def _members(self, number: int, thing: Any, done: set[str], where: str) -> None:
        """What counts of a class or a module by now."""
        space: Mapping[str, Any] = vars(thing)
        self.watch.size(space)
        if isinstance(thing, type):
            whole = self._everything or is_called_by_others(thing)
            wanted = [n for n in sorted(space) if n not in done and (whole or self._counts(thing, n))]
        else:
            whole = self._everything
            wanted = [
                n for n in sorted(space) if n not in done and not n.startswith("__") and (whole or n in self._names)
            ]
        for name in wanted:
            done.add(name)
            if name in _SKIPPED or name.startswith("__pydantic_"):
                continue
            value = self.watch.item(space, name)
            if isinstance(value, classmethod):
                self._construct(thing)
            self._write(b"#%d" % number, name.encode())
            for part in parts(value):
                if part is not None and not is_generated(thing, part):
                    self._write(self._watched(part, f"{where}.{name}"))

    def _counts(self, cls: type, name: str) -> bool:
        if name in self._names:
            return True
        if name in _MAKING:
            made = id(cls) in self._constructed or not issubclass(cls, core.Operator)
            return made or not self._names.isdisjoint(("__class__", "type", "replace"))
        return (name.startswith("__") and name.endswith("__")) or (name == "forward")
