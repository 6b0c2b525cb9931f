"""A Docker engine for the tests: nobody else's, on nobody's network, gone with them.

``python private_engine.py FOLDER`` starts one and ends it when no process holds the file ``users`` any more: those that
use it, several at once, hold it locked (shared).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO

import platformdirs

BASE = "operator-lib-tests-base"
# Debian's releases by the Python that they have: that of the tests has to be in the image.
RELEASES = {"3.11": "bookworm", "3.13": "trixie"}
PACKAGES = "python3,python3-venv,ca-certificates"
MIRROR = "http://deb.debian.org/debian"
# Seconds for a root to be fetched, for an engine to come up, and to go.
FETCH, START, END = 600.0, 120.0, 90.0


class NoEngine(Exception):
    """Why the tests that need one are skipped."""


def root_file() -> Path:
    """A minimal Debian with Python as a tar file; kept from one time to the next.

    Raises:
        NoEngine: it cannot be had.
    """
    python = "{}.{}".format(*sys.version_info[:2])
    release = RELEASES.get(python)
    if release is None:
        raise NoEngine(f"no release of Debian has Python {python}")
    mirror = debian_mirror()
    key = hashlib.sha256(json.dumps([release, PACKAGES, mirror]).encode()).hexdigest()[:16]
    cache = platformdirs.user_cache_path("operator_lib-tests", ensure_exists=True)
    target = cache / f"root-{release}-{key}.tar"
    with open(cache / f"{target.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _fetch(release, mirror, target)
    return target


def _fetch(release: str, mirror: str, target: Path) -> None:
    folder, partial = target.with_suffix(".root"), target.with_suffix(".partial")
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(folder), mirror]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH)
        if done.returncode:
            raise NoEngine(f"no root could be made: {' '.join((done.stderr or done.stdout).split()[-40:])}")
        shutil.rmtree(folder / "var/cache/apt", ignore_errors=True)
        subprocess.run(["tar", "-C", folder, "-cf", partial, "."], check=True)
        partial.rename(target)
    except (OSError, subprocess.SubprocessError) as problem:
        raise NoEngine(f"no root could be made: {problem}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        partial.unlink(missing_ok=True)


def debian_mirror() -> str:
    """The one that this machine is set up with, when it is a Debian."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        return next((uri.rstrip("/") for uri in found if "security" not in uri), MIRROR)
    return MIRROR


@contextlib.contextmanager
def using(folder: Path) -> Generator[str]:
    """The address of the engine in `folder`, which is started if nobody has, with the image `BASE` in it.

    Raises:
        NoEngine: there can be none here.
    """
    if os.getuid() != 0:
        raise NoEngine("an engine can only be started by root")
    lacking = [tool for tool in ("docker", "dockerd", "debootstrap") if shutil.which(tool) is None]
    if lacking:
        raise NoEngine(f"not installed: {', '.join(lacking)} (apt-get install docker.io debootstrap)")
    root = root_file()
    address = f"unix://{folder}/docker.sock"
    with _shared(folder), open(folder / "starting", "w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _start(folder, address, root)
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield address
    end = time.monotonic() + END
    while folder.exists() and not _used_by_others(folder):
        if time.monotonic() > end:
            raise TimeoutError(f"the engine in {folder} does not end")
        time.sleep(0.05)


@contextlib.contextmanager
def _shared(folder: Path) -> Generator[None]:
    """Be one of its users."""
    while True:
        folder.mkdir(exist_ok=True, mode=0o700)
        with open(folder / "users", "a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            if _is(users, folder / "users"):
                yield
                return
        # The last one was ended just now: there is to be another.


def _is(file: IO[str], path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _used_by_others(folder: Path) -> bool:
    with contextlib.suppress(OSError), open(folder / "users") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(BlockingIOError):  # its keeper, who is ending it
                fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return True
    return False


def _start(folder: Path, address: str, root: Path) -> None:
    # It may outlive the tests that start it, if others use it: it does not count as theirs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_OPERATOR_LIB")}
    with open(folder / "log", "ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, __file__, str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd="/", env=environment, start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + START
    while not (folder / "up").exists():
        if keeper.poll() is not None or time.monotonic() > end:
            said = (folder / "why").read_text() if (folder / "why").exists() else "it did not come up"
            shutil.rmtree(folder, ignore_errors=True)
            raise NoEngine(f"no engine can be started here: {said}")
        time.sleep(0.05)
    docker = ["docker", "--host", address]
    subprocess.run([*docker, "import", str(root), BASE], check=True, capture_output=True, timeout=FETCH)
    (folder / "ready").touch()


def keep(folder: Path) -> None:
    """Run an engine for as long as somebody uses it."""
    daemon = _daemon(folder)
    try:
        if daemon is None:
            return
        (folder / "up").touch()
        with open(folder / "users") as users:
            fcntl.flock(users, fcntl.LOCK_EX)  # when all others have let go
    finally:
        if daemon is not None:
            _end(daemon)
            _unmount(folder)
            subprocess.run(["rm", "-rf", folder.rename(f"{folder}-ended")])  # takes its time, for which nobody waits


def _daemon(folder: Path) -> subprocess.Popen[bytes] | None:
    for driver in ("overlay2", "vfs"):  # the second one works everywhere, and copies everything
        log = folder / f"{driver}.log"
        with open(log, "wb") as file:
            daemon = subprocess.Popen(
                [
                    "dockerd", "--iptables=false", "--bridge=none", f"--storage-driver={driver}",
                    "--host", f"unix://{folder}/docker.sock", "--data-root", folder / driver,
                    "--exec-root", folder / "exec", "--pidfile", folder / "pid",
                ],
                stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        asked = ["docker", "--host", f"unix://{folder}/docker.sock", "version"]
        end = time.monotonic() + START / 2
        while daemon.poll() is None and time.monotonic() < end:
            if subprocess.run(asked, capture_output=True).returncode == 0:
                return daemon
            time.sleep(0.1)
        _end(daemon)
        (folder / "why").write_text(" ".join(log.read_text(errors="replace").split()[-60:]))
    return None


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(END / 3)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def _unmount(folder: Path) -> None:
    """What the engine has left mounted would keep the folder."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for path in sorted((path for path in mounted if path.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", path], capture_output=True)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
