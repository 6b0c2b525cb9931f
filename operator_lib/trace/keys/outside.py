"""What comes from outside of the user's project: told by where it lives, and known by the version of its package."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import sys
from importlib import metadata
from types import ModuleType
from typing import Any

from operator_lib.trace.source import _OUTSIDE  # pyright: ignore[reportPrivateUsage]

OURS = "operator_lib"
_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))) + os.sep
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def top(module: str | None) -> str:
    """``numpy`` of ``numpy.linalg``."""
    return (module or "").partition(".")[0]


@functools.lru_cache(4096)
def installed(filename: str) -> bool:
    """Whether a file belongs to Python, to an installed package or to this library."""
    if filename.startswith("<frozen") or "site-packages" in filename or "dist-packages" in filename:
        return True
    if filename.startswith("<"):
        return False
    real = os.path.realpath(filename)
    return real.startswith(_HERE) or any(real.startswith(folder + os.sep) for folder in _OUTSIDE)


def is_outside(name: str | None, filename: str = "") -> bool:
    """Whether the code of module `name` (or of a file) is not the user's."""
    first = top(name)
    if first in sys.stdlib_module_names and first != "__main__":
        return True
    if filename and not filename.startswith("<"):
        return installed(filename)
    if name == "__main__":
        return False
    module = sys.modules.get(name or "")
    file = getattr(module, "__file__", None)
    if module is None or file is not None:
        return file is not None and installed(file)
    # Compiled into the interpreter, or a package without files of its own (a namespace).
    paths = list(getattr(module, "__path__", ()))
    return all(map(installed, paths)) if paths else _built_in(module)


def _built_in(module: ModuleType) -> bool:
    return getattr(getattr(module, "__spec__", None), "origin", None) in ("built-in", "frozen")


def foreign(thing: Any) -> bool:
    """Whether a class, function or module is not the user's."""
    if isinstance(thing, ModuleType):
        return is_outside(thing.__name__, getattr(thing, "__file__", None) or "")
    code = getattr(thing, "__code__", None)
    return is_outside(getattr(thing, "__module__", None), code.co_filename if code is not None else "")


@functools.cache
def version(package: str) -> str:
    """What identifies an importable top-level package: its distribution's version, and those that it needs.

    Python's own modules go by the version of Python: empty.
    """
    if not package or package in sys.stdlib_module_names:
        return ""
    names = [package] if _distribution(package) else _providers().get(package, [])
    if names:
        found: dict[str, str] = {}
        for name in names:
            _needed(name, found, deep=package != OURS)
        return ",".join(f"{name}=={found[name]}" for name in sorted(found))
    module = sys.modules.get(package)
    said = getattr(module, "__version__", None)
    return f"{package}=={said}" if isinstance(said, str) else f"{package}@{_file_hash(module)}"


def _needed(name: str, found: dict[str, str], deep: bool) -> None:
    canonical = re.sub(r"[-_.]+", "-", name).lower()
    distribution = _distribution(name)
    if distribution is None or canonical in found:
        return
    found[canonical] = distribution.version
    for line in distribution.requires or () if deep else ():
        wanted = _NAME.match(line)
        if wanted is not None and "extra ==" not in line and "extra==" not in line:
            _needed(wanted.group(), found, deep)


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


@functools.cache
def _providers() -> dict[str, list[str]]:
    return {package: sorted(set(names)) for package, names in metadata.packages_distributions().items()}


def _file_hash(module: Any) -> str:
    file = getattr(module, "__file__", None)
    try:
        with open(file or os.devnull, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return "?"
