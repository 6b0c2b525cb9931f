"""A user's project to deploy: a folder with one module, there for the length of a block."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from types import ModuleType

_numbers = itertools.count()


@contextlib.contextmanager
def module(source: str) -> Generator[ModuleType]:
    """`source` as an imported module in a folder of its own: new to every worker, and nothing else travels with it."""
    name = f"benchmark_subject_{next(_numbers)}"
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as folder:
        Path(folder, f"{name}.py").write_text(f"# {folder}\n{source}")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield importlib.import_module(name)
        finally:
            sys.path.remove(folder)
            sys.modules.pop(name, None)
