"""The refusal of a folder that is too large: what is large in it, and the patterns that leave it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def human(count: int) -> str:
    """Bytes in decimal units.

    >>> human(812), human(3_100), human(500_000_000)
    ('812 bytes', '3.1 kB', '500 MB')
    """
    value, unit = float(count), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    text = f"{value:.1f}".removesuffix(".0") if unit else str(count)
    return f"{text} {_UNITS[unit]}"


def largest(sizes: Iterable[tuple[str, int]], top: int = 5) -> list[tuple[str, int]]:
    """The `top` heaviest (path, weight): a folder as a whole, unless one thing in it makes up most of its
    weight.
    """
    weights: dict[str, int] = {}
    inner: dict[str, set[str]] = {"": set()}
    for path, weight in sizes:
        parts = path.split("/")
        above = ""
        for n in range(len(parts)):
            here = "/".join(parts[: n + 1]) + ("/" if n + 1 < len(parts) else "")
            weights[here] = weights.get(here, 0) + weight
            inner.setdefault(above, set()).add(here)
            above = here
    chosen = [_heart(path, weights, inner) for path in inner[""]]
    chosen.sort(key=lambda path: (-weights[path], path))
    return [(path, weights[path]) for path in chosen[:top]]


def _heart(path: str, weights: dict[str, int], inner: dict[str, set[str]]) -> str:
    while inner.get(path):
        heaviest = max(sorted(inner[path]), key=weights.__getitem__)
        if weights[heaviest] < 0.8 * weights[path]:
            break
        path = heaviest
    return path


def refusal(what: str, heavy: list[tuple[str, int]], show: Callable[[int], str]) -> str:
    """The message: `what` is too much, what is heavy, what to write into ``.nboxignore``."""
    width = max(len(show(weight)) for _, weight in heavy)
    rows = "\n".join(f"  {show(weight):>{width}}  {path}" for path, weight in heavy)
    patterns = "\n".join(f"  /{escape(path)}" for path, _ in heavy)
    return (
        f"{what}. The largest:\n{rows}\n"
        f"Leave out what the operator does not need, by these lines in .nboxignore:\n{patterns}\n"
        "What it does need: name it in include=, or raise max_upload=."
    )


def escape(path: str) -> str:
    """`path` as a pattern that means it alone."""
    text = "".join("\\" + c if c in "\\*?[" else c for c in path)
    return text[:-1] + "\\ " if text.endswith(" ") else text
