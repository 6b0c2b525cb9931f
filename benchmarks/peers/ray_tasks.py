"""Ray on this machine alone, started once."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Generator
from typing import Any


@contextlib.contextmanager
def cluster(cpus: int) -> Generator[Any]:
    """The module ``ray``, connected to a cluster of this process; stopped and its files removed afterwards."""
    os.environ.update({
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),  # of this cluster alone: Ray would keep one in the user's home
        "RAY_gcs_server_port_wait_time_s": "60",  # a busy machine needs more than the default
    })  # fmt: skip
    import ray

    # Not in TMPDIR: the names of Ray's sockets must stay under the 104 characters that macOS allows.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(
            address="local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, configure_logging=False,
            _temp_dir=folder,
        )  # fmt: skip
        try:
            yield ray
        finally:
            ray.shutdown()
