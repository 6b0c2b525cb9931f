"""One node of a workflow: builds the row that its handler gets, and waits for the answer of one of its workers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from operator_lib.context import RequestContext
from operator_lib.frontends.torchserve import nursery
from operator_lib.frontends.torchserve.context import Reply
from operator_lib.frontends.torchserve.handler import Order, Wanted
from operator_lib.frontends.torchserve.job import Job
from operator_lib.frontends.torchserve.load import Code
from operator_lib.frontends.torchserve.pool import Pool
from operator_lib.frontends.torchserve.processes import ProcessWorker
from operator_lib.frontends.torchserve.specification import Settings
from operator_lib.frontends.torchserve.threads import ThreadWorker
from operator_lib.frontends.torchserve.values import Form
from operator_lib.frontends.torchserve.worker import Worker


class Request:
    """What came with a request besides its data, and what handlers said besides their answers."""

    def __init__(self, headers: Mapping[str, Any], types: Mapping[str, str], wanted: Wanted) -> None:
        self.headers = dict(headers)
        self.types = dict(types)
        self.wanted: Wanted = wanted
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
        self._pool: Pool | None = None

    def answer(self, values: tuple[Any, ...]) -> Any:
        """What the handler answers to one row."""
        around = request.get()
        row = self._row(values)
        types: Mapping[str, str] = around.types if around is not None and not self.parents else {}
        headers: dict[str, Any] = {name: {"content-type": types.get(name, "")} for name in row}
        headers.update(around.headers if around is not None else {})
        wanted: Wanted = around.wanted if around is not None else ""
        around_call = RequestContext.get()
        job = Job(row, bool(self.parents), headers, wanted, lambda: around_call.cancelled)
        answer, reply = self.workers().call(job)
        if around is not None:
            around.replies[self.name] = reply
        return answer

    def _row(self, values: tuple[Any, ...]) -> dict[str, Any]:
        if len(self.parents) > 1:
            return dict(zip(self.parents, values, strict=True))
        (value,) = values
        return dict(value) if isinstance(value, Form) and not self.parents else {"body": value}

    def workers(self) -> Pool:
        """Those of this process."""
        pool = self._pool
        if pool is None or pool.process != os.getpid():
            as_bytes = {"bytes": True, "values": False}.get(self.hand_over or "")
            pool = self._pool = Pool(
                self.workflow or self.name, self.name, self.code.handler, self.settings, Making(self), as_bytes
            )
        return pool

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}


class Making:
    """Makes workers of a node: processes on a worker of ours, threads in the program of somebody who calls it there."""

    def __init__(self, node: Node) -> None:
        self._label = f"{node.workflow}__{node.name}" if node.workflow else node.name
        self._name = node.name
        self._code = node.code
        self._batch_size = node.settings.batch_size
        self._nursery = nursery.find()

    def worker(self, number: int) -> Worker:
        order = Order(self._label, self._name, self._code, self._batch_size, number)
        return ThreadWorker(order) if self._nursery is None else ProcessWorker(order, self._nursery)
