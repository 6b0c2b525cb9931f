"""The seam between the worker and the place where processes run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from operator_lib.engine.process import ProcessSpec
from operator_lib.executors.gpus import Owner, Taken
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


def unheard(line: str) -> None:
    """For whoever does not want to be told."""


class Room(Protocol):
    """What there is for processes, and who has it."""

    async def wait(self, options: Options, what: str, name: str, tell: Log = unheard) -> Taken:
        """Room for a process with these options, as soon as there is some.

        Args:
            what: it is for: ``"run"``, ``"replica"`` or ``"part"``.
            name: of the deployment.
            tell: told why it takes long.
        """
        ...

    async def take(self, options: Options, owner: Owner) -> Taken:
        """Room for a replica of a serving.

        Raises:
            NotReady: there is none.
        """
        ...

    async def look(self, options: Options) -> Taken:
        """Where a process that is there for a moment sees what it would have, whoever has it."""
        ...

    def give_back(self, taken: Taken) -> None:
        """Its process is gone."""
        ...


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

    room: Room
    """What its processes share out among themselves."""
    across: bool
    """Whether processes run on other machines: what is said to them travels over a network."""

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

    async def reclaim(self, alone: bool = True) -> None:
        """Kill what an earlier worker of this home has left, unless another one is there (not `alone`). Only before
        anything is started.

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
