"""A call that the short way has begun, and what the long way needs to go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operator_lib.wire.proto.line_pb2 import Told
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.line import Line

if TYPE_CHECKING:
    from operator_lib.worker.http.lines import Lines
    from operator_lib.worker.replicas import Replica

# Its name in an ASGI scope.
BEGUN = "operator_lib.begun"


@dataclass(slots=True, eq=False)
class Begun:
    """A replica has been asked for it. It has a place among the calls of its serving."""

    lines: Lines
    replica: Replica
    line: Line
    id: int
    name: str
    method: str
    request_id: bytes
    since: float
    data: bytes
    """The request, to be read again."""
    told: Told | None = None
    """The first answer; None: the connection to the replica was lost."""
    taken: bool = False

    def exchange(self, receive: Any) -> Exchange:
        """The rest of it."""
        self.taken = True
        return Exchange(self.line, receive, begun=self.id)

    def over(self) -> None:
        """It has come to its end, or nobody waits for that: its place is free."""
        if not self.taken:
            self.line.calls -= 1
            if self.told is None:
                self.line.cancel(self.id)
        self.lines.leave(self.name)
