"""Whose options hold: those of an object, of its class, and of the operators above it."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from operator_lib.options.record import Options

# class -> (the `_options` seen then, the answer). A class that is decorated later has another `_options`.
_CLASSES: WeakKeyDictionary[type, tuple[Any, Options | None]] = WeakKeyDictionary()


def of(obj: object) -> Options | None:
    """The options said on `obj`, a class or anything else; None when nothing was said.

    An object's own `_options` come first, then those of the nearest class in its MRO that says any. Where one
    class says several, `_options` (from a decorator) beats ``class Options:``, then ``options = dict(...)``.

    Raises:
        OptionError: ``class Options`` or ``options`` of a class hold a mistake.
    """
    if isinstance(obj, type):
        return _of_class(obj)
    own: Any = getattr(obj, "__dict__", {}).get("_options")
    return own if isinstance(own, Options) else _of_class(type(obj))


def _of_class(cls: type) -> Options | None:
    marker: Any = getattr(cls, "_options", None)
    known = _CLASSES.get(cls)
    if known is not None and known[0] is marker:
        return known[1]
    found = None
    for base in cls.__mro__:
        found = _said_on(base)
        if found is not None:
            break
    _CLASSES[cls] = (marker, found)
    return found


def _said_on(cls: type) -> Options | None:
    space = cls.__dict__
    nested, plain, decorated = space.get("Options"), space.get("options"), space.get("_options")
    said: dict[str, Any] = dict(plain) if isinstance(plain, dict) else {}
    written = isinstance(plain, dict)
    if isinstance(nested, type) and nested is not Options:
        written = True
        said.update(_attributes(nested))
    if not written:
        return decorated if isinstance(decorated, Options) else None
    from operator_lib.options.parse import parse

    read = parse(cls.__name__, {str(name): value for name, value in said.items()})
    if not isinstance(decorated, Options):
        return read
    return Options._of_checked({**read.__dict__, **decorated.__dict__})


def _attributes(nested: type) -> dict[str, Any]:
    """Attributes of a nested class and of those it is derived from; the nearest wins."""
    found: dict[str, Any] = {}
    for base in reversed(nested.__mro__[:-1]):
        for name, value in base.__dict__.items():
            if not name.startswith("_"):
                # A function in a class body may be a staticmethod here.
                found[name] = value.__func__ if isinstance(value, staticmethod) else value
    return found


def merge(parent: Options | None, child: Options | None) -> Options:
    """What holds for a child: its own options, then what it inherits from `parent` (already merged)."""
    own = child.__dict__ if child is not None else {}
    if parent is None:
        return child if child is not None else Options()
    from operator_lib.options.table import TABLE

    inherited = {name: value for name, value in parent.__dict__.items() if TABLE[name].inherited}
    return Options._of_checked({**inherited, **own})


def with_given(options: Options | None, owner: str = "", /, **changes: Any) -> Options:
    """`options` with `changes` in place of what was said before.

    Raises:
        OptionError: a change is wrong, or does not fit what was there.
    """
    from operator_lib.options.parse import parse

    return parse(owner, changes, options)
