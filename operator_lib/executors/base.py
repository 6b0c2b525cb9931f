"""The seam between the worker and the place where processes run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from operator_lib.engine.process import ProcessSpec
from operator_lib.executors.gpus import Cards
from operator_lib.options import Options

# Called on the worker's event loop with each message of the shim (operator_lib.engine.process); ``exit`` comes last.
Listener = Callable[[dict[str, Any]], None]


class Process(Protocol):
    """A process that was asked for. It may not have started yet."""

    @property
    def pid(self) -> int:
        """Of the user's code; 0 before it has started."""
        ...

    def stop(self, cause: str, grace: float) -> None:
        """SIGTERM, after `grace` seconds SIGKILL; `cause` comes back in its exit. 0 kills at once."""
        ...


class Executor(Protocol):
    """Starts processes for specs, and sees to it that none outlives the worker."""

    cards: Cards
    """The graphics cards there."""

    async def lacks(self, options: Options) -> list[str]:
        """Which options ask for more than there is, in words."""
        ...

    async def reclaim(self) -> None:
        """Kill what an earlier worker of this home has left. Only before anything is started."""
        ...

    async def prepare(self, python: str) -> None:
        """Make starting under this interpreter fast."""
        ...

    async def spawn(self, python: str, spec: ProcessSpec, listener: Listener) -> Process:
        """Start one process, and send it `ProcessSpec.handed` first.

        Raises:
            OSError: it cannot be started.
        """
        ...

    async def close(self) -> None:
        """Kill everything that is still there."""
        ...
