"""What `doctor` looks at: each check says how it is, and how to make it right."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from operator_lib import endpoint
from operator_lib.engine.process import size

OK, WARN, FAIL = "ok", "warn", "fail"
# Free bytes below which runs are about to fail, and below which somebody should know.
FULL, TIGHT = 200 << 20, 2 << 30
PYTHONS = ((3, 11), (3, 13))
PR_GET_CHILD_SUBREAPER = 37


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    check: str
    status: str
    """``ok``, ``warn`` or ``fail``."""
    message: str
    fix: str = ""


def all_checks() -> tuple[Callable[[], Iterator[Finding]], ...]:
    """Every check, in the order in which they are shown."""
    return python, dependencies, home, token, disk, worker, uv, reaper, limits


def python() -> Iterator[Finding]:
    """The interpreter."""
    version = sys.version_info[:2]
    known = PYTHONS[0] <= version <= PYTHONS[1]
    fix = "" if known else "use Python 3.11, 3.12 or 3.13"
    yield Finding("python", OK if known else WARN, f"{platform.python_version()} at {sys.executable}", fix)


def dependencies() -> Iterator[Finding]:
    """What the package needs, by its own metadata: core and worker."""
    missing: list[str] = []
    old: list[str] = []
    found: list[str] = []
    for requirement in importlib.metadata.requires("operator_lib") or ():
        wanted, _, marker = requirement.partition(";")
        if marker and not re.search(r"extra\s*==\s*['\"]worker['\"]", marker):
            continue
        name, _, least = wanted.strip().partition(">=")
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        found.append(f"{name} {version}")
        if least and _numbers(version) < _numbers(least):
            old.append(f"{name} {version} (needs {least})")
    if missing or old:
        yield Finding("packages", FAIL, ", ".join([*(f"{m} is missing" for m in missing), *old]), INSTALL)
    else:
        yield Finding("packages", OK, ", ".join(found))


INSTALL = "pip install --upgrade 'operator_lib[worker]'"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def home() -> Iterator[Finding]:
    """The folder of the local worker."""
    folder = endpoint.home_folder()
    if not folder.exists():
        parent = _existing(folder)
        if os.access(parent, os.W_OK):
            yield Finding("home", OK, f"{folder} (made when first needed)")
        else:
            yield Finding("home", FAIL, f"{folder} cannot be made", "set OPERATOR_LIB_HOME to a folder of yours")
        return
    mode = folder.stat().st_mode & 0o777
    if not os.access(folder, os.W_OK | os.X_OK):
        fix = f"chown -R $USER {folder}, or set OPERATOR_LIB_HOME"
        yield Finding("home", FAIL, f"{folder} cannot be written", fix)
    elif mode & 0o077:
        yield Finding("home", WARN, f"{folder} is open to others (mode {mode:o})", f"chmod 700 {folder}")
    else:
        yield Finding("home", OK, f"{folder} (mode {mode:o})")


def token() -> Iterator[Finding]:
    """The file with the worker's token."""
    path = endpoint.home_folder() / endpoint.TOKEN
    if not path.exists():
        yield Finding("token", OK, "none yet (made by the first worker)")
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        yield Finding("token", FAIL, f"{path} can be read by others (mode {mode:o})", f"chmod 600 {path}")
    else:
        yield Finding("token", OK, f"{path} (mode {mode:o})")


def disk() -> Iterator[Finding]:
    """Room for uploads, environments and results."""
    folder = _existing(endpoint.home_folder())
    free = shutil.disk_usage(folder).free
    status = FAIL if free < FULL else WARN if free < TIGHT else OK
    fix = "" if status == OK else "make room, or set OPERATOR_LIB_HOME to a folder on a larger disk"
    yield Finding("disk", status, f"{free / 1e9:.1f} GB free at {folder}", fix)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def worker() -> Iterator[Finding]:
    """The worker that commands would speak to."""
    import operator_lib
    from operator_lib.client import inventory
    from operator_lib.client.connect import connect

    address = os.environ.get("OPERATOR_LIB_ADDRESS", "")
    if not address and endpoint.running(endpoint.home_folder()) is None:
        yield Finding("worker", OK, "not running (started when first needed)")
        return
    try:
        info = inventory.worker(connect(start=False))
    except (OSError, operator_lib.errors.OperatorError) as problem:
        fix = "check OPERATOR_LIB_ADDRESS and OPERATOR_LIB_TOKEN" if address else "operator-lib worker logs"
        yield Finding("worker", FAIL, str(problem), fix)
        return
    if info.version != operator_lib.__version__:
        about = f"{info.url} runs operator_lib {info.version}, this is {operator_lib.__version__}"
        fix = "upgrade it there" if address else "operator-lib worker stop; operator-lib worker start"
        yield Finding("worker", FAIL, about, fix)
    else:
        yield Finding("worker", OK, f"{info.url}, version {info.version}, Python {info.python}")


def uv() -> Iterator[Finding]:
    """The tool that builds environments from requirements, and the interpreters it finds."""
    import asyncio

    from operator_lib.executors.local import uv_command

    try:
        minors = sorted({endpoint_python(), *asyncio.run(uv_command.minors())}, key=_numbers)
    except Exception as problem:
        fix = INSTALL + " (without uv, operators with a requirements.txt cannot be deployed here)"
        yield Finding("uv", WARN, f"not usable: {problem}", fix)
        return
    yield Finding("uv", OK, "found")
    yield Finding("pythons", OK, ", ".join(minors))


def endpoint_python() -> str:
    """The minor version that the worker itself runs under."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def reaper() -> Iterator[Finding]:
    """Whether nothing that a run starts can outlive it."""
    if sys.platform != "linux":
        about = "this system has no subreaper: a process that detaches itself twice is found by searching, not surely"
        yield Finding("subreaper", WARN, about, "run the worker on Linux where that matters")
        return
    import ctypes

    flag = ctypes.c_int()
    works = ctypes.CDLL(None).prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(flag), 0, 0, 0) == 0
    yield Finding("subreaper", OK if works else WARN, "available" if works else "refused by this kernel or sandbox")


def limits() -> Iterator[Finding]:
    """By what a worker that is started from here would enforce `cpu` and `memory`, and what it could give."""
    from operator_lib.executors import groups, limits
    from operator_lib.executors.gpus import present

    folder = endpoint.home_folder()
    found = groups.find(folder)
    for option, otherwise in (("memory", limits.MEASURED), ("cpu", limits.SET_APART)):
        parent = found.parents.get(option)
        if parent is not None:
            yield Finding(option, OK, f"kept by the kernel (control groups v{parent.version} in {parent.folder})")
        else:
            yield Finding(option, OK, f"{otherwise}; control groups are not used: {found.refused[option]}")
    there = limits.machine(_existing(folder))
    yield Finding("machine", OK, f"{there.cpu} processors, {size(there.memory)} of memory")
    yield Finding("gpu", OK, ", ".join(card.name for card in present()) or "none that nvidia-smi shows")
