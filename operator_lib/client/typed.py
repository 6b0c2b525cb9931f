"""Types of what is latched on to, for editors and type checkers: the files that `operator_lib.stub` writes use them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from operator_lib.client.job import JobManager
from operator_lib.client.manage import ServingManager
from operator_lib.client.run import RemoteRun
from operator_lib.trace.dag import DAG

P = ParamSpec("P")
R = TypeVar("R", covariant=True)
T = TypeVar("T")


class RemoteMethod(Protocol[P, R]):
    """A method of a serving."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    @overload
    def submit(self: RemoteMethod[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> Future[T]: ...
    @overload
    def submit(self: RemoteMethod[P, AsyncIterator[T]], *args: P.args, **kwargs: P.kwargs) -> Future[Any]: ...
    @overload
    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]: ...

    def map(
        self, inputs: Iterable[Any], workers: int = -1, *, ordered: bool = True, return_exceptions: bool = False
    ) -> list[Any]: ...


def method(function: Callable[Concatenate[Any, P], R]) -> RemoteMethod[P, R]:
    """Marks a method in a class that describes a serving."""
    raise TypeError(f"{function.__name__} describes what is elsewhere; latch on to it: Operator.from_serving(url)")


class Run(RemoteRun, Generic[R]):
    """A run of a job, and what it will come to."""

    def result(self, timeout: float | None = None) -> R: ...


class _Handle(Protocol):
    def dag(self) -> DAG: ...
    def versions(self) -> list[dict[str, Any]]: ...
    def rollback(self, version: int) -> None: ...


class Serving(_Handle, Protocol):
    """What every handle of a serving has."""

    @property
    def serving(self) -> ServingManager: ...
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...


class Job(_Handle, Protocol):
    """What every handle of a job has."""

    @property
    def job(self) -> JobManager: ...
    def runs(self, limit: int = 100) -> list[RemoteRun]: ...
    def map(
        self, inputs: Iterable[Any], workers: int = -1, *, ordered: bool = True, return_exceptions: bool = False
    ) -> list[Any]: ...
