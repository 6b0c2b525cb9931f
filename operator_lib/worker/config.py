"""What a worker is started with."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operator_lib.executors import chosen
from operator_lib.worker.objects import chosen as objects
from operator_lib.worker.store import url

PORT = 7070
GRPC_PORT = 7071
MAX_QUEUED = 100_000
MAX_CALLS = 2000
KEEP_RUNS = 100_000
KEEP_DAYS = 30.0
BLOBS_CACHE = 20.0
# Runs that a cluster is asked to have room for at the same time.
WAITING = 1000


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one worker; 0 for a port means: the usual one, else a free one."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    grpc_port: int = 0
    max_runs: int = 0
    """Runs at the same time; 0 chooses by the number of cores."""
    insecure: bool = False
    """Listen on other addresses than loopback although the connection is not encrypted."""
    drain: float = 10.0
    """Seconds that a stopping worker waits for runs and calls."""
    leash: bool = False
    """Stop when standard input ends: with the process that holds its other end."""
    max_queued: int = MAX_QUEUED
    """Runs that wait; more are refused."""
    keep_runs: int = KEEP_RUNS
    """Runs that have ended and are kept, the latest; 0 keeps all."""
    keep_days: float = KEEP_DAYS
    """Days for which they are kept; 0 keeps them for ever."""
    executor: str = "local"
    """Where processes run: see operator_lib/executors/chosen.py."""
    docker_base: str = ""
    """Image that those of operators start from which name none."""
    by_hand: Mapping[str, str] | None = None
    """Options that workers of this home are started with on demand, once this one has come up."""
    allow_origins: tuple[str, ...] = ()
    """Web pages of these may use the worker; of others none."""
    max_calls: int = MAX_CALLS
    """Calls of one serving over HTTP that wait or go on; more are refused."""
    access_log: bool = False
    """A line for each HTTP request."""
    model_store: str = ""
    """Folder of the ``.mar`` files of TorchServe workflows."""
    workflow_store: str = ""
    """Folder of the ``.war`` files; that of the models by default."""
    disable_token_auth: bool = False
    """TorchServe's REST interface asks for no token. On loopback only."""
    tls_cert: str = ""
    """File with the certificate and its chain in PEM; without it nothing is encrypted."""
    tls_key: str = ""
    token_file: str = ""
    """File with the worker's token; without it one is made at the first start."""
    store: str = ""
    """URL of the database that it keeps its state in; a file in its home by default. May hold a password."""
    blobs: str = ""
    """Folder or URL of object storage that keeps uploads and ended runs; without it the home alone does."""
    blobs_cache: float = BLOBS_CACHE
    """GB (2**30 bytes) of what is in there that may lie in the home, too."""
    compat: str = ""
    """``"exact"``: it answers as the original does also where that can be bettered."""

    def check(self) -> None:
        """Refuse to be reachable from outside unless that was asked for by name, and numbers without a meaning.

        Raises:
            ValueError: the host is not loopback and `insecure` is not set, or a number is out of range.
        """
        chosen.check(self.executor, self.docker_base)
        url.check(self.store)
        if self.blobs:
            objects.check(self.blobs, self.home)
        if not 0 < self.blobs_cache <= 1e9:
            raise ValueError(f"--blobs-cache: must be more than 0 GB, got {self.blobs_cache:g}")
        if self.max_queued < 1:
            raise ValueError(f"--max-queued: must be 1 or more, got {self.max_queued}")
        if self.max_calls < 1:
            raise ValueError(f"--max-calls: must be 1 or more, got {self.max_calls}")
        for origin in self.allow_origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", origin):
                raise ValueError(f"--allow-origin: must be like https://example.org, without a path, got {origin!r}")
        for name, number in (("--keep-runs", self.keep_runs), ("--keep-days", self.keep_days)):
            if not 0 <= number <= 1e9:
                raise ValueError(f"{name}: must be 0 (without limit) or more, got {number:g}")
        if self.compat not in ("", "exact"):
            raise ValueError(f"--compat: must be exact, got {self.compat!r}")
        if self.disable_token_auth and not loopback(self.host):
            raise ValueError(f"--disable-token-auth: not with --host {self.host}, which other machines reach")
        for name, folder in (("--model-store", self.model_store), ("--workflow-store", self.workflow_store)):
            if folder and not Path(folder).is_dir():
                raise ValueError(f"{name}: {folder} is not a folder")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("--tls-cert and --tls-key go together")
        if not loopback(self.host) and not self.insecure and not self.tls_cert:
            raise ValueError(
                f"--host {self.host} can be reached from other machines and the connection is not encrypted; "
                "give it --tls-cert and --tls-key, or --insecure if the network is trusted"
            )

    @property
    def run_slots(self) -> int:
        """On a cluster its own scheduler says which of them go on, and which wait."""
        return self.max_runs or (WAITING if self.executor.startswith("ray") else max(16, 4 * (os.cpu_count() or 1)))


def loopback(host: str) -> bool:
    """Whether `host` is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
