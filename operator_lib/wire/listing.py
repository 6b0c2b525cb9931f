"""Lists that a notebook shows as tables. Elsewhere, and wherever they travel, they are lists."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from operator_lib import core


class Listing(list[Any]):
    """A list, and which table of `operator_lib.notebook.tables` shows it."""

    def __init__(self, items: Iterable[Any], table: str) -> None:
        super().__init__(items)
        self._table = table

    def _repr_html_(self) -> str:
        return core.reach("notebook.tables", self._table)(self)

    def __reduce__(self) -> Any:
        return list, (list(self),)


def in_notebook() -> bool:
    """Whether this program is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return shell is not None and hasattr(shell(), "kernel")


def listed(table: str, items: list[Any]) -> list[Any]:
    """The same list, as a table where somebody can see it."""
    return Listing(items, table) if in_notebook() else items
