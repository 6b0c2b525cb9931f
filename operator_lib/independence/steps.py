"""Steps that were put off: started when their inputs are there, ended in the order of the program.

Used by the thread of the program only, but for `end` and `start`. Nobody waits for a step that nobody has begun.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from operator_lib.independence import launching, processes
from operator_lib.independence.ahead import Early
from operator_lib.independence.pending import DONE, DROPPED, FAILED, INLINE, READY, RUNNING, WAITING, Pending
from operator_lib.independence.settings import Settings
from operator_lib.independence.tracebacks import here

_NOT_YET: Any = None
# Steps that the program may be ahead of what has ended.
AHEAD = 256
# Seconds in which a process may end what nobody wants any more; making another one takes as long.
GRACE = 0.3


class Steps:
    """Those of one call of a program."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pending: deque[Pending] = deque()
        self.changed: threading.Condition = _NOT_YET  # made when the first step is put off
        self.going: set[Pending] = set()
        """Steps that are being carried out."""
        self.ready: deque[Pending] = deque()
        self.number = 0
        """Of the last step that was put off."""
        self.early = False
        """What runs now may turn out not to be wanted: nothing may be seen of it."""
        self.changes = 0
        """Steps that were carried out by the program in their place, and may have changed things."""
        self.packed: dict[int, Any] = {}
        self.watch = launching.Watch()
        self._memo: dict[Any, tuple[Any, Any]] = {}
        """Calls that were made: what they gave, and what keeps their inputs from going away."""
        self._blamed: tuple[BaseException, tuple[int, int]] | None = None
        """What failed last, and where in the program that step stands."""

    def _forget(self) -> None:
        """Something may have changed."""
        self._memo.clear()
        self.packed.clear()

    def pend(self, work: Callable[..., Any], values: tuple[Any, ...]) -> Pending:
        """A step that is put off."""
        while len(self.pending) > AHEAD:
            if self.early:
                raise Early
            self._settle(self.pending[0])
        if self.changed is _NOT_YET:
            self.changed = threading.Condition()
        self.number += 1
        made = Pending(self.number, work, values, here())
        self.pending.append(made)
        return made

    def attach(self, made: Pending) -> None:
        """Note whom it waits for; start it when that is nobody."""
        with self.changed:
            for one in made.values:
                if type(one) is Pending and one.state != DONE:
                    one.followers.append(made)
                    made.missing += 1
            if made.missing == 0:
                self._open(made)
        self.start()

    def _open(self, made: Pending) -> None:
        """Its inputs are there: may it be started? Called with the lock."""
        if not self.settings.parallel and not made.light:
            made.state = INLINE
        else:
            made.state = READY
            self.ready.append(made)

    def start(self, asks: bool = False) -> tuple[Pending, tuple[Any, ...]] | None:
        """Start what may be started; a step for another process is handed to a caller that `asks`, with its values."""
        while True:
            with self.changed:
                chosen = launching.choose(self)
                if chosen is None:
                    return None
                chosen.state = RUNNING
                if not chosen.light:
                    self.going.add(chosen)
            values = chosen.resolved()
            if not self._allowed(chosen, values):
                self.end(chosen, INLINE)
            elif chosen.light:
                self.carry_out(chosen)
            elif asks and chosen.away:
                return chosen, values
            elif not launching.launch(self, chosen, values):
                with self.changed:
                    self.going.discard(chosen)
                    chosen.state = READY
                    self.ready.appendleft(chosen)
                    self.changed.notify_all()  # who waits for it does it
                return None

    def _allowed(self, chosen: Pending, values: tuple[Any, ...]) -> bool:
        try:
            return chosen.guard is None or chosen.guard(values)
        except Exception:
            return False

    def carry_out(self, chosen: Pending) -> None:
        """Here and now."""
        try:
            chosen.value = chosen.work(*chosen.resolved())
        except BaseException as error:
            chosen.error = error
            self.end(chosen, FAILED)
        else:
            self.end(chosen, DONE)

    @property
    def here(self) -> int:
        """Steps that threads of this process carry out."""
        return sum(not one.away for one in tuple(self.going))

    def end(self, chosen: Pending, state: int) -> None:
        """It has ended: who waits for it may go on."""
        with self.changed:
            self.going.discard(chosen)
            chosen.state = state
            if state == DONE:
                for follower in chosen.followers:
                    follower.missing -= 1
                    if follower.missing == 0 and follower.state == WAITING:
                        self._open(follower)
                chosen.followers.clear()
            self.changed.notify_all()

    def safely(self, work: Callable[..., Any], values: tuple[Any, ...]) -> Any:
        """Now, in the thread of the program; should it fail, what was put off before comes first."""
        try:
            return work(*values)
        except BaseException as error:
            if self.early:
                raise
            failure = error
        try:  # outside of the handler: what is raised here has no other exception behind it
            while self.pending:
                self._settle(self.pending[0])
            raise failure
        finally:
            del failure  # its traceback leads here

    # --- in order -----------------------------------------------------------------------------------------------------

    def _settle(self, wanted: Pending) -> None:
        """Everything up to `wanted` has ended, in order.

        Raises:
            BaseException: that of the first of them that failed; the ones behind it are dropped.
        """
        while self.pending and self.pending[0].number <= wanted.number:
            first = self.pending[0]
            self._wait(first)
            if first.state == INLINE:
                self._in_its_place(first)
            self.pending.popleft()
            if first.state == FAILED and not first.forgotten:
                self._drop(wait=isinstance(first.error, Exception))
                assert first.error is not None
                self._blamed, first.error = (first.error, first.place), None
                raise self._blamed[0]

    def _wait(self, one: Pending) -> None:
        """Until it has ended. Nobody has begun it: the program does so itself."""
        while True:
            with self.changed:
                back = one.state == INLINE and one.away  # a process could not do it, or failed
                if one.state in (DONE, FAILED, INLINE) and not back:
                    return
                if back or (one.state == READY and not (self.going and launching.leaves(self, one))):
                    if not back:
                        self.ready.remove(one)
                    one.state, one.away = RUNNING, False
                    if not one.light:
                        self.going.add(one)
                    break
                idle = not self.changed.wait(launching.LOOK if launching.uncertain(self) else None)
            if idle:
                launching.look(self)
            self.start()
        if not self._allowed(one, one.resolved()):
            self.end(one, INLINE)
        elif one.site is not None:
            one.site.timed(lambda: self.carry_out(one))
        else:
            self.carry_out(one)
        self.start()

    def _in_its_place(self, one: Pending) -> None:
        """Carried out by the program, with everything before it ended: it may do what it likes."""
        if one.forgotten:
            one.state = DONE
            return
        self._take_back(one.number)
        one.followers.clear()  # they wait for their place as well; and what refers to itself lives on for a while
        self._forget()
        self.changes += 1
        try:
            one.value = one.work(*one.resolved())
        except BaseException as error:
            one.error = error
            one.state = FAILED
            return
        one.state = DONE

    def _take_back(self, number: int) -> None:
        """What has been begun too early is done again, in its place: it may have seen what was not to be seen yet."""
        later = [one for one in self.pending if one.number > number]
        with self.changed:
            for one in later:
                if one.state == READY:
                    self.ready.remove(one)
                processes.stop(one)
                while one.state == RUNNING:
                    self.changed.wait()
                one.state, one.value, one.error, one.away = INLINE, None, None, False

    def abandon(self, number: int) -> None:
        """Nobody wants the steps behind this one: what has not begun does not begin."""
        if self.number == number:
            return
        with self.changed:
            for one in [one for one in self.pending if one.number > number]:
                if one.state == RUNNING:
                    one.forgotten = True
                    continue
                if one.state == READY:
                    self.ready.remove(one)
                one.state = DROPPED
                one.followers.clear()
                self.pending.remove(one)
        for inputs, (made, _) in list(self._memo.items()):
            if type(made) is Pending and made.number > number:
                del self._memo[inputs]

    def _drop(self, wait: bool) -> None:
        """Nobody wants what is left. What runs already is waited for: nothing goes on behind the program's back."""
        with self.changed:
            for one in self.pending:
                one.followers.clear()
                if one.state in (WAITING, READY, INLINE):
                    one.state = DROPPED
            self.ready.clear()
            while wait and any(one.state == RUNNING for one in self.pending):
                if not self.changed.wait(GRACE):
                    self._stop()
            if not wait:
                self._stop()
        self.pending.clear()

    def _stop(self) -> None:
        """Processes need not go on; threads cannot be told."""
        for one in self.pending:
            if one.state == RUNNING:
                processes.stop(one)
