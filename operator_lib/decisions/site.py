"""One place in the source where a program decides: what the marked code of a function talks to."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from operator_lib.decisions.marking import Spot
from operator_lib.decisions.values import keep

if TYPE_CHECKING:
    from operator_lib.decisions.log import Log, Watched

# Rounds of one loop that are counted one by one.
ROUNDS = 20
# Collections that know how many rounds a loop over them has.
_VIEWS = (type({}.items()), type({}.keys()), type({}.values()))
_SIZED = frozenset({list, tuple, range, dict, set, frozenset, str, bytes, *_VIEWS})
# What a loop can go through in two parts. Not generators: an exception would not end them as early as it does.
_PARTED = _SIZED | {enumerate, zip, map, filter, reversed, type(reversed([]))}


def size(over: Any) -> int:
    """Of a collection; -1: more than Python counts."""
    try:
        return len(over)
    except OverflowError:  # range(10**30)
        return -1


class Rounds:
    """What a loop goes over, in two parts. The first is handed out once: nothing keeps a generator after its loop."""

    __slots__ = ("first", "rest")

    def __init__(self, first: Any, rest: Any) -> None:
        self.first = first
        self.rest = rest

    def take(self) -> Any:
        """The first part."""
        first, self.first = self.first, None
        return first


class Deciding:
    """A decision that is being made: in this call of a function, at this site."""

    __slots__ = ("at", "closed", "ended", "rounds", "site", "size", "values")

    def __init__(self, site: Site, at: int) -> None:
        self.site = site
        self.at = at
        self.values: list[tuple[int, Any]] = []
        self.rounds = 0
        self.size = -1
        self.ended = False
        self.closed = site.closed


class Site:
    """Hears of its decisions while `on`, and of rounds while `counts`."""

    __slots__ = ("closed", "counts", "log", "missed", "on", "room", "spot", "watched")

    log: Log
    watched: Watched

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.on = self.counts = False

    def belong(self, log: Log, watched: Watched, room: int) -> None:
        """Tell `log` the next `room` decisions."""
        self.log, self.watched, self.room = log, watched, room
        self.on = True
        self.counts = False
        self.missed = False  # some decisions before the next one were not told
        self.closed = 0  # how often rounds have stopped to be counted

    # --- conditions ------------------------------------------------------------------------------------------------

    def open(self) -> bool:
        """A condition begins to be evaluated."""
        self._begin(id(sys._getframe(1)))
        return True

    def keep(self, number: int, value: Any) -> Any:
        """An operand; gives it back."""
        one = self._find(id(sys._getframe(1)))
        if one is not None:
            one.values.append((number, keep(value, self.log.hide)))
        return value

    def done(self, outcome: bool) -> bool:
        """What it came to; gives that back."""
        self._end(id(sys._getframe(1)), outcome)
        return outcome

    def first(self) -> bool:
        """Whether another of the first rounds of a ``while`` may begin."""
        at = -id(sys._getframe(1))
        one = self._find(at) or self._begin(at)
        if one is None:
            return False
        one.rounds += 1
        return self.on and one.rounds <= ROUNDS

    def rest(self, ended: bool) -> bool:
        """Whether it goes on after the first rounds, or has come to its end (`ended`) in one of them."""
        one = self._find(-id(sys._getframe(1)))
        if one is not None:
            self._drop(one)
        return not ended

    # --- loops -----------------------------------------------------------------------------------------------------

    def enter(self, over: Any) -> Any:
        """What a loop goes over; gives it back."""
        one = self._begin(id(sys._getframe(1)))
        if one is not None:
            one.values.append((0, keep(over, self.log.hide)))
            one.size = size(over) if type(over) in _SIZED else -1
            self.counts = True
        return over

    def head(self, over: Any) -> Rounds:
        """The first rounds of what a loop goes over, where that can be parted; else all of it."""
        one = self._begin(id(sys._getframe(1)))
        if one is None:
            return Rounds(over, ())
        one.values.append((0, keep(over, self.log.hide)))
        self.counts = True
        if type(over) in _SIZED:
            one.size = size(over)
        if type(over) not in _PARTED:
            return Rounds(over, ())
        rounds = iter(over)
        return Rounds(islice(rounds, ROUNDS), rounds)

    def round(self) -> None:
        """One more round begins."""
        one = self._find(id(sys._getframe(1)))
        if one is not None:
            one.rounds += 1
            if one.rounds >= ROUNDS:
                self.counts = False
                self.closed += 1

    def over(self) -> None:
        """There was no more to go over."""
        one = self._find(id(sys._getframe(1)))
        if one is not None:
            one.ended = True

    def left(self) -> None:
        """The loop is behind us."""
        self._end(id(sys._getframe(1)), "break")

    # --- calls of functions ----------------------------------------------------------------------------------------

    def follow(self, function: Any) -> Any:
        """A function of the project is about to be called: the one that tells its decisions, too."""
        log = self.log
        if not self.on:  # since a moment ago
            return function
        log.use(self)
        return log.watch(function)

    # --- handlers, cases -------------------------------------------------------------------------------------------

    def caught(self) -> None:
        """A handler has taken an exception."""
        frame = self._frame()
        if frame is not None:
            self._tell(frame, "caught", ((0, keep(sys.exc_info()[1], self.log.hide)),))

    def subject(self, value: Any) -> Any:
        """What a `match` looks at; gives it back."""
        one = self._begin(id(sys._getframe(1)))
        if one is not None:
            one.values.append((0, keep(value, self.log.hide)))
        return value

    def case(self, number: int) -> None:
        """The case that was taken."""
        self._end(id(sys._getframe(1)), f"case {self.spot.cases[number]}")

    # --- what is open ----------------------------------------------------------------------------------------------

    def _frame(self) -> Any:
        """The call that is going on, where it is recorded by whom this site tells."""
        frame = self.log.here()
        return frame if frame is not None and frame.recorder.log is self.log else None

    def _begin(self, at: int) -> Deciding | None:
        frame = self._frame()
        if frame is None:
            return None
        going: list[Deciding] | None = frame.deciding
        if going is None:
            going = frame.deciding = []
        made = Deciding(self, at)
        if going and (stale := self._find(at)) is not None and self._drop(stale) is not None:  # it was left on the way
            self._leave(frame, stale)
        going.append(made)
        return made

    def _find(self, at: int) -> Deciding | None:
        frame = self._frame()
        going: list[Deciding] | None = frame.deciding if frame is not None else None
        if going:
            for one in reversed(going):
                if one.site is self and one.at == at:
                    return one
        return None

    def _drop(self, one: Deciding) -> Any:
        """It is not being decided any more. The call, unless that has ended meanwhile, in another thread."""
        frame = self._frame()
        going: list[Deciding] | None = frame.deciding if frame is not None else None
        try:
            (going or []).remove(one)
        except ValueError:
            return None
        return frame

    def _end(self, at: int, outcome: Any) -> None:
        one = self._find(at)
        if one is None:
            return
        frame = self._drop(one)
        if frame is None:
            return
        if self.spot.what == "for":
            outcome = self._rounds(one, "" if one.ended else outcome)
        self._tell(frame, outcome, tuple(one.values))

    def _rounds(self, one: Deciding, how: str) -> str:
        """How a loop went, in words."""
        if one.ended and one.size >= one.rounds:
            number = f"{one.size:,}"
        else:
            number = f"{one.rounds:,}" if one.closed == self.closed else f"at least {one.rounds:,}"
        words = f"{number} round{'' if number == '1' else 's'}"
        return f"{words}, {how}" if how else words

    def _leave(self, frame: Any, one: Deciding) -> None:
        if one.at >= 0:
            self._tell(frame, self._unfinished(one), tuple(one.values))

    def _unfinished(self, one: Deciding) -> str:
        """What to say of a decision that never came to its end."""
        if self.spot.what == "for":
            return self._rounds(one, "left")
        return "no case" if self.spot.what == "match" else "not decided"

    def _tell(self, frame: Any, outcome: Any, values: tuple[Any, ...]) -> None:
        missed, self.missed = self.missed, False
        frame.recorder.log.tell(self, frame.call, frame.path, outcome, values, missed)


def abandon(frame: Any) -> None:
    """A call has ended: what was being decided in it is told as it stands."""
    going: list[Deciding] = frame.deciding
    frame.deciding = None
    for one in tuple(going):
        one.site._leave(frame, one)  # pyright: ignore[reportPrivateUsage]
