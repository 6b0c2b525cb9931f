"""One call of a program that was taken apart: what may start, starts; what the program sees, it sees in order.

The program runs in its own thread as always. A call that is proven to change nothing becomes a `Pending`, is started
when its inputs exist, and stands in its variable until somebody needs the value. Before anything that could be seen
from outside the program waits for all of them, in the order in which they are written: the first failure in that order
is raised, and what comes after it has never happened. A step for which the proof does not hold with the values that
turn up is carried out by the program itself, in its place.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from operator_lib.independence import again, launching
from operator_lib.independence.launching import Site
from operator_lib.independence.pending import DONE, DROPPED, FAILED, INLINE, READY, RUNNING, WAITING, Pending, got
from operator_lib.independence.plain import all_plain, first_fixed, is_fixed, is_plain, key
from operator_lib.independence.prover import Proof, fits
from operator_lib.independence.settings import Settings
from operator_lib.independence.tracebacks import here, trimmed

_NOT_YET: Any = None
# Steps that the program may be ahead of what has ended.
AHEAD = 256


class Flow:
    """What the generated code calls. One object a call; used by the thread of the program only, but for `end`."""

    inplace = operator
    """``operator.iadd`` and its like, for the generated code."""

    def __init__(self, settings: Settings, sites: dict[int, Site], holds: Callable[[], bool]) -> None:
        self.settings = settings
        self.sites = sites
        self.pending: deque[Pending] = deque()
        self.changed: threading.Condition = _NOT_YET  # made when the first step is put off
        self.running = 0
        self.ready: deque[Pending] = deque()
        self._numbers = 0
        self._memo: dict[Any, tuple[Any, Any]] = {}
        self._holds = holds
        self._sound: bool | None = None
        self._proofs: dict[int, Proof | None] = {}
        """What was found since the last change."""
        self.packed: dict[int, Any] = {}
        self.watch = launching.Watch()
        self._blamed: tuple[BaseException, tuple[int, int]] | None = None
        """What failed last, and where in the program that step stands."""

    # --- what the generated code says ---------------------------------------------------------------------------------

    def __enter__(self) -> Flow:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None:
            if self.pending:
                self._drop(wait=isinstance(error, Exception))
            place = self._blamed[1] if self._blamed is not None and self._blamed[0] is error else None
            error.__traceback__ = trimmed(error.__traceback__, place)
        return False

    def call(self, number: int, callee: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call of an operator: started, or, where nothing is proven, made."""
        site = self.sites[number]
        proof = self._proof(callee)
        if proof is None:
            self.barrier()
            return self._plainly(callee, args, kwargs)
        values = (*args, *kwargs.values()) if kwargs else args
        if self._numbers:
            if self._waits(values):
                return self._put(site, callee, proof, values, tuple(kwargs), len(args))
            values = tuple([got(one) for one in values])
        if not fits(proof, values, len(args), tuple(kwargs)):
            self.barrier()
            return self._plainly(callee, args, kwargs)
        small = site.small or not self.settings.parallel
        if not self.settings.dedupe or (small and not proof.declared and self.settings.parallel):
            return self._begun(small, site, callee, proof, values, tuple(kwargs), len(args))
        inputs = id(callee), len(args), tuple(kwargs), tuple([key(one) for one in values])
        same = self._memo.get(inputs)
        if same is not None:
            return again.again(self, same[0], site, callee, proof, values, tuple(kwargs), len(args))
        made = self._begun(small, site, callee, proof, values, tuple(kwargs), len(args))
        self._memo[inputs] = made, (callee, values)
        return made

    def _begun(
        self,
        small: bool,
        site: Site,
        callee: Any,
        proof: Proof,
        values: tuple[Any, ...],
        names: tuple[str, ...],
        count: int,
    ) -> Any:
        """A call that is done at once where it is short, else put off."""
        if small:
            return self._now(site, callee, values, names, count)
        return self._put(site, callee, proof, values, names, count)

    def code(self, work: Callable[..., Any], *values: Any) -> Any:
        """A piece of code that changes nothing as long as `values` are data: now, or when they are there."""
        return self._work(work, values, all_plain)

    def augment(self, work: Callable[..., Any], *values: Any) -> Any:
        """``x += ...``: rebinds a number, but changes a list."""
        return self._work(work, values, first_fixed)

    def _work(
        self, work: Callable[..., Any], values: tuple[Any, ...], harmless: Callable[[tuple[Any, ...]], bool]
    ) -> Any:
        """A piece of code that changes nothing where its values are `harmless`."""
        if not self._numbers:
            return work(*values)
        if not self.pending:
            return work(*[got(one) for one in values])
        if self._waits(values):
            made = self.pend(work, values)
            made.guard, made.light = harmless, True
            self.attach(made)
            return made
        values = tuple(got(one) for one in values)
        if not self._still() or not harmless(values):
            self.barrier()
            return work(*values)
        return self.safely(work, values)

    def value(self, one: Any) -> Any:
        """What a variable holds, when it is needed."""
        if type(one) is not Pending:
            return one
        self._settle(one)
        return one.value

    def test(self, one: Any) -> bool:
        """``bool(one)``."""
        found = self.value(one)
        if self.pending and not is_plain(found):
            self.barrier()
        return self.safely(bool, (found,)) if self.pending else bool(found)

    def barrier(self) -> None:
        """All that was put off is done, in order: something follows that can be seen, or that may change things."""
        while self.pending:
            self._settle(self.pending[0])
        if self._sound is not None:
            self._forget()

    def got(self, one: Any) -> Any:
        """What a variable holds after a `barrier`."""
        return one.value if type(one) is Pending else one

    def finish(self, one: Any) -> Any:
        """``return one``."""
        self.barrier()
        return one.value if type(one) is Pending else one

    def unpack(self, one: Any, count: int) -> Any:
        """The value, for an assignment to `count` names; what does not fit fails in its turn."""
        found = self.value(one)
        if self.pending and not (type(found) in (tuple, list) and len(found) == count):
            self.barrier()
        return found

    def iterate(self, work: Callable[..., Any], *values: Any) -> Iterable[Any]:
        """What a ``for`` goes through. Where going through it may run code of somebody's, nothing is under way then."""
        given = tuple(self.value(one) for one in values)
        if not self._still() or not all_plain(given):
            self.barrier()
            return self._slowly(work(*given))
        return self.safely(work, given) if self.pending else work(*given)

    def _slowly(self, source: Any) -> Iterator[Any]:
        iterator = iter(source)
        while True:
            self.barrier()
            try:
                one = next(iterator)
            except StopIteration:
                return
            yield one

    def append(self, holder: Any, one: Any) -> None:
        """``holder.append(one)``, on a list that nobody else has seen."""
        self.value(holder).append(one)

    def put(self, holder: Any, place: Any, one: Any) -> None:
        """``holder[place] = one``, in a dict that nobody else has seen."""
        found, at = self.value(holder), self.value(place)
        if self.pending and not is_fixed(at):
            self.barrier()
        self.safely(lambda: found.__setitem__(at, one), ()) if self.pending else found.__setitem__(at, one)

    def gather(self, holder: Any) -> Any:
        """The list or dict with values in place of what is pending."""
        if type(holder) is Pending:
            return holder
        places = list(holder.items() if type(holder) is dict else enumerate(holder))
        open_ones = [(at, one) for at, one in places if type(one) is Pending]
        if not open_ones:
            return holder

        def fill(*values: Any) -> Any:
            for (at, _), value in zip(open_ones, values, strict=True):
                holder[at] = value
            return holder

        if not self._waits(tuple(one for _, one in open_ones)):
            return fill(*[one.value for _, one in open_ones])
        made = self.pend(fill, tuple(one for _, one in open_ones))
        made.light = True
        self.attach(made)
        return made

    def consume(self, function: Callable[..., Any], holder: list[Any], *rest: Any) -> Any:
        """``function(x for x in holder)``: it takes one value after another, and may stop early."""
        given = [self.value(one) for one in rest]
        taken = 0

        def stream() -> Iterator[Any]:
            nonlocal taken
            for one in holder:
                taken += 1
                yield self.value(one)

        try:
            return self.safely(lambda: function(stream(), *given), ())
        finally:
            for one in holder[taken:]:
                if type(one) is Pending:
                    one.forgotten = True

    # --- putting off --------------------------------------------------------------------------------------------------

    def _still(self) -> bool:
        """Whether the code of the program itself looks up what it did when it was read."""
        if self._sound is None:
            self._sound = self._holds()
        return self._sound

    def _forget(self) -> None:
        """Something may have changed."""
        self._memo.clear()
        self._proofs.clear()
        self.packed.clear()
        self._sound = None

    def _proof(self, callee: Any) -> Proof | None:
        """That calls of `callee` change nothing, looked at again after every change."""
        if not self._still():
            return None
        if id(callee) not in self._proofs:
            self._proofs[id(callee)] = self.settings.proof(callee)
        return self._proofs[id(callee)]

    def _waits(self, values: tuple[Any, ...]) -> bool:
        return any(type(one) is Pending and one.state != DONE for one in values)

    def _plainly(self, callee: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        target = self.settings.callee(callee)
        return target(*[got(one) for one in args], **{name: got(one) for name, one in kwargs.items()})

    def safely(self, work: Callable[..., Any], values: tuple[Any, ...]) -> Any:
        """Now, in the thread of the program; should it fail, what was put off before comes first."""
        try:
            return work(*values)
        except BaseException as error:
            failure = error
        while self.pending:  # outside of the handler: what is raised here has no other exception behind it
            self._settle(self.pending[0])
        raise failure

    def _now(self, site: Site, callee: Any, values: tuple[Any, ...], names: tuple[str, ...], count: int) -> Any:
        target = self.settings.callee(callee)
        if not names and not self.pending:
            return site.timed(lambda: target(*values))
        kwargs = dict(zip(names, values[count:], strict=True))
        return site.timed(lambda: self.safely(lambda *args: target(*args, **kwargs), values[:count]))

    def pend(self, work: Callable[..., Any], values: tuple[Any, ...]) -> Pending:
        while len(self.pending) > AHEAD:
            self._settle(self.pending[0])
        if self.changed is _NOT_YET:
            self.changed = threading.Condition()
        self._numbers += 1
        made = Pending(self._numbers, work, values, here(__name__))
        self.pending.append(made)
        return made

    def _put(
        self, site: Site, callee: Any, proof: Proof, values: tuple[Any, ...], names: tuple[str, ...], count: int
    ) -> Pending:
        def work(*given: Any) -> Any:
            target = self.settings.callee(callee)
            return target(*given[:count], **dict(zip(names, given[count:], strict=True)))

        made = self.pend(work, values)
        made.site, made.proof = site, proof
        made.callee = callee, names, count
        made.guard = lambda given: fits(proof, given, count, names)
        made.around = launching.from_here()
        self.attach(made)
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

    def start(self) -> None:
        """Start what may be started."""
        while True:
            with self.changed:
                chosen = launching.choose(self)
                if chosen is None:
                    return
                chosen.state = RUNNING
                self.running += not chosen.light
            self._begin(chosen)

    def _begin(self, chosen: Pending) -> None:
        values = chosen.resolved()
        try:
            allowed = chosen.guard is None or chosen.guard(values)
        except Exception:
            allowed = False
        if not allowed:
            self._end(chosen, INLINE)
        elif chosen.light:
            self.carry_out(chosen)
        else:
            launching.launch(self, chosen, values)

    def carry_out(self, chosen: Pending) -> None:
        """Here and now."""
        try:
            chosen.value = chosen.work(*chosen.resolved())
        except BaseException as error:
            chosen.error = error
            self._end(chosen, FAILED)
        else:
            self._end(chosen, DONE)

    def end(self, chosen: Pending, state: int) -> None:
        """It has ended, in a thread of its own."""
        self._end(chosen, state)
        self.start()

    def _end(self, chosen: Pending, state: int) -> None:
        """Who waits for it may go on."""
        with self.changed:
            self.running -= not chosen.light
            chosen.state = state
            if state == DONE:
                for follower in chosen.followers:
                    follower.missing -= 1
                    if follower.missing == 0 and follower.state == WAITING:
                        self._open(follower)
                chosen.followers.clear()
            self.changed.notify_all()

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
                self._blamed = first.error, first.place
                raise first.error

    def _wait(self, one: Pending) -> None:
        """Until it has ended. Nobody has begun it: the program does so itself."""
        while True:
            with self.changed:
                if one.state in (DONE, FAILED, INLINE):
                    return
                if one.state == READY and not launching.leaves(self, one):
                    one.state = RUNNING
                    self.ready.remove(one)
                    self.running += not one.light
                    break
                idle = not self.changed.wait(launching.LOOK)
            if idle:
                launching.look(self)
            self.start()
        if one.guard is not None and not one.guard(one.resolved()):
            self._end(one, INLINE)
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
        self._forget()
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
                while one.state == RUNNING:
                    self.changed.wait()
                one.state, one.value, one.error = INLINE, None, None

    def _drop(self, wait: bool) -> None:
        """Nobody wants what is left. What runs already is waited for: nothing goes on behind the program's back."""
        with self.changed:
            for one in self.pending:
                if one.state in (WAITING, READY, INLINE):
                    one.state = DROPPED
            self.ready.clear()
            while wait and any(one.state == RUNNING for one in self.pending):
                self.changed.wait()
        self.pending.clear()
