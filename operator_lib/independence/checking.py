"""`optimize(op, check=True)`: every call is made both ways, and what was declared is watched.

The plain way goes first, on a copy of the operator and its arguments, with every call of an operator that was declared
pure looked at: what it changes, and whether the same inputs give the same. Then the optimized way, for real. For
development: outside of the copy, effects happen twice.
"""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from operator_lib import options as option_rules
from operator_lib import tree
from operator_lib.engine import call as engine_call
from operator_lib.engine.record import listening
from operator_lib.errors import NotPure
from operator_lib.independence.plain import FIXED, is_array, key
from operator_lib.independence.prover import definition_of

# Values that are compared; a larger state is compared as far as this.
MOST = 50_000
_one_at_a_time = threading.RLock()

State = dict[str, Any]


def check(original: Any, fast: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `fast` gives, if plain execution gives the same.

    Raises:
        NotPure: an operator that was declared pure is not, or the two differ. Says what, and where.
        TypeError: operator or arguments cannot be copied.
    """
    with _one_at_a_time:
        try:
            twin, given, named = copy.deepcopy((original, args, kwargs))
        except Exception as problem:
            name = tree.name_of(original)
            raise TypeError(f"check=True runs {name} on a copy, and it cannot be copied: {problem}") from problem
        plain = _watched(twin, given, named)
        made = _outcome(fast, args, kwargs)
        _compare("the result", _described("result", plain), _described("result", made))
        _compare("an argument", _described("", (given, named)), _described("", (args, kwargs)))
        _compare("the state", _described("self", twin), _described("self", original))
    if isinstance(made, _Raised):
        raise made.error
    return made


class _Raised:
    """Instead of a value, an exception."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.kind = type(error).__name__
        self.args = error.args


def _outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return function(*args, **kwargs)
    except NotPure:
        raise
    except Exception as error:
        return _Raised(error)


def _compare(what: str, plain: State, fast: State) -> None:
    for place in [*plain, *(one for one in fast if one not in plain)]:
        if plain.get(place) != fast.get(place):
            raise NotPure(
                f"{what} differs: {place} is {_show(plain, place)} in plain execution and {_show(fast, place)} when "
                "optimized; an operator that was declared pure, or data that changes behind the program's back, is why"
            )


def _show(state: State, place: str) -> str:
    return repr(state[place][1])[:200] if place in state else "not there"


def _watched(twin: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The plain way, with an eye on what was declared."""
    watch = _Watch(twin)
    usual = engine_call.call
    engine_call.call = lambda op, args, kwargs: watch.call(usual, op, args, kwargs)
    try:
        with listening():
            return _outcome(twin, args, kwargs)
    finally:
        engine_call.call = usual


class _Watch:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.paths = tree.paths(root)
        self.given: dict[Any, tuple[State, Any]] = {}

    def call(self, usual: Any, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        own = option_rules.of(op)
        if own is None or not own.pure:
            return usual(op, args, kwargs)
        name = self.paths.get(id(op)) or tree.name_of(op)
        before = self._around(op, args, kwargs)
        result = usual(op, args, kwargs)
        after = self._around(op, args, kwargs)
        for place in [*before, *(one for one in after if one not in before)]:
            if before.get(place) != after.get(place):
                was, now = _show(before, place), _show(after, place)
                raise NotPure(f"{name} was declared pure, but a call of it changes {place}: {was} → {now}")
        self._same_again(name, args, kwargs, result)
        return result

    def _around(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> State:
        """All that a call could change, as far as one can see."""
        found = _described("self", self.root)
        found |= _described("an argument", (args, kwargs))
        function = definition_of(op)
        if function is not None:
            found |= _described("a default", function.__defaults__)
            found |= _described("a variable around", [_content(cell) for cell in function.__closure__ or ()])
            for module in {function.__module__, type(op).__module__}:
                found |= _globals(sys.modules.get(module))
        return found

    def _same_again(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        inputs = name, tuple(key(one) for one in args), tuple((k, key(v)) for k, v in kwargs.items())
        now = _described("the result", result)
        before, _ = self.given.setdefault(inputs, (now, (args, kwargs)))
        for place in now:
            if before.get(place) != now[place]:
                raise NotPure(
                    f"{name} was declared pure, but the same inputs gave {_show(before, place)} and then "
                    f"{_show(now, place)}"
                )


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _globals(module: Any) -> State:
    if module is None:
        return {}
    found: State = {}
    for name, value in list(vars(module).items()):
        if type(value) in FIXED or type(value) in (list, dict, set, tuple):
            found |= _described(f"the global {name}", value)
    return found


def _described(name: str, value: Any) -> State:
    """Everything in a value by its place, as something that can be compared."""
    found: State = {}
    stack: list[tuple[str, Any]] = [(name, value)]
    seen: dict[int, str] = {}
    while stack and len(found) < MOST:
        place, one = stack.pop()
        if type(one) in FIXED:
            found[place] = type(one).__name__, one if one == one else repr(one)
        elif id(one) in seen:
            found[place] = "same", seen[id(one)]
        else:
            seen[id(one)] = place
            found[place] = type(one).__name__, _inside(one)
            stack.extend(_members(place, one))
    return found


def _inside(one: Any) -> Any:
    if is_array(one):
        return one.tolist()
    if isinstance(one, _Raised):
        return one.kind
    return len(one) if isinstance(one, list | tuple | dict | set) else ""


def _members(place: str, one: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(one, dict):
        yield from ((f"{place}[{k!r}]", v) for k, v in list(one.items()))
    elif isinstance(one, list | tuple):
        yield from ((f"{place}[{i}]", v) for i, v in enumerate(one))
    elif isinstance(one, set | frozenset):
        yield from ((f"{place} contains", v) for v in sorted(one, key=repr))
    elif not isinstance(one, type | FunctionType):
        for name, value in tree.state(one).items():
            if not name.startswith(("_operator", "_options", "_managed", "__wrapped__")):
                yield f"{place}.{name}" if place else name, value
