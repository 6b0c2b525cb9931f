"""The engine, spoken to by the ``docker`` command: it knows where the engine is and how to be let in."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from operator_lib.executors import children
from operator_lib.executors.commands import leashed

# Seconds for the engine to answer a question.
ANSWER = 60.0
START = "start one (`systemctl start docker`), or name one of this machine with DOCKER_HOST=unix:///path/to/docker.sock"


class EngineRefused(OSError):
    """The engine could not do what it was asked; the text is its own."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers."""

    cli: str
    """Path of the command."""
    version: str
    buildkit: bool
    """Whether images are built by BuildKit, which can show a build what is not to stay in the image."""
    rootless: bool
    """Whether it runs as the worker's user: root in a container is that user."""
    remapped: bool
    """Whether users in containers are others outside, unless that is turned off."""

    async def ask(self, *arguments: str) -> str:
        """What a command of the engine prints.

        Raises:
            EngineRefused: it failed.
        """
        return await _ask(self.cli, arguments, environment(self.buildkit))


def environment(buildkit: bool) -> dict[str, str]:
    """What the command is to see."""
    return {**os.environ, "DOCKER_BUILDKIT": "1" if buildkit else "0", "DOCKER_CLI_HINTS": "false", "NO_COLOR": "1"}


async def reach() -> Engine:
    """The engine of this machine.

    Raises:
        OSError: there is none, or it does not answer; the message says what to do.
    """
    if sys.platform != "linux":
        raise OSError("--executor docker needs Linux: containers and worker share folders and sockets of one kernel")
    cli = shutil.which("docker")
    if cli is None:
        raise OSError("--executor docker: there is no command `docker`; install Docker, or leave --executor out")
    try:
        said = json.loads(await _ask(cli, ("version", "--format", "{{json .}}"), os.environ))
        security = json.loads(await _ask(cli, ("info", "--format", "{{json .SecurityOptions}}"), os.environ)) or []
    except EngineRefused as problem:
        raise OSError(f"--executor docker: the engine does not answer ({problem}); {START}") from None
    options = " ".join(security)
    return Engine(
        cli,
        said["Server"]["Version"],
        await _has_buildkit(cli, said["Client"]["Version"]),
        "name=rootless" in options,
        "name=userns" in options,
    )


async def _has_buildkit(cli: str, version: str) -> bool:
    """Until version 23 the command brought BuildKit along, since then it is a plugin."""
    if os.environ.get("DOCKER_BUILDKIT") == "0":
        return False
    major = re.match(r"\d+", version)
    if major is not None and 20 <= int(major[0]) < 23:
        return True
    try:
        await _ask(cli, ("buildx", "version"), os.environ)
    except EngineRefused:
        return False
    return True


async def _ask(cli: str, arguments: tuple[str, ...], environ: Mapping[str, str]) -> str:
    process = await children.start(
        *leashed([cli, *arguments]),
        cwd="/",
        env=environ,
        stdin=children.DEVNULL,
        stdout=children.PIPE,
        stderr=children.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(ANSWER):
            out, err = await process.communicate()
    except TimeoutError:
        raise EngineRefused(f"no answer within {ANSWER:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise EngineRefused(err.decode(errors="replace").strip() or f"exit {process.returncode}")
    return out.decode(errors="replace")
