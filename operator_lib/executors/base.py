"""The seam between the worker and the place where processes run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from operator_lib.engine.process import ProcessSpec
from operator_lib.executors.gpus import Cards
from operator_lib.options import Options

# Called on the worker's event loop with each message of the shim (operator_lib.engine.process); ``exit`` comes last.
Listener = Callable[[dict[str, Any]], None]
# Told each line of a build.
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Needs:
    """What the processes of a version need around them."""

    key: str
    """The same for the same requirements, Python and commands: see operator_lib.package.environment."""
    requirements: str
    """Lines as pip reads them; local paths are relative to `source`."""
    python: str
    """Minor version, ``"3.11"``."""
    source: Path
    """The uploaded folder. Before the upload it is not there."""
    options: Options


class Process(Protocol):
    """A process that was asked for. It may not have started yet."""

    @property
    def pid(self) -> int:
        """Of the user's code, on the worker's machine; 0 before it has started, or where it cannot be told."""
        ...

    def stop(self, cause: str, grace: float) -> None:
        """SIGTERM, after `grace` seconds SIGKILL; `cause` comes back in its exit. 0 kills at once."""
        ...


class Executor(Protocol):
    """Makes environments, starts processes in them, and sees to it that none outlives the worker.

    What an environment is, is the executor's own: the worker gets a word for it and hands that back.
    """

    cards: Cards
    """The graphics cards there."""

    async def lacks(self, options: Options) -> list[str]:
        """Which options ask for more than there is, or for what cannot be done here, in words."""
        ...

    async def pythons(self) -> list[str]:
        """Minor versions of Python that environments can have: ``["3.11", "3.12"]``."""
        ...

    def known_pythons(self) -> list[str]:
        """`pythons`, as far as they have been looked for: that may take seconds."""
        ...

    async def cached(self, needs: Needs) -> bool:
        """Whether the environment is there already."""
        ...

    async def environment(self, needs: Needs, log: Log) -> str:
        """The environment for these needs; built if need be, once however many ask.

        Raises:
            DeployError: it cannot be built; the message is that of the tool that failed.
        """
        ...

    def variables(self) -> dict[str, str]:
        """What processes inherit of the worker's own environment, and whose they are."""
        ...

    async def reclaim(self) -> None:
        """Kill what an earlier worker of this home has left. Only before anything is started.

        Raises:
            OSError: processes cannot be started here at all; the message says what to do.
        """
        ...

    async def prepare(self, environment: str = "") -> None:
        """Make starting in this environment fast; without one, in that of operators that need nothing."""
        ...

    async def spawn(self, environment: str, spec: ProcessSpec, listener: Listener) -> Process:
        """Start one process, and send it `ProcessSpec.handed` first.

        Raises:
            OSError: it cannot be started.
        """
        ...

    async def close(self) -> None:
        """Kill everything that is still there."""
        ...
