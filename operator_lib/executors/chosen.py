"""Which executor a worker was started with."""

from __future__ import annotations

from pathlib import Path

from operator_lib.executors.base import Executor

NAMES = ("local", "docker")


def check(name: str, docker_base: str) -> None:
    """Raises ValueError: there is no executor of that name, or it has no use for a setting."""
    if name not in NAMES:
        raise ValueError(f"--executor: must be one of {', '.join(NAMES)}, got {name!r}")
    if docker_base and name != "docker":
        raise ValueError("--docker-base: only with --executor docker")


def make_executor(name: str, home: Path, docker_base: str) -> Executor:
    """The executor of that name; see `check`."""
    if name == "docker":
        from operator_lib.executors.docker.executor import DockerExecutor

        return DockerExecutor(home, docker_base)
    from operator_lib.executors.local.executor import LocalExecutor

    return LocalExecutor(home)
