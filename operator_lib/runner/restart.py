"""When a replica is of no more use: after a failed call, where operators ask for that, and after `FatalException`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from operator_lib import options, tree
from operator_lib.engine.process import ProcessSpec
from operator_lib.errors import FatalException

# The ends of iterators are no failures.
ENDS = (StopIteration, StopAsyncIteration, GeneratorExit)


class Restart:
    """Whether the process of an object is to be replaced."""

    def __init__(self, op: Any, spec: ProcessSpec, path_of: Callable[[BaseException], str]) -> None:
        """`path_of` gives the path of the operator that an exception comes from."""
        self.due = False  # no call starts any more
        self.go: Callable[[], None] = lambda: None  # called when that is so
        self._op = op
        self._always = spec.restart_on_error
        self._path_of = path_of

    def after(self, error: BaseException) -> None:
        """A call has failed with that."""
        if not self.due and not isinstance(error, ENDS) and self._wanted(error):
            self.due = True
            self.go()

    def _wanted(self, error: BaseException) -> bool:
        if isinstance(error, FatalException):
            return True
        if not tree.is_operator(self._op):
            return self._always
        wanted, path = self._always, self._path_of(error)
        for name, node in tree.named_operators(self._op):
            if name and (path == name or path.startswith(f"{name}.")):
                own = options.of(node)
                if own is not None and "restart_on_error" in own.given:
                    wanted = own.restart_on_error
        return wanted
