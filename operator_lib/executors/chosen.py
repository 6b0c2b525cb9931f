"""Which executor a worker was started with."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from operator_lib.executors.base import Executor

NAMES = ("local", "docker", "ray", "ray:auto", "ray:HOST:PORT", "ray://HOST:PORT")
_RAY = re.compile(r"ray(:auto|:[^/:\s]+:\d+|://[^/\s]+)?")


def check(name: str, docker_base: str) -> None:
    """Raises ValueError: there is no executor of that name, or it has no use for a setting."""
    if name not in NAMES[:2] and not _RAY.fullmatch(name):
        raise ValueError(f"--executor: must be one of {', '.join(NAMES)}, got {name!r}")
    if _RAY.fullmatch(name) and importlib.util.find_spec("ray") is None:
        raise ValueError(f"--executor {name}: Ray is not installed here: pip install 'operator_lib[ray]'")
    if docker_base and name != "docker":
        raise ValueError("--docker-base: only with --executor docker")


def make_executor(name: str, home: Path, docker_base: str) -> Executor:
    """The executor of that name; see `check`."""
    if name == "docker":
        from operator_lib.executors.docker.executor import DockerExecutor

        return DockerExecutor(home, docker_base)
    if _RAY.fullmatch(name):
        from operator_lib.executors.ray.executor import RayExecutor

        return RayExecutor(home, name if name.startswith("ray://") else name.removeprefix("ray").removeprefix(":"))
    from operator_lib.executors.local.executor import LocalExecutor

    return LocalExecutor(home)
