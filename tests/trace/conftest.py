"""Programs written to files, imported, and taken away again."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

_numbers = itertools.count()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., ModuleType]]:
    """``write(source)`` imports a new module; ``write(source, name="helpers")`` one with that name."""
    made: list[str] = []
    sys.path.insert(0, str(tmp_path))

    def write(source: str, name: str = "") -> ModuleType:
        name = name or f"program_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source).lstrip("\n"))
        importlib.invalidate_caches()
        sys.modules.pop(name, None)
        made.append(name)
        return importlib.import_module(name)

    yield write
    sys.path.remove(str(tmp_path))
    for name in made:
        sys.modules.pop(name, None)
