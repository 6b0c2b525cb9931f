"""`Run`: one execution, as a ``concurrent.futures.Future`` that can also tell its story."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from operator_lib import core
from operator_lib.decisions import Decision, read
from operator_lib.engine.events import TERMINAL, Event, log_text
from operator_lib.errors import Cancelled, NotFound, NotReady

if TYPE_CHECKING:
    from operator_lib.trace.dag import DAG


class RunCancelled(Cancelled, CancelledError):
    """`Run.result` of a cancelled run; caught as either of its bases."""


class Run(Future[Any]):
    """One execution of an operator. Works with ``concurrent.futures.wait``, ``as_completed``, ``asyncio.wrap_future``.

    Attributes:
        id: unique; on a worker it can be given to ``operator-lib show``.
        job: the name of the job, of a local run that of the operator.
    """

    id: str
    job: str

    def __init__(self) -> None:
        super().__init__()
        self._lighting = threading.Lock()
        self._lit: Any = None  # the graph with what is known so far: only what is new is looked at

    @property
    def status(self) -> str:
        """``PENDING RUNNING COMPLETED FAILED TIMEOUT CANCELLED``."""
        raise NotImplementedError

    @property
    def attempts(self) -> int:
        """How often it was started."""
        raise NotImplementedError

    def events(self, follow: bool = True, after: int = 0) -> Iterator[Event]:
        """Its history after event number `after`; with `follow` until it has ended. See `engine.events`."""
        raise NotImplementedError

    def logs(self, follow: bool = False) -> Iterator[str]:
        """The lines that it printed, without newlines."""
        return log_text(self.events(follow=follow))

    def result(self, timeout: float | None = None) -> Any:
        """The value, waiting for it up to `timeout` seconds.

        Raises:
            TimeoutError: not finished in time; the run goes on.
            Cancelled: it was cancelled.
            Exception: what the operator raised, as its own type.
        """
        try:
            return super().result(timeout)
        except CancelledError:
            raise RunCancelled(f"run {self.id} was cancelled") from None

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What `result` would raise, or None."""
        try:
            return super().exception(timeout)
        except CancelledError:
            raise RunCancelled(f"run {self.id} was cancelled") from None

    def running(self) -> bool:
        return self.status == "RUNNING"

    def dag(self) -> DAG:
        """The program's graph with status, count, start and duration on every node, as far as the run has come."""
        with self._lighting:
            overlay: Any = core.reach("trace.overlay", "Overlay")
            if self._lit is None:
                self._lit = overlay(self._static_dag())
            events = self.events(follow=False, after=self._lit.seq)
            first = next(events, None)
            if first is not None:
                if first["seq"] <= self._lit.seq:  # of a run in several parts, which are numbered each
                    self._lit = overlay(self._lit.static)
                self._lit.update([first])
                self._lit.update(events)
            return self._lit.dag()

    def decisions(self) -> list[Decision]:
        """How the conditions, loops and handlers of each ``forward`` went so far, in order; see `Decision`."""
        return read(self.events(follow=False))

    def outputs(self) -> dict[str, list[Any]]:
        """The stored outputs: of the functions of a `Graph` by name, and the run's own result as ``""``.

        Raises:
            NotReady: it has not finished.
            SerializationError: some of them cannot be encoded, and were not stored.
        """
        return {name: read() for name, read in self._stored().items()}

    def _stored(self) -> dict[str, Callable[[], list[Any]]]:
        if self.status not in TERMINAL:
            raise NotReady(f"run {self.id} is still {self.status}")
        own: dict[str, Callable[[], list[Any]]] = {"": lambda: [self.result()]} if self.status == "COMPLETED" else {}
        return own | self._of_functions()

    def output(self, name: str = "") -> list[Any]:
        """The outputs of one function of a `Graph`, one for each time it was called.

        The run's own result goes by the name of the job, or ``""``.

        Those of a run that failed are the ones that were finished.

        Raises:
            NotFound: nothing is stored under that name.
            NotReady: it has not finished.
        """
        found = self._stored()
        if name == self.job:  # unless a function is called like that
            name = name if name in found else ""
        if name not in found:
            there = ", ".join(sorted(key or self.job for key in found)) or "nothing"
            raise NotFound(f"run {self.id} stored no output of {name or self.job!r}; stored: {there}")
        return found[name]()

    def _of_functions(self) -> dict[str, Callable[[], list[Any]]]:
        """How to read the outputs of each function of a `Graph`."""
        return {}

    def _static_dag(self) -> DAG:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return core.reach("notebook.runs", "run_bundle")(self)

    def _ipython_display_(self) -> None:
        core.reach("notebook.runs", "show_run")(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"
