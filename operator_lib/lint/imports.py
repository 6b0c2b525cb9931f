"""OP601: packages that the environment on the worker will not have."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from operator_lib import options as option_rules
from operator_lib import syntax
from operator_lib.errors import DeployError
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Program
from operator_lib.package import entry, environment


def check(program: Program) -> Iterator[Finding]:
    """Imports of the program's files that no requirement stands for. Without requirements there is nothing to miss."""
    root, chosen = Path(program.project.root), option_rules.of(program.op)
    source = environment.said_in(root, program.project.file)
    image = chosen.image if chosen is not None else None
    try:
        text = environment.needed(root, program.project.file, image, entry.PYTHON).requirements
    except DeployError:  # a deploy says what is wrong there
        return
    if not source and not text:
        return
    there = _closure(_asked(text))
    distributions = _distributions()
    seen: set[str] = set()
    for file in _files(program, root):
        for line, module in _imported(file):
            top = module.partition(".")[0]
            if top in seen or top in sys.stdlib_module_names or top == "operator_lib" or _own(top, root, file):
                continue
            names = {canonicalize_name(name) for name in distributions.get(top, [top])}
            if not names & there:
                seen.add(top)
                name = min(names)
                where = source or "the image"
                words = f"{top} is imported, and {where} does not ask for it"
                yield Finding("OP601", words, file.relative_to(root).as_posix(), line, f"add {name} to {where}")


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    """Which packages bring which modules, of those that are installed here."""
    return importlib.metadata.packages_distributions()


def _asked(text: str) -> set[str]:
    """The packages that requirements name, one a line."""
    found: set[str] = set()
    for row in text.splitlines():
        line = re.split(r"\s#|^#", row)[0].split(" --")[0].strip()
        if line and not line.startswith("-"):
            try:
                found.add(canonicalize_name(Requirement(line).name))
            except InvalidRequirement:
                found.add(canonicalize_name(re.split(r"[#=/]", line.rstrip("/"))[-1].removesuffix(".git")))
    return found


def _closure(names: set[str]) -> set[str]:
    """With what the packages bring along, as far as they are installed here."""
    found, left = set(names), list(names)
    while left:
        try:
            needs = importlib.metadata.requires(left.pop()) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in needs:
            name = canonicalize_name(Requirement(need).name)
            if "extra ==" not in need and name not in found:
                found.add(name)
                left.append(name)
    return found


def _files(program: Program, root: Path) -> Iterator[Path]:
    """The files of the tree's methods, and what they import of the project."""
    left = {Path(method.function.__code__.co_filename) for method in program.methods}
    seen: set[Path] = set()
    while left:
        file = left.pop()
        if file in seen or not file.is_file() or root not in file.parents:
            continue
        seen.add(file)
        yield file
        for _, module in _imported(file):
            tail = module.replace(".", "/")
            left |= {
                p for folder in (root, file.parent) for p in (folder / f"{tail}.py", folder / tail / "__init__.py")
            }


def _own(top: str, root: Path, file: Path) -> bool:
    return any((folder / f"{top}.py").is_file() or (folder / top).is_dir() for folder in (root, file.parent))


def _imported(file: Path) -> Sequence[tuple[int, str]]:
    try:
        tree = syntax.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ()
    return list(_in(tree.body))


def _in(body: Sequence[ast.AST]) -> Iterator[tuple[int, str]]:
    """Imports that have to succeed: not those in a `try` that catches their failure, nor for type checkers."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level and node.module:
                yield node.lineno, node.module
        elif isinstance(node, ast.Try) and any(_forgives(handler) for handler in node.handlers):
            continue
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _in(node.orelse)
        else:
            yield from _in(list(ast.iter_child_nodes(node)))


def _forgives(handler: ast.ExceptHandler) -> bool:
    words = ast.unparse(handler.type) if handler.type is not None else "Exception"
    return any(name in words for name in ("ImportError", "ModuleNotFoundError", "Exception"))
