"""Time limits of the calls that a replica carries out: written down for its shim, which would end the process."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from operator_lib import options, tree
from operator_lib.core import Operator
from operator_lib.engine import clock, managed, record, requests
from operator_lib.engine.process import CLOCK, ProcessSpec
from operator_lib.errors import OperatorTimeout


class Limits:
    """Those of one object and of the operators in it."""

    def __init__(self, op: Any, spec: ProcessSpec, begin: Callable[[], object], *, serial: bool) -> None:
        """`begin` is called when the first call with a limit starts; `serial`: there is one call at a time."""
        self._op = op
        self._name = spec.name
        self._serial = serial
        self._going = b""
        self._asked: ContextVar[bytes] = ContextVar("operator_lib_asked", default=b"")
        nodes = [node for _, node in tree.named_operators(op)] if isinstance(op, Operator) else []
        self.any = any(chosen.timeout for node in nodes if (chosen := options.of(node)) is not None)
        requests.clock = clock.Clock(Path(spec.folder) / CLOCK, begin)
        requests.asked = self.asked
        requests.paths = tree.paths(op) if nodes else {}
        if self.any:
            record.listen()  # calls of operators go through the engine

    def asked(self) -> bytes:
        """Which call is going on; of several at a time that of this context, threads of the user's have none."""
        return self._going if self._serial else self._asked.get()

    def begin(self, mark: bytes) -> None:
        """From here on this thread carries out the call that `mark` names (see engine/ledger.py)."""
        if self._serial:
            self._going = mark
        else:
            self._asked.set(mark)

    def within(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """``function(*args, **kwargs)``, something that the object does, within the limit of the object."""
        if not self.any:
            return function(*args, **kwargs)
        return managed.method(self._op, function, args, kwargs)

    def told(self, error: BaseException) -> BaseException:
        """The exception as the caller is to see it: one that a limit has caused says of what."""
        if not clock.is_late(error):
            return error
        seen = OperatorTimeout(f"call of {self._name}: {error}")
        seen.operator_path = getattr(error, "operator_path", "")  # type: ignore[attr-defined]
        return seen
