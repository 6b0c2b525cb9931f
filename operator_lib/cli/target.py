"""``FILE:NAME``: the operator of that name in that file."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from operator_lib import syntax
from operator_lib.cli import problems
from operator_lib.cli.usage import Usage


def split(target: str) -> tuple[Path, str]:
    """File and name.

    Raises:
        Usage: it is not of that form, or there is no such file.
    """
    file, colon, name = target.rpartition(":")
    if not colon or not file or not name:
        asked = f"{target!r}: give the file and the operator's name in it, as in pipeline.py:Digits"
        raise Usage(asked + _defined_in(Path(target.rstrip(":"))))
    path = Path(file)
    if not path.is_file():
        raise Usage(f"there is no file {file!r} in {Path.cwd()}")
    return path.resolve(), name


def _defined_in(file: Path) -> str:
    """The names that a file defines at its top, for a message; nothing when it cannot be read."""
    try:
        body = syntax.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return ""
    names = [part.name for part in body if isinstance(part, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
    for part in body:
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call):
            names += [left.id for left in part.targets if isinstance(left, ast.Name)]
    return f"; {file.name} defines {', '.join(names)}" if names else ""


def load(target: str) -> Any:
    """Import the file, as its own code would, and find the operator.

    Raises:
        Usage: no such file or name, or it is no operator.
        UserFailure: the file raised.
    """
    file, name = split(target)
    module = import_file(file)
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise Usage(f"{file.name} has no {name!r}; operators in it: {operators_in(module)}") from None
    if not is_operator(found):
        what = "a function" if inspect.isroutine(found) else "a class" if inspect.isclass(found) else "an object"
        raise Usage(
            f"{name} in {file.name} is {what}, not an operator; put @operator above it; "
            f"operators in the file: {operators_in(module)}"
        )
    return found


def import_file(file: Path) -> Any:
    """The module of a file, imported by its name from the folder that would travel."""
    folder = root_of(file)
    parts = list(file.relative_to(folder).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    sys.path.insert(0, str(folder))
    name = ".".join(parts)
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise problems.UserFailure(error) from None
    if Path(getattr(module, "__file__", None) or "/").resolve() != file:
        raise Usage(f"{file} cannot be imported: {name!r} is another module already; rename the file")
    return module


def root_of(file: Path) -> Path:
    """The folder from which a file is imported, and which travels: the first one up that is no package."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def is_operator(found: Any) -> bool:
    """An operator, or a class of them."""
    from operator_lib import Operator

    return issubclass(found, Operator) if inspect.isclass(found) else isinstance(found, Operator)


def operators_in(module: Any) -> str:
    """Names of the operators that a module defines, for messages."""
    names = [
        name
        for name, found in vars(module).items()
        if not name.startswith("_") and is_operator(found) and getattr(found, "__module__", "") == module.__name__
    ]
    return ", ".join(names) or "none"


def instance(found: Any) -> Any:
    """The operator itself: of a class, the object that its constructor without arguments makes.

    Raises:
        Usage: the constructor needs arguments.
    """
    if not inspect.isclass(found):
        return found
    check_constructor(found)
    return found()


def check_constructor(found: type) -> None:
    """See that an operator can be made of the class without arguments.

    Raises:
        Usage: the constructor needs some.
    """
    try:
        inspect.signature(found).bind()
    except TypeError as problem:
        raise Usage(
            f"{found.__name__}() needs arguments ({problem}); name an object in the file instead, "
            f"such as: job = {found.__name__}(...)"
        ) from None
