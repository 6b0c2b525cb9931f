"""A node of a workflow as an operator."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable
from typing import Any

from operator_lib import options
from operator_lib.core import Operator
from operator_lib.frontends.torchserve import nursery
from operator_lib.frontends.torchserve.load import Code
from operator_lib.frontends.torchserve.node import Node
from operator_lib.frontends.torchserve.specification import Settings

Answer = Any


class Step(Operator):
    """A model or a function, called with one value for each node before it."""

    def __init__(
        self,
        name: str,
        code: Code,
        settings: Settings,
        parents: tuple[str, ...] = (),
        workflow: str = "",
        hand_over: str | None = None,
        place: tuple[str, int] = ("", 0),
    ) -> None:
        """`place`: file and line where a reader finds it."""
        self.__dict__["__name__"] = name
        self.name = name
        self.node = Node(name, workflow, code, settings, parents, hand_over)
        self._place = place
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = _identifiers(parents) if len(parents) > 1 else ["body"]
        self.signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
        retries = options.Retries(min(settings.retry_attempts, 10_000), initial_delay=0.0)
        # The time limit is kept by the workers: it is in milliseconds, and one request late must not end the process.
        self._options = options.Options.parse(name, name=name, retries=retries, timeout=None)
        self._managed = True

    def forward(self, *values: Any, **named: Any) -> Answer:
        """The answer of the handler to one row.

        Raises:
            OperatorTimeout: there was none within ``timeout-ms``.
            HandlerError: not one answer for each row.
            SerializationError: bytes are wanted, and a value before has no such form.
        """
        if named or len(values) != len(self.signature.parameters):
            values = self.signature.bind(*values, **named).args
        return self.node.answer(values)

    def __remote_init__(self) -> None:
        """Handlers are loaded before the first request, so that one that cannot be loaded fails the deploy."""
        nursery.on_a_worker()
        self.node.workers().start()

    def _operator_place(self) -> tuple[str, int]:
        """For the graph: its code is another program's."""
        return self._place

    def _operator_called(self) -> Callable[..., Any]:
        """A function with one parameter for each node before this one."""

        def called(*values: Any, **named: Any) -> Any:
            return self(*values, **named)

        called.__name__ = called.__qualname__ = self.name
        called.__signature__ = self.signature  # type: ignore[attr-defined]
        return called


def _identifiers(names: tuple[str, ...]) -> list[str]:
    """Names of nodes as those of parameters."""
    found: list[str] = []
    for name in names:
        plain = "".join(letter if letter.isalnum() else "_" for letter in name)
        plain = plain if plain.isidentifier() and not keyword.iskeyword(plain) else f"_{plain}"
        found.append(f"{plain}_{len(found)}" if plain in found else plain)
    return found
