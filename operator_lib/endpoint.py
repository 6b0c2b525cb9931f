"""Where the local worker lives: its home, its address file, its token; and starting it when it is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

# Files in the home.
ENDPOINT = "endpoint.json"
TOKEN = "token"
LOG = "worker.log"
SETTINGS = "settings.json"
# In the environment of every process of a worker: its home.
OF = "OPERATOR_LIB_OF"

# Seconds for a worker to come up.
START = 60.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach a worker on this machine. Holds no secret."""

    url: str
    grpc_address: str
    pid: int
    home: str
    token_file: str
    version: str
    certificate: str = ""
    """File with its certificate in PEM; empty without TLS."""
    certificate_name: str = ""
    """One that it is for."""

    def write(self) -> None:
        """Put it into the home, whole or not at all."""
        path = Path(self.home) / ENDPOINT
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)))
        os.replace(partial, path)


def home_folder(home: str | os.PathLike[str] | None = None) -> Path:
    """The local worker's home: `home`, else ``OPERATOR_LIB_HOME``, else the platform's place for data of the user.

    In a process of a worker it is the home of that one.
    """
    chosen = home or os.environ.get("OPERATOR_LIB_HOME") or os.environ.get(OF)
    if chosen:
        return Path(chosen).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_data_dir("operator_lib"))


def alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended (one whose parent has not collected it yet has)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def _state(pid: int) -> str:
    """A letter for what a process does, as ``ps`` shows it; empty when it cannot be told."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
        return listed.stdout.strip()[:1]


def last(home: Path) -> Endpoint | None:
    """The worker that lives in `home` or lived there last, or None."""
    try:
        return Endpoint(**json.loads((home / ENDPOINT).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(home: Path) -> Endpoint | None:
    """The worker that lives in `home`, or None."""
    found = last(home)
    return found if found is not None and alive(found.pid) and _locked(home) else None


def _locked(home: Path) -> bool:
    """Whether a worker holds the lock of the home: a pid alone may have been given to somebody else."""
    import fcntl

    try:
        with open(home / "lock", "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # several workers may share it
            except OSError:
                return True
            return False
    except OSError:
        return False


def read_token(home: Path) -> str:
    """The worker's token.

    Raises:
        PermissionError: others may read the file.
    """
    path = home / TOKEN
    mode = path.stat().st_mode
    if mode & 0o077:
        raise PermissionError(f"{path} can be read by others (mode {mode & 0o777:o}); run: chmod 600 {path}")
    return path.read_text().strip()


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for nobody but their owner."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def ensure(
    home: Path, options: Mapping[str, str] | None = None, *, wait: float = START, leash: bool = False
) -> Endpoint:
    """The worker of `home`, started if it is not running. Two callers at once get the same one.

    Without `options` one is started as the last that was started by hand: see `remember`.

    With `leash`, one that is started here stops when this process ends, however it ends.

    Raises:
        ConnectionError: it did not come up; the message has the end of its log.
    """
    found = running(home)
    if found is not None:
        return found
    if os.environ.get(OF) == str(home):
        raise ConnectionError(
            f"this is a process of the worker in {home}, which has ended or cannot be seen from here; "
            "where it runs on, give the process OPERATOR_LIB_ADDRESS and OPERATOR_LIB_TOKEN"
        )
    make_private(home)
    process = launch(home, remembered(home) if options is None else options, leash=leash)
    end = time.monotonic() + wait
    while time.monotonic() < end:
        found = running(home)
        if found is not None:
            return found
        # One that ended may have lost the race against another, which is then about to come up.
        if process.poll() not in (None, 0, 3):
            break
        time.sleep(0.01)
    raise ConnectionError(f"the local worker did not start; {home / LOG} ends with:\n{tail(home / LOG)}")


def remember(home: Path, options: Mapping[str, str]) -> None:
    """Keep the options that a worker was started with by hand, for those that are started on demand."""
    make_private(home)
    partial = home / f"{SETTINGS}.{os.getpid()}"
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(dict(options)))
    os.replace(partial, home / SETTINGS)


def remembered(home: Path) -> dict[str, str]:
    """What was kept; nothing where that is damaged or missing."""
    try:
        found = json.loads((home / SETTINGS).read_text())
    except (OSError, ValueError):
        return {}
    plain = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if plain else {}


def launch(home: Path, options: Mapping[str, str], *, leash: bool = False) -> subprocess.Popen[bytes]:
    """Start a worker in the background, in a session of its own."""
    theirs: int = subprocess.DEVNULL
    if leash:
        theirs, _ours = os.pipe()  # our end is closed by the end of this process, and by nothing else
    arguments = [item for name, value in options.items() if name != "store" for item in (f"--{name}", value) if item]
    # Its URL may hold a password, and everybody sees arguments.
    environment = os.environ | ({"OPERATOR_LIB_STORE": options["store"]} if "store" in options else {})
    if leash:
        arguments.append("--leash")
    try:
        with open(home / LOG, "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "operator_lib.worker", "--home", str(home), *arguments],
                stdin=theirs,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
    finally:
        if leash:
            os.close(theirs)


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a text file."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
