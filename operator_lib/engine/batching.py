"""One call of `forward` for several calls of an operator: what it gets, what each caller gets, and whose fault it was.

Every argument that the callers give arrives as a list, in the order of the calls; what comes back is a list with a
result for each. An exception among the results is that caller's alone. When `forward` itself raises, the batch is split
until the calls are found that make it fail: the others have their results, at the cost of being computed again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from operator_lib.engine.steps import Invoke, Steps, drive
from operator_lib.errors import FatalException

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


# Stands for the result of a call that is to be carried out by itself.
APART: Any = object()


@dataclass(frozen=True, slots=True)
class Failed:
    """Stands for the result of a call that has none."""

    error: BaseException


def kind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
    """Calls of the same kind may share a batch: they give the same arguments, and arrays of the same shape and type."""
    return tuple(map(_form, args)), tuple((name, _form(kwargs[name])) for name in sorted(kwargs))


def _form(value: Any) -> Hashable:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return (tuple(shape), str(dtype)) if isinstance(shape, tuple) and dtype is not None else None


def single(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function`, which takes lists, as one that takes what they hold: a batch of one."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return drive(_single(function, (args, kwargs), name))

    return call


def _single(function: Callable[..., Any], given: Arguments, name: str) -> Steps:
    (found,) = yield from outcomes(function, [given], name)
    if isinstance(found, Failed):
        raise found.error
    return found


def outcomes(
    function: Callable[..., Any], calls: Sequence[Arguments], name: str, alone: Callable[..., Any] | None = None
) -> Steps:
    """The result of each call, or `Failed`. All are of one `kind`.

    Args:
        name: what messages call the function.
        alone: carries out a call that is the only one, of its batch or of what a batch was split into, and one whose
            result is `APART`.

    Raises:
        FatalException: the process is of no more use, to nobody.
    """
    if len(calls) == 1 and alone is not None:
        return [(yield from _by_itself(alone, calls[0]))]
    args = [list(column) for column in zip(*(args for args, _ in calls), strict=True)]
    kwargs = {key: [kwargs[key] for _, kwargs in calls] for key in calls[0][1]}
    try:
        returned = yield Invoke(functools.partial(function, *args, **kwargs))
    except FatalException:
        raise
    except Exception as error:
        if len(calls) == 1:
            return [Failed(error)]
        half = len(calls) // 2
        first = yield from outcomes(function, calls[:half], name, alone)
        return first + (yield from outcomes(function, calls[half:], name, alone))
    try:
        results = checked(returned, len(calls), name)
    except (TypeError, ValueError) as error:
        return [Failed(error)] * len(calls)
    found: list[Any] = []
    for call, result in zip(calls, results, strict=True):
        if result is APART and alone is not None:
            found.append((yield from _by_itself(alone, call)))
        else:
            found.append(Failed(result) if isinstance(result, BaseException) else result)
    return found


def _by_itself(alone: Callable[..., Any], call: Arguments) -> Steps:
    try:
        return (yield Invoke(functools.partial(alone, *call[0], **call[1])))
    except FatalException:
        raise
    except Exception as error:
        return Failed(error)


def checked(returned: Any, count: int, name: str) -> Sequence[Any]:
    """What a batch has returned, when it is one result for each of `count` calls.

    Raises:
        TypeError: it is no sequence. ValueError: it has another length.
    """
    plain = isinstance(returned, (str, bytes, bytearray, dict, set, frozenset))
    if plain or not (hasattr(returned, "__len__") and hasattr(returned, "__getitem__")):
        got = type(returned).__name__  # pyright: ignore[reportUnknownArgumentType]
        raise TypeError(f"{name} has the option batch: it must return a list with a result for each call, got {got}")
    if len(returned) != count:
        problem = f"{name} returned {len(returned)} results for a batch of {count}"
        raise ValueError(f"{problem}: it must return one for each call, in order")
    rows = getattr(returned, "iloc", returned)  # of a data frame, one row each
    return [rows[index] for index in range(count)]
