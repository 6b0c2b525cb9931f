"""What code uses of the project besides operators: functions, constants, attributes; where it stands, what it says."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator

from operator_lib.trace.attributes import Written, described, written_in
from operator_lib.trace.ids import digest
from operator_lib.trace.live import LiveClass
from operator_lib.trace.modules import StaticModule, absolute, find_module, module_of
from operator_lib.trace.normal import bound, is_docstring, normal
from operator_lib.trace.source import SourceFile, statements
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import Class, Function, Instance, Module, Thing
from operator_lib.trace.walked import walked
from operator_lib.trace.world import World

# "helpers.py stratify" -> "helpers.py:12 stratify 9f2c41aa": the text that `Node.uses` carries.
Used = dict[str, str]

_NOTHING: Used = {}
_STANDARD = sys.stdlib_module_names


class Uses:
    """Everything is looked up once; what is used by what is used belongs to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._names: dict[tuple[int, str], Used] = {}
        self._attributes: dict[tuple[int, str], Used] = {}
        self._functions: dict[tuple[int, bool], Used] = {}
        self._modules: dict[str, SourceFile | None] = {}
        self._written: dict[int, dict[str, list[Written]]] = {}

    def function(self, function: Function, *, head: bool = False) -> Used:
        """A function that is read elsewhere; `head`: only its decorators and defaults."""
        key = (id(function.node), head)
        found = self._functions.get(key)
        if found is None:
            found = self._functions[key] = self._function(function, head)
        return found

    def _function(self, function: Function, head: bool) -> Used:
        node, file = function.node, function.file
        spec = node.args
        parts = [d for d in (*spec.defaults, *spec.kw_defaults) if d is not None]
        parts += getattr(node, "decorator_list", [])
        if head and (not parts or not self.world.in_project(file.filename)):
            return _NOTHING
        text = normal(parts if head else node, (), file.imports)
        found = self._entry(file, node.lineno, qualified(function), text)
        for part in parts:
            found |= self._inside(file, part)
        return found

    def callback(self, function: Function) -> Used:
        """A function that is handed to code which cannot be read."""
        return self.function(function) | self._inside(function.file, function.node)

    def name(self, file: SourceFile, name: str) -> Used:
        """A name of the top level of a file."""
        key = (id(file), name)
        found = self._names.get(key)
        if found is None:
            self._names[key] = _NOTHING  # a name that is defined by itself ends here
            found = self._names[key] = self._name(file, name)
        return found

    def _name(self, file: SourceFile, name: str) -> Used:
        if not self.world.in_project(file.filename):
            return _NOTHING
        module = self._module(file)
        made = module.bindings.get(name)
        if made is None:
            starred = (self.member(absolute(star, module), name, file) for star in module.stars)
            return next((used for used in starred if used), _NOTHING)
        if isinstance(made[-1], ast.Import | ast.ImportFrom):
            return self._imported(file, name, made[-1])
        if isinstance(made[-1], ast.ClassDef) and (made := _made_by(made[-1])) is None:
            return _NOTHING
        text = "".join(normal(part, (), file.imports) for part in made)
        found = self._entry(file, made[0].lineno, name, text)
        for part in made:
            found |= self._inside(file, part)
        return found

    def _imported(self, file: SourceFile, name: str, statement: ast.Import | ast.ImportFrom) -> Used:
        if isinstance(statement, ast.Import):
            return _NOTHING
        alias = next(a for a in statement.names if (a.asname or a.name) == name)
        return self.member(absolute(statement, self._module(file)), alias.name, file)

    def member(self, dotted: str, name: str, source: SourceFile) -> Used:
        """A name of a module of the project."""
        if dotted not in self._modules:
            ours = dotted.partition(".")[0]
            found = None
            if ours not in _STANDARD and ours != "operator_lib" and self.world.in_project(source.filename):
                found = find_module(dotted, self.world, self._module(source))
            self._modules[dotted] = found.file if found is not None else None
        file = self._modules[dotted]
        return self.name(file, name) if file is not None else _NOTHING

    def _module(self, file: SourceFile) -> StaticModule:
        return module_of(file, self.world)

    def attribute(self, of: Thing, name: str, source: SourceFile) -> Used:
        """An attribute of an object, a class or a module."""
        if isinstance(of, Module):
            return self.member(of.name, name, source)
        cls = of.cls if isinstance(of, Instance) else of
        if not isinstance(cls, Class):
            return _NOTHING
        key = (id(cls.key), name)
        found = self._attributes.get(key)
        if found is None:
            found = self._attributes[key] = self._attribute(cls, name)
        return found

    def _attribute(self, cls: Class, name: str) -> Used:
        for node, file in self._definitions(cls):
            if id(node) not in self._written:
                self._written[id(node)] = written_in(node)
            written = self._written[id(node)].get(name)
            if written:
                text = "".join(described(w, file) for w in written)
                found = self._entry(file, written[-1].line, f"{node.name}.{name}", text)
                for part in written:
                    found |= self._inside(file, part.value, part.local)
                return found
        return _NOTHING

    def _definitions(self, cls: Class) -> Iterator[tuple[ast.ClassDef, SourceFile]]:
        """The source of a class and of its bases, as far as the project has it."""
        if isinstance(cls, StaticClass):
            for one in cls.order():
                if isinstance(one, StaticClass):
                    yield one.node, one.module.file
        elif isinstance(cls, LiveClass):
            for one in cls.cls.__mro__:
                filename = getattr(sys.modules.get(one.__module__), "__file__", None) or cls.place()[0]
                if filename and self.world.in_project(filename) and (file := self.world.source(filename)):
                    top, _, inner = one.__qualname__.partition(".")
                    wanted = inner.rpartition(".")[2] or top
                    body = self._module(file).bindings.get(top, ())
                    for node in statements(list(body)) if inner else body:
                        if isinstance(node, ast.ClassDef) and node.name == wanted:
                            yield node, file

    def _inside(self, file: SourceFile, tree: ast.AST, around: Collection[str] = ()) -> Used:
        """What the names in some code are made of; `around`: local names of the function that it is in."""
        local = bound(tree).union(around)
        found: Used = {}
        for part in walked(tree):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id not in local:
                found |= self.name(file, part.id)
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                dotted = file.imports.get(part.value.id, part.value.id)
                if dotted != part.value.id or self._is_module(file, dotted):
                    found |= self.member(dotted, part.attr, file)
        return found

    def _is_module(self, file: SourceFile, name: str) -> bool:
        made = self._module(file).bindings.get(name)
        return bool(made) and isinstance(made[-1], ast.Import)

    def _entry(self, file: SourceFile, line: int, name: str, text: str) -> Used:
        shown = self.world.shown(file.filename)
        return {f"{shown} {name}": f"{shown}:{line} {name} {digest(text)[:8]}"}


def _made_by(cls: ast.ClassDef) -> list[ast.stmt] | None:
    """What decides how an object of the class is made. An operator is none of the plain data that this is about."""
    methods = [n.name for n in cls.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    if "forward" in methods or "__call__" in methods:
        return None
    made = [n for n in cls.body if getattr(n, "name", "__init__") in ("__init__", "__post_init__", "__new__")]
    return [n for n in made if not is_docstring(n) and not isinstance(n, ast.Pass)] or None


def qualified(function: Function) -> str:
    """``Model.scale`` for a method."""
    if function.live is not None:
        return function.live.__code__.co_qualname.rpartition("<locals>.")[2].replace("<lambda>", "lambda")
    owner = getattr(function.owner, "name", "") or getattr(function.owner, "__name__", "")
    name = getattr(function.node, "name", "lambda")
    return f"{owner}.{name}" if owner else name
