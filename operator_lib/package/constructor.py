"""Can a class be constructed without arguments? Asked before it is sent to where it will be."""

from __future__ import annotations

import inspect


def check_no_arguments(cls: type) -> None:
    """Raises the TypeError that ``cls()`` would raise for missing arguments or abstract methods; runs
    nothing.

    >>> class Needs:
    ...     def __init__(self, size, *, name): ...
    >>> check_no_arguments(Needs)
    Traceback (most recent call last):
    TypeError: Needs.__init__() missing 1 required positional argument: 'size'
    """
    if inspect.isabstract(cls):
        names = sorted(getattr(cls, "__abstractmethods__", ()))
        methods = ", ".join(f"'{name}'" for name in names)
        raise TypeError(
            f"Can't instantiate abstract class {cls.__name__} without an implementation for abstract "
            f"method{'s' * (len(names) > 1)} {methods}"
        )
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (ValueError, TypeError):  # a class of C code does not tell
        return
    needed = [p for p in parameters if p.default is p.empty]
    for kind, kinds in (
        ("positional", (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)),
        ("keyword-only", (inspect.Parameter.KEYWORD_ONLY,)),
    ):
        names = [repr(p.name) for p in needed if p.kind in kinds]
        if names:
            plural = "s" * (len(names) > 1)
            missing = f"{len(names)} required {kind} argument{plural}: {_listed(names)}"
            raise TypeError(f"{cls.__qualname__}.__init__() missing {missing}")


def _listed(names: list[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return ", ".join(names[:-1]) + f", and {names[-1]}"
