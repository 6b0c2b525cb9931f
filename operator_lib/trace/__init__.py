"""Source to graph. `build` for live operators, `build_from_file` for files that are not imported."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operator_lib.trace.dag import DAG


def build(target: Any) -> DAG:
    """The graph of an operator, a class or a function. Runs nothing of the user's, imports nothing.

    The result is kept, and given again as long as source and tree are the same.
    """
    return importlib.import_module("operator_lib.trace.cache").build(target)


def build_from_file(file: str | os.PathLike[str], name: str) -> DAG:
    """The graph of the class or function `name` of a Python file, from its text alone.

    Raises:
        ValueError: the file cannot be parsed, or defines no such name.
    """
    return importlib.import_module("operator_lib.trace.assemble").from_file(os.fspath(file), name)
