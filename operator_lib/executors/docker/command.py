"""The command that starts a container for a process: what it sees of this machine, and what it may use."""

from __future__ import annotations

import os
from pathlib import Path

from operator_lib.engine import marks
from operator_lib.engine.process import ProcessSpec
from operator_lib.executors.docker.engine import Engine
from operator_lib.executors.docker.recipe import PYTHON

HOME_LABEL = "operator-lib.home"
# CUDA's own choice among the cards of the machine; a container sees its cards alone, counted anew.
VISIBLE = "CUDA_VISIBLE_DEVICES"

# Where programs for Sieve expect the folder that was uploaded.
CODE = Path("/src")


def command(engine: Engine, image: str, name: str, label: str, home: Path, spec: ProcessSpec) -> list[str]:
    """Arguments of ``docker``. Nothing of it is secret: it can be read by everybody on the machine."""
    user = "0:0" if engine.rootless else f"{os.getuid()}:{os.getgid()}"
    words = ["run", "--rm", "--name", name, "--label", f"{HOME_LABEL}={label}", "--log-driver", "none"]
    words += ["--network", "host", "--user", user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    words += ["--read-only", "--workdir", "/", "--entrypoint", PYTHON]
    if engine.remapped:
        words += ["--userns", "host"]
    for variable in (f"{marks.HOME}={home}", "GRPC_ENABLE_FORK_SUPPORT=0"):
        words += ["--env", variable]
    for mount in mounts(home, spec):
        words += ["--mount", mount]
    words += limits(spec)
    return [*words, image, "-P", "-m", "operator_lib.runner.container", spec.folder]


def limits(spec: ProcessSpec) -> list[str]:
    """By which the engine holds a container to what its process may use. Of the disk the shim sees to it."""
    shared = spec.memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    words = ["--shm-size", str(shared)]
    if spec.memory:
        words += ["--memory", str(spec.memory), "--memory-swap", str(spec.memory)]
    if spec.cpu is not None:
        words += ["--cpus", f"{spec.cpu:g}"]
    cards = spec.env.get(VISIBLE, "") if spec.resources.get("gpu") else ""
    if cards:
        words += ["--gpus", f'"device={cards}"']
    return words


def mounts(home: Path, spec: ProcessSpec) -> list[str]:
    """What a process needs of this machine, at the same paths: its own folders, the version, its arguments.

    The version is at `CODE`, too.
    """
    cache = home / "cache"
    own = [Path(spec.folder), Path(spec.events).parent, cache, *([Path(spec.shared)] if spec.shared else [])]
    for folder in own:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    read = [Path(spec.source), Path(spec.entry), *([Path(spec.input)] if spec.input else [])]
    outer = [path for path in own if not any(path.is_relative_to(other) for other in own if other != path)]
    found = [_mount(path, path) for path in dict.fromkeys(outer)]
    found += [_mount(path, path, "readonly") for path in read if not any(path.is_relative_to(o) for o in outer)]
    return [*found, _mount(Path(spec.source), CODE, "readonly"), _mount(Path(spec.folder) / "tmp", Path("/tmp"))]


def _mount(source: Path, target: Path, *options: str) -> str:
    """As a line of CSV."""
    fields = ["type=bind", f"source={source}", f"target={target}", *options]
    return ",".join('"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text for text in fields)
