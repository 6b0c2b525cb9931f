"""Will the project find its own modules over there? Read from the import statements; nothing is imported."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from operator_lib import syntax
from operator_lib.package.manifest import Manifest


def missing_imports(manifest: Manifest, start: Sequence[str], paths: Sequence[str] = (".",)) -> list[str]:
    """Problems in words: modules that lie in the folder, are imported from `start` on, and do not travel.

    `start` are files of the manifest, `paths` the import folders (both as in the `Header` of an entry).
    """
    travelling = {entry.path: entry.source for entry in manifest.files}
    problems = [f"{path} is needed, but an ignore rule leaves it out" for path in start if path not in travelling]
    queue = [path for path in start if path in travelling]
    seen = set(queue)
    while queue:
        file = queue.pop(0)
        for line, module in _imports(travelling[file], file):
            found = _file_of(module, paths, manifest.root, travelling)
            if found is None or found in seen:
                continue
            seen.add(found)
            if found in travelling:
                queue.append(found)
            else:
                problems.append(f"{file}:{line} imports {module}, but an ignore rule leaves out {found}")
    return problems


def _imports(source: Path, file: str) -> Iterator[tuple[int, str]]:
    if not file.endswith(".py"):
        return
    try:
        tree = syntax.parse(source.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    package = file.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            if base:
                yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}".strip(".")) for alias in node.names)


def _file_of(module: str, paths: Sequence[str], root: Path, travelling: Mapping[str, Path]) -> str | None:
    tail = module.replace(".", "/")
    for folder in (*paths, "."):
        for name in (f"{tail}.py", f"{tail}/__init__.py"):
            path = name if folder == "." else f"{folder}/{name}"
            if path in travelling or os.path.isfile(root / path):
                return path
    return None
