"""Variables of the environment that a call brings along, and those that nobody has given a value."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping

from operator_lib.engine.turn import Hold, held
from operator_lib.errors import OptionError

# There is one environment in a process: calls that bring values of their own follow one another.
_free = threading.Lock()


class Given(Hold):
    """For the length of a call, these values in the environment of the process."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._before: dict[str, str | None] = {}
        self._alone = bool(values) and not held(Given)  # not a call within one that has brought some

    def take(self) -> None:
        if self._alone:
            _free.acquire()
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def let_go(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self._alone:
            _free.release()


def require(name: str, needed: Iterable[str]) -> None:
    """Refuse a call of `name` while a variable has no value.

    Raises:
        OptionError: names those that have none.
    """
    lacking = [variable for variable in needed if variable not in os.environ]
    if lacking:
        raise OptionError(unset(name, lacking))


def unset(name: str, lacking: list[str]) -> str:
    """What is wrong, and what to do."""
    one = lacking[0]
    return (
        f"{name}.environment_variables: no value for {', '.join(lacking)}; set it: operator-lib secrets set {one}, "
        f"give Env a default, or pass it with the call: env={{{one!r}: ...}}"
    )


def explain(name: str, known: Iterable[str], error: KeyError) -> None:
    """Say of a failed ``os.environ[...]`` which variable of `name` has no value.

    Raises:
        OptionError: it is one of those that are `known`.
    """
    if error.args and error.args[0] in known and error.args[0] not in os.environ:
        raise OptionError(unset(name, [error.args[0]])) from error
