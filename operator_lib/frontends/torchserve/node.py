"""One node of a workflow: builds the row that its handler gets, and waits for the answer of one of its workers."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from operator_lib.frontends.torchserve.context import Reply
from operator_lib.frontends.torchserve.load import Code
from operator_lib.frontends.torchserve.specification import Settings
from operator_lib.frontends.torchserve.values import Form
from operator_lib.frontends.torchserve.workers import Job, Workers


class Request:
    """What came with a request besides its data, and what handlers said besides their answers."""

    def __init__(self, headers: Mapping[str, Any], types: Mapping[str, str], as_bytes: bool) -> None:
        self.headers = dict(headers)
        self.types = dict(types)
        self.as_bytes = as_bytes
        self.replies: dict[str, Reply] = {}


# Set around a call that came over HTTP.
request: ContextVar[Request | None] = ContextVar("torchserve_request", default=None)


class Node:
    """A model, or a function of a handler file, at its place in a workflow.

    Attributes:
        code: what it runs.
        settings: its workers, batches, attempts and times.
        parents: the nodes before it; more than one are keys of its row.
        hand_over: ``"values"``, ``"bytes"``, or None: see `Workflow.from_yaml`.
    """

    def __init__(
        self, name: str, workflow: str, code: Code, settings: Settings, parents: tuple[str, ...], hand_over: str | None
    ) -> None:
        self.name = name
        self.workflow = workflow
        self.code = code
        self.settings = settings
        self.parents = parents
        self.hand_over = hand_over
        self._pool: Workers | None = None

    def answer(self, values: tuple[Any, ...]) -> Any:
        """What the handler answers to one row."""
        around = request.get()
        row = self._row(values)
        types: Mapping[str, str] = around.types if around is not None and not self.parents else {}
        headers: dict[str, Any] = {name: {"content-type": types.get(name, "")} for name in row}
        headers.update(around.headers if around is not None else {})
        as_bytes = around is not None and around.as_bytes
        answer, reply = self.workers().call(Job(row, bool(self.parents), headers, as_bytes))
        if around is not None:
            around.replies[self.name] = reply
        return answer

    def _row(self, values: tuple[Any, ...]) -> dict[str, Any]:
        if len(self.parents) > 1:
            return dict(zip(self.parents, values, strict=True))
        (value,) = values
        return dict(value) if isinstance(value, Form) and not self.parents else {"body": value}

    def workers(self) -> Workers:
        """Those of this process."""
        pool = self._pool
        if pool is None or pool.process != os.getpid():
            as_bytes = {"bytes": True, "values": False}.get(self.hand_over or "")
            pool = self._pool = Workers(self.workflow, self.name, self.code, self.settings, as_bytes)
            weakref.finalize(self, _close, weakref.ref(pool))
        return pool

    def scale(self, settings: Settings) -> None:
        """Other numbers from now on, for the workers that are there too."""
        self.settings = settings
        if self._pool is not None:
            self._pool.scale(settings)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}


def _close(pool: weakref.ref[Workers]) -> None:
    """By a weak reference: what a pool remembers of a failure leads back to its node."""
    found = pool()
    if found is not None:
        found.close()
