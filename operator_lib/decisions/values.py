"""What a value looked like when a program decided by it. No code of the user's runs: no `repr`, no attribute."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

# Immutable, and said in full: these are kept as they are, and written when somebody reads them.
SCALARS = frozenset({bool, int, float, complex, type(None), str, bytes})
# Characters of one value, items of a collection.
LENGTH, ITEMS = 120, 4
# Longer strings are described at once: what is kept must not keep a large value alive.
KEPT = 4096
# Of an int.
BITS = 400

_WORDS = "api[-_]?key|token|password|passwd|passphrase|secret|credential|private[-_]?key|authorization|cookie"
_SECRET = re.compile(rf"(?i)(^|[-._\[\"'])\w*?({_WORDS})s?\b")
HIDDEN = "***"

Hide = Callable[[str], str]


class Said(str):
    """The description of a value, in its place."""

    __slots__ = ()


def keep(value: Any, hide: Hide) -> Any:
    """What is noted of an operand: itself where that is safe and small, else its description."""
    kind: Any = type(value)
    if kind in SCALARS:
        if kind is int:
            return value if value.bit_length() <= BITS else Said(_text(value, hide))
        return value if kind not in (str, bytes) or len(value) <= KEPT else Said(_text(value, hide))
    return Said(describe(value, hide))


def describe(value: Any, hide: Hide, depth: int = 2) -> str:
    """In words: scalars as Python writes them, collections by their first items, everything else by its class.

    `hide` takes secrets out of texts, before they are cut.
    """
    kind: Any = type(value)
    if kind in SCALARS:
        return _text(value, hide)
    if kind in _BRACKETS and depth:
        return _collection(value, kind, hide, depth)
    if kind is range:
        return f"range({', '.join(_text(one, hide) for one in _bounds(value))})"
    if kind.__module__ == "numpy" and (said := _of_numpy(value, kind, hide)):
        return said
    if issubclass(kind, BaseException):
        return raised(value, hide)
    return f"<{kind.__qualname__}>"


def _text(value: Any, hide: Hide) -> str:
    kind: Any = type(value)
    if kind is int and value.bit_length() > BITS:
        return f"<int of {value.bit_length():,} bits>"
    if kind is bytes:
        return hide(repr(value)) if len(value) <= LENGTH else f"<{len(value):,} bytes>"
    if kind is not str:
        return repr(value)
    if len(value) > KEPT:
        return f"<str of {len(value):,} characters>"
    hidden = hide(value)
    return repr(hidden) if len(hidden) <= LENGTH else f"{hidden[:LENGTH]!r}… ({len(value):,} characters)"


def _bounds(value: range) -> tuple[int, ...]:
    ends = value.start, value.stop
    return ends if value.step == 1 else (*ends, value.step)


def _of_numpy(value: Any, kind: Any, hide: Hide) -> str:
    """ "" for what is no array and no scalar."""
    numpy: Any = sys.modules["numpy"]
    if issubclass(kind, numpy.ndarray):
        return f"<{kind.__name__} {'x'.join(map(str, value.shape))} {value.dtype.str[1:]}>"
    if not issubclass(kind, numpy.generic):
        return ""
    item = value.item()
    return f"<{kind.__name__} {_text(item, hide)}>" if type(item) in SCALARS else f"<{kind.__name__}>"


_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", dict: "{}", set: "{}", frozenset: "{}"}


def _collection(value: Any, kind: type, hide: Hide, depth: int) -> str:
    size = len(value)
    if kind is dict:
        items: Iterable[Any] = (
            f"{describe(key, hide, depth - 1)}: {_item(key, item, hide, depth - 1)}"
            for key, item in islice(value.items(), ITEMS)
        )
    else:
        items = (describe(item, hide, depth - 1) for item in islice(value, ITEMS))
    try:
        inside = ", ".join(items)
    except RuntimeError:  # another thread is changing it
        return f"<{kind.__name__} of {size:,}>"
    if size > ITEMS or len(inside) > LENGTH:
        return f"<{kind.__name__} of {size:,}: {inside[:LENGTH]}…>"
    if not size and kind in (set, frozenset):
        return f"{kind.__name__}()"
    left, right = _BRACKETS[kind]
    inside += "," if kind is tuple and size == 1 else ""
    return f"frozenset({{{inside}}})" if kind is frozenset else f"{left}{inside}{right}"


def _item(key: Any, item: Any, hide: Hide, depth: int) -> str:
    return HIDDEN if type(key) is str and secret(key) else describe(item, hide, depth)


def raised(error: BaseException, hide: Hide) -> str:
    """An exception by its class and plain arguments: its own `__str__` is the user's."""
    args = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    said = ", ".join(describe(one, hide, 1) for one in args[:ITEMS])
    return f"{type(error).__qualname__}({said})"


def secret(source: str) -> bool:
    """Whether an operand is called like something that must not be shown."""
    return _SECRET.search(source) is not None
