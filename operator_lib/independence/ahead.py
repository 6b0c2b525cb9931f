"""``sum(f(x) for x in xs)``: values one after another for whoever takes them, and those behind begun meanwhile.

Who takes values may stop early, or fail; so of what comes behind nothing may happen that can be seen. An item of which
the code turns out to have an effect, or fails, is left until it is its turn, and read anew then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from operator_lib.independence.plain import is_plain

if TYPE_CHECKING:
    from operator_lib.independence.flow import Flow

# Items that are begun before it is their turn.
MOST = 64
SKIP, _LATER = object(), object()


class Early(Exception):
    """It is not yet the turn of this."""


class Lane:
    """The values of one generator expression."""

    def __init__(self, flow: Flow, source: Iterable[Any], body: Callable[[Any], Any]) -> None:
        self.flow = flow
        self.source = iter(source)
        self.body = body
        self.most = MOST if flow.settings.parallel and not isinstance(source, GeneratorType) else 0
        """Of a source that runs code nothing is taken before its turn."""
        self.begun: deque[tuple[Any, Any, int]] = deque()
        """Items, what their code gave, and the number of the last step before."""

    def values(self) -> Iterator[Any]:
        """In order, for ``sum`` and its like."""
        flow = self.flow
        while True:
            if self.begun:
                item, made, _ = self.begun.popleft()
            else:
                try:
                    item = next(self.source)
                except StopIteration:
                    return
                made = _LATER
            if made is _LATER:
                made = self.body(item)
            if made is SKIP:
                continue
            changes = flow.changes
            self._go_ahead()
            value = flow.value(made)
            if changes != flow.changes or (self.begun and not is_plain(value)):
                self._again()
            yield value

    def _go_ahead(self) -> None:
        while len(self.begun) < self.most and not (self.begun and self.begun[-1][1] is _LATER):
            try:
                item = next(self.source)
            except StopIteration:
                return
            number = self.flow.number
            self.begun.append((item, self._early(item, number), number))

    def _early(self, item: Any, number: int) -> Any:
        self.flow.early = True
        try:
            return self.body(item)
        except Exception:
            self.flow.abandon(number)
            return _LATER
        finally:
            self.flow.early = False

    def _again(self) -> None:
        """Something has changed, or may change: what was begun has seen what was before."""
        self.leave()
        self.begun = deque((item, _LATER, number) for item, _, number in self.begun)

    def leave(self) -> None:
        """Nobody wants what was begun."""
        if self.begun:
            self.flow.abandon(self.begun[0][2])
