"""Which options hold where the program is now: those of the operators around the call, inherited down the tree."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from operator_lib import options
from operator_lib.options import Options

if TYPE_CHECKING:
    from operator_lib.engine.clock import Timer


class Rules:
    """What holds for the calls of one operator at one place of the tree."""

    __slots__ = ("acts", "kept", "options")

    def __init__(self, chosen: Options, own: Options | None, kept: tuple[Options | None, Options | None]) -> None:
        self.options = chosen
        # Whether they change anything about a call, or about the calls inside it.
        self.acts = own is not None or any(getattr(chosen, name) for name in ACTING)
        self.kept = kept  # so that their ids stay theirs


# Options that change what a call does in its own process.
ACTING = ("retries", "timeout", "cacheable", "use_ctx", "batch")


class Scope:
    """One call that is going on: its options, and what its children need of it."""

    __slots__ = ("options", "outer", "timer")

    def __init__(self, chosen: Options, outer: Scope | None = None) -> None:
        self.options = chosen
        self.outer = outer
        self.timer: Timer | None = None

    def alive(self) -> None:
        """A sign of life: the clocks of this call and of all around it start anew."""
        scope: Scope | None = self
        while scope is not None:
            if scope.timer is not None:
                scope.timer.restart()
            scope = scope.outer

    def running(self) -> Timer | None:
        """The nearest clock."""
        scope: Scope | None = self
        while scope is not None and scope.timer is None:
            scope = scope.outer
        return scope.timer if scope is not None else None


current: ContextVar[Scope | None] = ContextVar("operator_lib_scope", default=None)
# In a run's own process every thread belongs to the run, threads that the user starts included.
process: Scope | None = None

_NONE = Options()
_rules: dict[tuple[int, int], Rules] = {}
_KEEP = 4096


def here() -> Scope | None:
    """The scope of the call that is going on."""
    return current.get() or process


def rules(op: Any, outer: Scope | None) -> Rules:
    """What holds for a call of `op` inside `outer`."""
    own = options.of(op)
    above = outer.options if outer is not None else None
    key = id(above), id(own)
    found = _rules.get(key)
    if found is None:
        if len(_rules) >= _KEEP:
            _rules.clear()
        chosen = options.merge(above, own) if above is not None else own or _NONE
        found = _rules[key] = Rules(chosen, own, (above, own))
    return found
