"""What a tree of processes uses: memory, and room in its private folders.

Memory is what cannot be dropped: anonymous and shared memory and what was swapped out, not files that are only mapped
or cached. Pages that forks share count once, so that a pool of workers over one large array is measured as what it is.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

# Lines of /proc/PID/status, and of /proc/PID/smaps_rollup, that count; both are in kB.
_RESIDENT = (b"RssAnon:", b"RssShmem:", b"VmSwap:")
_PROPORTIONAL = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


def memory(pids: Iterable[int], enough: int) -> int:
    """Bytes that the processes hold together; only roughly, and rather too high, where that is at most `enough`."""
    if sys.platform != "linux":
        return _listed(set(pids))
    held = {pid: _sum(f"/proc/{pid}/status", _RESIDENT) or 0 for pid in pids}
    total = sum(held.values())
    if total <= enough:
        return total
    found = exact(held)
    # Some end while the others are looked at, and what they shared counts twice: who is over the limit is so again.
    return found if found <= enough else min(found, exact(held))


def exact(held: dict[int, int]) -> int:
    """Forks may share some of what they hold. The exact figure takes a walk through the page tables."""
    found = ((_sum(f"/proc/{pid}/smaps_rollup", _PROPORTIONAL), size) for pid, size in held.items())
    return sum(size if precise is None else precise for precise, size in found)


def _sum(path: str, names: tuple[bytes, ...]) -> int | None:
    """Bytes in the lines called so, none of a process that has ended; None when it may not be read, or never could."""
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except (FileNotFoundError, ProcessLookupError):
        return 0 if os.path.exists(f"/proc/self/{os.path.basename(path)}") else None
    except OSError:
        return None
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(names))


def _listed(pids: set[int]) -> int:
    shown = subprocess.run(["ps", "-axo", "pid=,rss="], capture_output=True, text=True).stdout
    rows = (line.split() for line in shown.splitlines())
    return sum(int(rss) << 10 for pid, rss in rows if int(pid) in pids)


def disk(folders: Iterable[str], pids: Iterable[int]) -> int:
    """Bytes on the disk of what is in the folders, and of what was deleted there but is still open in the processes."""
    folders = [os.path.realpath(folder) for folder in folders]
    seen: set[tuple[int, int]] = set()
    total = 0
    for found in (*_files(folders), *_deleted(folders, pids)):
        key = (found.st_dev, found.st_ino)
        if found.st_nlink == 1 or key not in seen:
            total += found.st_blocks * 512
            seen.add(key)
    return total


def _files(folders: list[str]) -> Iterator[os.stat_result]:
    waiting = list(folders)
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # deleted meanwhile
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)


def _deleted(folders: list[str], pids: Iterable[int]) -> Iterator[os.stat_result]:
    """Temporary files without a name (Linux)."""
    beginnings = tuple(f"{folder}/" for folder in folders)
    for pid in pids:
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{fd}")
                    if target.endswith(" (deleted)") and target.startswith(beginnings):
                        yield os.stat(f"/proc/{pid}/fd/{fd}")
