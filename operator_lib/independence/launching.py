"""When a step starts, and where: at once here, in a thread, or in a process.

Short steps are not worth a thread. Of those that wait as many run as are allowed; those that compute are worth a
process where they can travel, for threads of one interpreter compute one after another. Which kind a step is, is
measured; what has never run is started in small numbers while one looks how busy the processor gets.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.engine import record
from operator_lib.independence import busy, processes
from operator_lib.independence.pending import DONE, FAILED, INLINE, Pending
from operator_lib.independence.threads import threads

if TYPE_CHECKING:
    from operator_lib.independence.steps import Steps

# Seconds: a step that takes less is done at once; one that takes less is not sent to a process; between two looks.
SMALL, SENT, LOOK = 200e-6, 3e-3, 3e-3
# Looks at a busy processor until it is believed.
CERTAIN = 3
# Steps of unknown length that are begun at first.
BURST = 2


class Site:
    """One call in the source, and what was seen of it."""

    __slots__ = ("busy", "line", "ran", "repeated", "seconds", "stays", "text", "turn")

    def __init__(self, text: str, line: int) -> None:
        self.text = text
        self.line = line
        self.ran = 0
        self.repeated = 0
        self.turn = 0
        self.stays = False
        """A process could not do it: what it gives is part of something here, or too large."""
        self.seconds = 0.0
        """Of a call, the last ones counting most."""
        self.busy = 0.0
        """Share of that in which it computes."""

    @property
    def small(self) -> bool:
        return self.ran > 0 and self.seconds < SMALL

    def timed(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, and a note of how long it took; of what is small anyway, of one call in eight."""
        self.turn = (self.turn + 1) & 7
        if self.turn and self.small:
            return work()
        begun, computed = time.perf_counter(), time.thread_time()
        try:
            return work()
        finally:
            self.note(time.perf_counter() - begun, time.thread_time() - computed, 1)

    def note(self, seconds: float, computed: float, together: int) -> None:
        """One call took so long, so much of it computing, while so many were going on in threads of this process."""
        share = 1.0 if self.ran == 0 else 0.3
        wanted = min(1.0, computed * max(1, together) / seconds) if seconds > 0 else 0.0
        self.seconds += share * (seconds - self.seconds)
        self.busy += share * (wanted - self.busy)
        self.ran += 1


class Watch:
    """How busy the processor gets while steps of unknown kind are going on."""

    __slots__ = ("begun", "burst", "busy", "computed", "seen")

    def __init__(self) -> None:
        self.burst = BURST
        self.busy = False
        self.seen = 0
        self.begun = 0.0
        self.computed = 0.0


def choose(flow: Steps) -> Pending | None:
    """The next step to start, taken out of those that are ready; None: nothing may start now. With the lock."""
    for one in flow.ready:
        if one.light or _may_start(flow, one):
            flow.ready.remove(one)
            one.away = leaves(flow, one)
            return one
    return None


def _may_start(flow: Steps, one: Pending) -> bool:
    if len(flow.going) >= flow.settings.most:
        return False
    if one.site.ran == 0 and not flow.watch.busy:
        return len(flow.going) < flow.watch.burst
    return not computes(flow, one) or _taken(flow, one) < flow.settings.processes


def computes(flow: Steps, one: Pending) -> bool:
    """Whether it is taken for a step that computes, and does not wait."""
    return flow.watch.busy if one.site.ran == 0 else one.site.busy > 0.5


def _taken(flow: Steps, one: Pending) -> int:
    """Processors that are taken, for a step that computes: those that do so in threads here have one together."""
    away = sum(other.away for other in flow.going)
    here = sum(not other.away and computes(flow, other) for other in flow.going)
    return away + (min(here, 1) if leaves(flow, one) else here)


def uncertain(flow: Steps) -> bool:
    """Whether a look at the processor could make something start."""
    return not flow.watch.busy and any(one.site is not None and one.site.ran == 0 for one in flow.ready)


def look(flow: Steps) -> None:
    """The program has waited a moment: were the steps that are going on waiting too, or computing?"""
    # Without this thread, which only looks.
    watch, now, computed = flow.watch, time.perf_counter(), busy.of_process() - busy.of_thread()
    if watch.begun and now - watch.begun >= LOOK / 2:
        if computed - watch.computed < 0.5 * (now - watch.begun):
            watch.burst *= 2
            watch.seen, watch.busy = 0, False
        else:
            watch.seen += 1
            watch.busy = watch.seen >= CERTAIN
    watch.begun, watch.computed = now, computed


def from_here() -> Callable[[Callable[[], Any]], Any]:
    """Carries things out in another thread as if they were called from the line of the program that is at work now."""
    inside = record.hand_over()
    around = contextvars.copy_context()
    return lambda work: around.copy().run(inside, work)


def launch(flow: Steps, one: Pending, values: tuple[Any, ...]) -> bool:
    """Start a step in a thread; one that computes has a process do it meanwhile. False: no thread is free."""
    return threads().submit(_away if one.away else _beside, flow, one, values)


def leaves(flow: Steps, one: Pending) -> bool:
    """Whether a process is to do it."""
    if one.light or one.site.stays or not one.proof.portable or flow.settings.processes < 2:
        return False
    return computes(flow, one) and (one.site.ran == 0 or one.site.seconds > SENT)


def _beside(flow: Steps, one: Pending, values: tuple[Any, ...]) -> None:
    assert one.around is not None
    begun, computed, together = time.perf_counter(), busy.of_thread(), flow.here
    try:
        one.value = one.around(lambda: one.work(*values))
        state = DONE
    except BaseException as error:
        one.error = error
        state = FAILED
    together = max(together, flow.here)  # they shared one interpreter
    one.site.note(time.perf_counter() - begun, busy.of_thread() - computed, together)
    flow.end(one, state)
    flow.start()


def _away(flow: Steps, one: Pending, values: tuple[Any, ...]) -> None:
    """In a process, and then the next one that is ready, without another thread in between."""
    following: tuple[Pending, tuple[Any, ...]] | None = one, values
    while following is not None:
        flow.end(following[0], _asked(flow, *following))
        following = flow.start(asks=True)


def _asked(flow: Steps, one: Pending, values: tuple[Any, ...]) -> int:
    """What became of it. What goes wrong there is done again by the program, which then fails in its own words."""
    assert one.around is not None
    begun = time.perf_counter()
    try:
        answer = one.around(lambda: _recorded(one, lambda: processes.call(flow, one, values)))
    except BaseException as problem:
        one.site.stays = one.site.stays or isinstance(problem, processes.Stays)
        return INLINE
    one.value, seconds = answer
    one.site.note(min(seconds, time.perf_counter() - begun), seconds, 1)
    return DONE


def _recorded(one: Pending, work: Callable[[], Any]) -> Any:
    """The call is told as one; what happens inside of it is not seen from here."""
    parent = record.here()
    if parent is None or one.callee is None:
        return work()
    frame = parent.recorder.start(one.callee[0], parent)
    try:
        return work()
    finally:
        frame.end()
