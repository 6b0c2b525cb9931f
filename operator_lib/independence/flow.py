"""One call of a program that was taken apart: what may start, starts; what the program sees, it sees in order.

The program runs in its own thread as always. A call that is proven to change nothing becomes a `Pending`, is started
when its inputs exist, and stands in its variable until somebody needs the value. Before anything that could be seen
from outside the program waits for all of them, in the order in which they are written: the first failure in that order
is raised, and what comes after it has never happened. A step for which the proof does not hold with the values that
turn up is carried out by the program itself, in its place.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from operator_lib.independence import again, launching
from operator_lib.independence.ahead import SKIP, Early, Lane
from operator_lib.independence.launching import Site
from operator_lib.independence.pending import DONE, Pending, got
from operator_lib.independence.plain import all_plain, first_fixed, is_fixed, is_plain, key
from operator_lib.independence.prover import Proof, fits
from operator_lib.independence.settings import Settings
from operator_lib.independence.steps import Steps
from operator_lib.independence.tracebacks import trimmed


class Flow(Steps):
    """What the generated code calls. One object a call; used by the thread of the program only, but for `end`."""

    inplace = operator
    """``operator.iadd`` and its like, for the generated code."""
    skip = SKIP
    """What the code of an item gives that a generator leaves out."""

    def __init__(self, settings: Settings, sites: dict[int, Site], holds: Callable[[], bool]) -> None:
        super().__init__(settings)
        self.sites = sites
        self._holds = holds
        self._sound: bool | None = None
        self._proofs: dict[int, Proof | None] = {}
        """What was found since the last change."""

    # --- what the generated code says ---------------------------------------------------------------------------------

    def __enter__(self) -> Flow:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None:
            if self.pending:
                self._drop(wait=isinstance(error, Exception))
            place = self._blamed[1] if self._blamed is not None and self._blamed[0] is error else None
            error.__traceback__ = trimmed(error.__traceback__, place)
        self._blamed = None  # else this would hold the frame that holds it, and all in it
        return False

    def call(self, number: int, callee: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call of an operator: started, or, where nothing is proven, made."""
        site = self.sites[number]
        callee = self.value(callee)
        proof = self._proof(callee)
        if proof is None:
            self.barrier()
            return self._plainly(callee, args, kwargs)
        values = (*args, *kwargs.values()) if kwargs else args
        if self.number:
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
        if not self.early:
            if not self.number:
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
        if not self.early:
            self._settle(one)
        elif one.state != DONE:
            raise Early
        return one.value

    def test(self, one: Any) -> bool:
        """``bool(one)``."""
        found = self.value(one)
        if (self.pending or self.early) and not is_plain(found):
            self.barrier()
        return self.safely(bool, (found,)) if self.pending else bool(found)

    def barrier(self) -> None:
        """All that was put off is done, in order: something follows that can be seen, or that may change things."""
        if self.early:
            raise Early
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
        if (self.pending or self.early) and not (type(found) in (tuple, list) and len(found) == count):
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
        if (self.pending or self.early) and not is_fixed(at):
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

    def consume(
        self, function: Callable[..., Any], source: Iterable[Any], body: Callable[[Any], Any], *rest: Any
    ) -> Any:
        """``function(body(x) for x in source)``: it takes one value after another, and may stop early."""
        given = [self.value(one) for one in rest]
        lane = Lane(self, source, body)

        def work() -> Any:
            try:
                return function(lane.values(), *given)
            finally:
                lane.leave()

        return self.safely(work, ())

    # --- putting off --------------------------------------------------------------------------------------------------

    def _still(self) -> bool:
        """Whether the code of the program itself looks up what it did when it was read."""
        if self._sound is None:
            self._sound = self._holds()
        return self._sound

    def _forget(self) -> None:
        super()._forget()
        self._proofs.clear()
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

    def _now(self, site: Site, callee: Any, values: tuple[Any, ...], names: tuple[str, ...], count: int) -> Any:
        target = self.settings.callee(callee)
        if not names and not self.pending:
            return site.timed(lambda: target(*values))
        kwargs = dict(zip(names, values[count:], strict=True))
        return site.timed(lambda: self.safely(lambda *args: target(*args, **kwargs), values[:count]))

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
