"""The sites of one recording: how many decisions are told, and of which of them only some.

A site tells its first `FIRST` decisions. Then it is shut: the conditions of a hot loop cost next to nothing. Twice a
second, when a recorder has something to count, sites that were shut tell `AGAIN` more, so that what a long run did last
is there, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Protocol

from operator_lib.decisions.functions import bound, marked
from operator_lib.decisions.site import Site
from operator_lib.decorator import FunctionOperator

FIRST, AGAIN = 10, 3
# Decisions told by one recording, and seconds until shut sites are heard again.
MOST, PAUSE = 10_000, 0.5
# Functions that one recording knows: a program may make new ones all the time.
FUNCTIONS = 1000

_UNKNOWN: Any = object()


class Place(Protocol):
    """Where calls are made."""

    silent: bool


# A function, and the class of the object that it is a method of.
Key = tuple[FunctionType, type | None]


class Watched:
    """A function with its sites."""

    __slots__ = ("made", "original", "owner", "sites")

    def __init__(self, original: FunctionType, owner: type | None) -> None:
        self.original = original
        self.owner = owner
        self.sites: list[Site] = []
        self.made: FunctionType | None = None
        found = marked(original, owner)
        if found is not None:
            code, spots = found
            self.sites = [Site(spot) for spot in spots]
            self.made = bound(original, code, self.sites)

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.original, self.owner

    def belong(self, log: Log) -> None:
        """Its decisions are told to `log` from here on."""
        for site in self.sites:
            site.belong(log, self, FIRST)


# Those that nobody needs at the moment, the oldest first: code that has run before is faster than a new copy of it.
_idle: dict[Key, list[Watched]] = {}
_IDLE = 250
_lock = threading.RLock()


def _take(key: Key) -> Watched:
    with _lock:
        idle = _idle.get(key)
        if idle:
            return idle.pop()
    return Watched(*key)


def _put_away(watched: Watched) -> None:
    for site in watched.sites:
        site.log = _NOBODY  # what was recorded may go
    if any(name != "__class__" for name in watched.original.__code__.co_freevars):
        return  # one of many functions, with values of its own
    if watched.key not in _idle and len(_idle) >= _IDLE:
        del _idle[next(iter(_idle))]
    _idle.setdefault(watched.key, []).append(watched)


class Log:
    """What decisions are told to. `here` gives the call that is going on, `tell` takes what is noted."""

    def __init__(
        self,
        here: Callable[[], Any],
        tell: Callable[[tuple[Any, ...]], object],
        file: Callable[[str], str],
        now: Callable[[float], float],
    ) -> None:
        self.here = here
        self.file = file
        self.left = MOST
        self.hide: Callable[[str], str] = lambda text: text
        self._tell = tell
        self._now = now
        self._watched: list[Watched] = []
        self._silent: list[Place] = []
        self._functions: dict[Key, FunctionType | None] = {}
        self._shut: dict[Site, None] = {}
        self._heard = time.perf_counter()
        self._lock = threading.RLock()  # a generator that is collected meanwhile may have something to tell

    def watch(self, run: Any, place: Place | None = None) -> Any:
        """`run`, what carries out a call: the function that tells its decisions in the place of the user's.

        Where it has none to tell, `place` is silent until others are heard again.
        """
        function = getattr(run, "__func__", run)
        if function is FunctionOperator.forward:
            function = run = run.__self__.__dict__["__wrapped__"]
        if type(function) is not FunctionType:
            return run
        key = function, None if function is run else type(run.__self__)
        made = self._functions.get(key, _UNKNOWN)
        if made is _UNKNOWN:
            made = self._make(key)
        if made is None:
            if place is not None:
                place.silent = True
                self._silent.append(place)
            return run
        return made if function is run else MethodType(made, run.__self__)

    def _make(self, key: Key) -> FunctionType | None:
        with self._lock:
            if key not in self._functions:
                if len(self._functions) >= FUNCTIONS:
                    return None
                watched = _take(key)
                watched.belong(self)
                self._watched.append(watched)
                self._functions[key] = watched.made
            return self._functions[key]

    def tell(self, site: Site, call: int, path: str, outcome: Any, values: tuple[Any, ...], missed: bool) -> None:
        """One decision."""
        self.left -= 1
        self._tell(("decision", self._now(time.perf_counter()), call, path, self, site, outcome, values, missed))
        self.use(site)

    def use(self, site: Site) -> None:
        """A site has told something, or followed a call: when it has no room left it is shut."""
        site.room -= 1
        if site.room <= 0 or self.left <= 0:
            self._shut_up(site)

    def _shut_up(self, site: Site) -> None:
        with self._lock:
            site.on = site.counts = False
            site.missed = True
            site.closed += 1
            self._shut[site] = None
            watched = site.watched
            if not any(one.on for one in watched.sites):
                self._functions[watched.key] = None

    def hear(self) -> None:
        """Let sites that were shut tell some more."""
        now = time.perf_counter()
        if now - self._heard < PAUSE or self.left <= 0 or not self._shut:
            return
        with self._lock:
            self._heard = now
            shut, self._shut = self._shut, {}
            for site in shut:
                site.room = AGAIN
                site.on = True
                self._functions[site.watched.key] = site.watched.made
            silent, self._silent = self._silent, []
            for place in silent:
                place.silent = False

    def close(self) -> None:
        """Nothing is told any more."""
        with self._lock, _lock:
            self._functions = dict.fromkeys(self._functions)
            self._shut.clear()
            for watched in self._watched:
                for site in watched.sites:
                    site.on = site.counts = False
                _put_away(watched)
            self._watched.clear()


_NOBODY = Log(lambda: None, lambda told: None, lambda file: file, lambda now: now)
