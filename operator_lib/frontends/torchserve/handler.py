"""A handler that is loaded, and what it makes of a batch: the same in a thread and in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from operator_lib.frontends.torchserve.context import HandlerContext, Reply, Tell
from operator_lib.frontends.torchserve.load import Code, Importing, gpu, load
from operator_lib.frontends.torchserve.problems import HandlerError
from operator_lib.frontends.torchserve.values import encoded

Row = dict[str, Any]
# How answers are wanted: as they are, or as bytes, which `values.encoded` makes of them.
Wanted = Literal["", "bytes", "exact"]


@dataclass(frozen=True, slots=True)
class Order:
    """Which handler a worker is to have.

    Attributes:
        label: of the node, as handlers see it.
        number: of the worker in its node.
    """

    label: str
    node: str
    code: Code
    batch_size: int
    number: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch: rows, and the headers of their requests."""

    rows: Sequence[Row]
    headers: Sequence[Mapping[str, Any]]
    wanted: Wanted = ""


Answered = tuple[Any, Reply]


class Handler:
    """Made where it will be called."""

    def __init__(self, order: Order, modules: Importing, tell: Tell | None = None) -> None:
        """`tell` hears of the handler's metrics; without it they are told where the call is made.

        Raises:
            HandlerError: there is no entry point. Whatever its code raises.
        """
        self.node = order.node

        def make() -> HandlerContext:
            code = order.code
            folder, card = str(code.bundle.folder), gpu(order.number)
            return HandlerContext(order.label, folder, code.manifest, order.batch_size, card, code.config, tell)

        self._handle, self._context = load(order.code, modules, make)

    def answer(self, asked: Asked) -> list[Answered]:
        """One answer for each row, and what the handler said with it.

        Raises:
            HandlerError: it gave more or fewer. Whatever its code raises.
        """
        self._context.begin(asked.headers)
        answers = self._handle([dict(row) for row in asked.rows], self._context)
        rows = len(asked.rows)
        if not isinstance(answers, list if asked.wanted == "exact" else (list, tuple)):
            raise HandlerError(
                f"{self.node} answered {type(answers).__name__}; a handler answers a list with one item for each of "
                f"its {rows} rows"
            )
        if len(answers) != rows:
            raise HandlerError(f"{self.node} answered {len(answers)} items for {rows} rows; one for each is due")
        if asked.wanted:
            answers = [encoded(answer, self.node, exact=asked.wanted == "exact") for answer in answers]
        return list(zip(answers, (request.reply for request in self._context.request_processor), strict=True))
