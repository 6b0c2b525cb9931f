"""Annotations of code that is elsewhere, as far as they mean something here."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import typing

from operator_lib import syntax

# How modules are called in annotations, and what is imported for them.
MODULES = {
    "collections.abc": "import collections.abc",
    "datetime": "import datetime as dt",
    "decimal": "import decimal",
    "np": "import numpy as np",
    "pa": "import pyarrow as pa",
    "pathlib": "import pathlib",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "torch": "import torch",
    "typing": "import typing",
    "uuid": "import uuid",
}
SPELLED = {"numpy": "np", "pandas": "pd", "polars": "pl", "pyarrow": "pa", "dt": "datetime", "t": "typing"}
NAMES = {
    **dict.fromkeys(typing.__all__, "typing"),
    **dict.fromkeys(collections.abc.__all__, "collections.abc"),
    **dict.fromkeys(("date", "datetime", "timedelta"), "datetime"),
    "Decimal": "decimal",
    "Fraction": "fractions",
    "Path": "pathlib",
    "UUID": "uuid",
}


class Annotations:
    """Reads annotations, and gathers the imports that they need."""

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._names: dict[str, set[str]] = {}

    def imports(self) -> list[str]:
        """The lines that bring what was used."""
        found = [f"from {module} import {', '.join(sorted(names))}" for module, names in self._names.items()]
        return sorted([*self._modules, *found])

    def read(self, text: str) -> str:
        """Source text that stands here for an annotation there; ``Any`` for what is not known here."""
        if not text:
            return self.name("Any")
        try:
            tree = syntax.parse(text, mode="eval").body
        except (SyntaxError, ValueError):
            return self.name("Any")
        return ast.unparse(_Known(self).visit(tree))

    def name(self, name: str, module: str = "") -> str:
        """A name that is imported."""
        self._names.setdefault(module or NAMES[name], set()).add(name)
        return name

    def module(self, path: str) -> str | None:
        """How a module is written here; None for one that may not be there."""
        path = SPELLED.get(path, path)
        if path not in MODULES:
            return None
        self._modules.add(MODULES[path])
        return "dt" if path == "datetime" else path


class _Known(ast.NodeTransformer):
    def __init__(self, known: Annotations) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in NAMES:
            return ast.Name(self.known.name(node.id))
        return node if isinstance(getattr(builtins, node.id, None), type) else self._any()

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        module = self.known.module(ast.unparse(node.value))
        return self._any() if module is None else ast.Attribute(ast.Name(module), node.attr)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):  # a forward reference
            return syntax.parse(self.known.read(node.value), mode="eval").body
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        generic = ast.unparse(node.value).rpartition(".")[2]
        if generic == "Literal":
            return ast.Subscript(ast.Name(self.known.name("Literal")), node.slice)
        if generic == "Annotated" and isinstance(node.slice, ast.Tuple):
            return self.visit(node.slice.elts[0])
        origin = self.visit(node.value)
        if isinstance(origin, ast.Name) and origin.id == "Any":
            return origin
        return ast.Subscript(origin, self.visit(node.slice))

    def _any(self) -> ast.expr:
        return ast.Name(self.known.name("Any"))
