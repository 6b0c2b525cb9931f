"""`Graph` and `RouteTo` with the rules of the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from operator_lib import graph as core
from operator_lib import options
from operator_lib.core import Operator
from operator_lib.engine.run import Run
from operator_lib.errors import NotFound, RequestError
from operator_lib.frontends.tensorlake.binding import Item, bound
from operator_lib.frontends.tensorlake.functions import DEFAULTS, OF_THE_PROCESS

V = TypeVar("V")
T = TypeVar("T")


class RouteTo(core.RouteTo[V, T]):
    """A value, and which successors it goes to: one, several, or none."""

    __slots__ = ()

    def __init__(self, value: V, edges: Any) -> None:
        super().__init__(value, edges)

    @property
    def edges(self) -> tuple[Any, ...]:
        return self.targets


class Graph(core.Graph):
    """A `operator_lib.Graph` in which values are handed on as the SDK does it.

    A list is handed on item by item, None not at all; the items of a tuple become the arguments of the next function,
    those of a dict its arguments by name. Functions share a process, which gets the most that any of them asks for.
    """

    def _take(self, function: Any) -> str:
        name = super()._take(function)
        chosen = options.of(self)
        ours = {option: getattr(chosen, option, None) for option in OF_THE_PROCESS}
        asked = {option: getattr(function, option, DEFAULTS[option]) for option in OF_THE_PROCESS}
        most = {option: max(ours[option] or 0, asked[option]) for option in ("cpu", "memory", "ephemeral_disk")}
        encoders = {
            option: "cloudpickle"
            for option in ("input_encoder", "output_encoder")
            if "cloudpickle" in (getattr(chosen, option, ""), getattr(function, option, ""))
        }
        self.__dict__["_options"] = options.Options.parse(
            self.name, description=self.description, gpu=ours["gpu"] or asked["gpu"], **most, **encoders
        )
        return name

    @property
    def nodes(self) -> Mapping[str, Operator]:  # type: ignore[override]
        """The functions by name."""
        return self.functions

    def validate_graph(self) -> None:
        """Make sure that it can run: see `check`."""
        self.check()

    def output(self, invocation_id: Run, fn_name: Any) -> list[Any]:  # type: ignore[override]
        """The outputs of one function; lists are told item by item. Of a request that failed: what was finished.

        Raises:
            ValueError: the graph has no such function.
            GraphStillProcessing: it has not ended.
            RequestException: a function raised it.
        """
        try:
            return outputs(invocation_id, lambda: core.Graph.output(self, invocation_id, fn_name))
        except NotFound as problem:
            raise ValueError(str(problem)) from None

    # --- what flows along the edges ------------------------------------------------------------------------------

    def spread(self, output: Any) -> tuple[list[Any], bool]:
        return ([], False) if output is None else super().spread(output)

    def arguments(self, op: Operator, value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return bound(getattr(op, "run", op.forward), value)

    def items(self, values: list[Any]) -> list[Any]:
        return [Item(value) for value in values]


def outputs(run: Run, read: Any) -> list[Any]:
    """What the SDK tells of the outputs of one function in a run."""
    found: list[Any] = read()
    error = run.exception()
    if isinstance(error, RequestError):
        raise error
    return [item for value in found if value is not None for item in (value if isinstance(value, list) else [value])]
