"""Whether functions call themselves, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def recursive(edges: Mapping[str, Iterable[str]]) -> bool:
    """Whether one of the functions leads back to itself.

    Args:
        edges: of every function by its label the labels of those that it calls, or of those that call it.

    >>> recursive({"even": ["odd"], "odd": ["even"], "main": []}), recursive({"main": ["f"], "f": []})
    (True, False)
    """
    for label in edges:
        seen: set[str] = set()
        waiting = list(edges[label])
        while waiting:
            name = waiting.pop()
            if name == label:
                return True
            if name not in seen:
                seen.add(name)
                waiting += edges[name]
    return False
