"""Control groups (Linux): limits that the kernel keeps, where this process may make groups.

Groups are made only in a tree that is ours: below the root group of a container or machine, when that is the one we are
in, or where systemd has delegated our group (``Delegate=yes``). Those of other managers are left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

# Microseconds over which processor time is shared out.
PERIOD = 100_000
# Seconds in which a group that holds dying processes must be empty.
EMPTYING = 1.0
WANTED = ("memory", "cpu")


@dataclass(frozen=True, slots=True)
class Parent:
    """A group below which others can be made."""

    version: int
    """Of the kernel's interface, 1 or 2."""
    folder: Path


@dataclass(slots=True)
class Groups:
    """Where groups can be made, by what they limit."""

    prefix: str
    """With which the names of our groups begin."""
    parents: dict[str, Parent] = field(default_factory=dict[str, "Parent"])
    """For ``memory`` and ``cpu``, as far as there is one: in version 2 the same."""
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Why not, in words."""

    def make(self, name: str, *, cpu: float | None, memory: int) -> tuple[str, ...]:
        """Folders of groups with these limits, as far as they can be made."""
        made: dict[str, None] = {}
        for controller, limit in (("memory", memory), ("cpu", cpu)):
            parent = self.parents.get(controller)
            if parent is None or not limit:
                continue
            folder = parent.folder / f"{self.prefix}{name}"
            try:
                folder.mkdir(exist_ok=True)
                made[str(folder)] = None
                for file, text in _settings(parent.version, controller, limit):
                    (folder / file).write_text(text)
            except OSError:  # a group that limits nothing would be a lie
                made.pop(str(folder), None)
                remove(folder)
        return tuple(made)

    def clear(self) -> None:
        """Remove what an earlier worker has left; its processes are gone."""
        for parent in set(self.parents.values()):
            for left in parent.folder.glob(f"{self.prefix}*"):
                remove(left, 0)


def _settings(version: int, controller: str, limit: float) -> list[tuple[str, str]]:
    """Files of a group, and what to write into them."""
    if controller == "cpu":
        quota = int(limit * PERIOD)
        if version == 2:
            return [("cpu.max", f"{quota} {PERIOD}")]
        return [("cpu.cfs_period_us", str(PERIOD)), ("cpu.cfs_quota_us", str(quota))]
    if version == 2:
        settings = [("memory.max", str(int(limit))), ("memory.oom.group", "1")]
        swap = "memory.swap.max", "0"
        return [*settings, swap] if Path("/proc/swaps").read_text().count("\n") > 1 else settings
    return [("memory.limit_in_bytes", str(int(limit)))]


def enter(folders: tuple[str, ...]) -> None:
    """Put this process, and whatever it forks, into the groups."""
    for folder in folders:
        with contextlib.suppress(OSError):
            Path(folder, "cgroup.procs").write_text("0")


def kills(folder: str | Path) -> int:
    """How many processes of a group the kernel has killed for their memory."""
    for name in ("memory.events", "memory.oom_control"):
        with contextlib.suppress(OSError):
            for line in Path(folder, name).read_text().splitlines():
                words = line.split()
                if words[0] == "oom_kill":
                    return int(words[1])
    return 0


def remove(folder: str | Path, patience: float = EMPTYING) -> None:
    """Remove a group whose processes are dead or dying, within `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > end:
                return
            time.sleep(0.002)
        else:
            return


def memory_limit() -> int | None:
    """Bytes that the group of this process may use, where it has a limit: that of its container."""
    if sys.platform != "linux":
        return None
    for name, place in _places().items():
        file = place.folder / ("memory.max" if name == "" else "memory.limit_in_bytes")
        with contextlib.suppress(OSError, ValueError):  # "max" is none
            return int(file.read_text())
    return None


# --- where -----------------------------------------------------------------------------------------------------------


def find(home: Path, *, settle: bool = False) -> Groups:
    """Where a worker of this home can make groups.

    Args:
        settle: prepare it, by moving this process into a group of its own where the kernel asks for that.
    """
    groups = Groups(f"operator-lib-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}-")
    if sys.platform != "linux":
        groups.refused = dict.fromkeys(WANTED, "only Linux has control groups")
        return groups
    places = _places()
    for controller in WANTED:
        try:
            if controller in places:
                _check_ours(places[controller])
                parent = Parent(1, places[controller].folder)
            else:
                parent = Parent(2, _unified(places, controller, groups.prefix, settle))
            _try(parent, controller, groups.prefix)
        except (OSError, ValueError) as problem:
            groups.refused[controller] = str(problem)
        else:
            groups.parents[controller] = parent
    return groups


@dataclass(frozen=True, slots=True)
class _Place:
    folder: Path
    path: str
    """Of our group, as this process sees it."""
    top: str
    """The group that is mounted."""


def _places() -> dict[str, _Place]:
    """Our own group in every mounted tree: of version 1 by controller, that of version 2 under ``""``."""
    mounts: dict[str, tuple[str, str]] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        words, (kind, _, options) = before.split(), after.split()[:3]
        if kind == "cgroup2":
            mounts[""] = words[4], words[3]
        elif kind == "cgroup":
            mounts.update({name: (words[4], words[3]) for name in options.split(",") if name in WANTED})
    found: dict[str, _Place] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            if name in mounts:
                mounted, top = mounts[name]
                inside = os.path.relpath(path, top) if path.startswith(top) else path.lstrip("/")
                found[name] = _Place(Path(mounted, inside), path, top)
    return found


def _check_ours(place: _Place) -> None:
    """Raises ValueError: the tree there is not ours to change."""
    if place.path not in ("/", place.top) and not _delegated(place.folder):
        raise ValueError(f"the group {place.path} belongs to another manager and is not delegated to this process")
    if not os.access(place.folder, os.W_OK):
        raise ValueError(f"{place.folder} cannot be written")


def _delegated(folder: Path) -> bool:
    """Whether systemd says that the group is its user's."""
    for mark in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, mark) == b"1":
                return True
    return False


def _unified(places: dict[str, _Place], controller: str, prefix: str, settle: bool) -> Path:
    """The folder of version 2 below which groups can limit this.

    Raises:
        ValueError: there is none, or it is not ours.
    """
    place = places.get("")
    if place is None:
        raise ValueError("no control groups are mounted")
    if controller not in (place.folder / "cgroup.controllers").read_text().split():
        raise ValueError(f"the controller {controller} is not there")
    _check_ours(place)
    switch = place.folder / "cgroup.subtree_control"
    if controller in switch.read_text().split():
        return place.folder
    try:
        switch.write_text(f"+{controller}")
    except OSError:
        # A group that has processes cannot hand its controllers on: ours moves down, if it is the only one.
        inside = (place.folder / "cgroup.procs").read_text().split()
        if inside != [str(os.getpid())]:
            raise ValueError(f"other processes are in the group {place.path}") from None
        if settle:
            leaf = place.folder / f"{prefix[:-1]}.worker"
            leaf.mkdir(exist_ok=True)
            (leaf / "cgroup.procs").write_text("0")
            switch.write_text(f"+{controller}")
    return place.folder


def _try(parent: Parent, controller: str, prefix: str) -> None:
    """Make one group and give it a limit.

    Raises:
        OSError: it does not work.
    """
    probe = parent.folder / f"{prefix}probe-{os.getpid()}"
    probe.mkdir()
    try:
        for file, text in _settings(parent.version, controller, 1 if controller == "cpu" else 1 << 30):
            (probe / file).write_text(text)
    finally:
        remove(probe)
