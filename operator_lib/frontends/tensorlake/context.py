"""The request as functions of a Tensorlake graph see it."""

from __future__ import annotations

from typing import Any

from operator_lib.context import RequestContext
from operator_lib.errors import RequestError


class RequestException(RequestError):
    """This request can never succeed: it fails for good, is not retried, and every output of it raises this."""

    def __init__(self, message: str) -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        return str(self.args[0])


class RequestState:
    """``ctx.request_state``: values shared by the functions of a request, and its metrics."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    def get(self, key: str, default: Any = None) -> Any:
        """A copy of what was stored last, or `default`."""
        return self._context.state.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Store a copy."""
        self._context.state.set(key, value)

    def timer(self, name: str, value: float) -> None:
        """Note a duration in seconds."""
        self._context.metrics.timer(name, value)

    def counter(self, name: str, value: int = 1) -> None:
        """Add to a counter."""
        self._context.metrics.counter(name, value)


class GraphRequestContext(RequestContext):
    """A `RequestContext` that has ``request_state`` besides ``state`` and ``metrics``."""

    @staticmethod
    def of(context: RequestContext) -> GraphRequestContext:
        """The same request."""
        seen: GraphRequestContext = object.__new__(GraphRequestContext)
        seen.__dict__.update(context.__dict__)
        return seen

    @property
    def request_state(self) -> RequestState:
        return RequestState(self)


def get_ctx() -> GraphRequestContext:
    """The request that is going on, for functions that are not handed it."""
    return GraphRequestContext.of(RequestContext.get())
