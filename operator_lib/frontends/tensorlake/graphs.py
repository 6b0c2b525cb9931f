"""`Graph` and `RouteTo` with the rules of the SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from operator_lib import graph as core
from operator_lib import options
from operator_lib.core import Operator
from operator_lib.engine.run import Run
from operator_lib.errors import NotFound, RequestError
from operator_lib.frontends.tensorlake.binding import Item, bound
from operator_lib.frontends.tensorlake.construction import stand_in
from operator_lib.frontends.tensorlake.definition import ComputeGraphMetadata, describe
from operator_lib.frontends.tensorlake.functions import TensorlakeCompute
from operator_lib.frontends.tensorlake.shared import Shared

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
    those of a dict its arguments by name. Functions share a process, which gets what most of them ask for; those that
    ask for something else have a process of their own.
    """

    # On a worker limits are kept; in this process functions are just called, as the SDK does it.
    _operator_attributes = ()

    def _made(self, function: Any) -> Operator:
        if isinstance(function, type) and issubclass(function, TensorlakeCompute):
            return stand_in(function)
        return super()._made(function)

    def _take(self, function: Any) -> str:
        name = super()._take(function)
        shared: Shared = self.__dict__.setdefault("_shared", Shared())
        shared.add(options.of(self.functions[name]) or options.Options())
        self.__dict__["_options"] = options.Options.parse(
            self.name, description=self.description, **shared.resources, **shared.encoders
        )
        return name

    def add_node(self, indexify_fn: Any) -> Graph:  # type: ignore[override]  # by the names that the SDK has
        super().add_node(indexify_fn)
        return self

    def add_edge(self, from_node: Any, to_node: Any) -> Graph:  # type: ignore[override]
        return self.add_edges(from_node, [to_node])

    def add_edges(self, from_node: Any, to_node: Sequence[Any]) -> Graph:  # type: ignore[override]
        super().add_edges(from_node, to_node)
        return self

    @property
    def nodes(self) -> Mapping[str, Operator]:  # type: ignore[override]
        """The functions by name."""
        return self.functions

    def definition(self) -> ComputeGraphMetadata:
        """The graph as data: functions with their options and JSON Schemas, edges."""
        return describe(self)

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
