"""What the shell offers for a deployment or a run: what the worker has. It says nothing when nobody answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

# Runs offered, newest first.
MOST = 30


def deployments(incomplete: str) -> Iterator[tuple[str, str]]:
    """Names of deployments, each with its kind and version."""
    with contextlib.suppress(Exception):
        from operator_lib.cli.flags import connect
        from operator_lib.client import inventory

        for info in inventory.deployments(connect("", "")):
            if info.name.startswith(incomplete):
                yield info.name, f"{info.kind}, version {info.version}"


def runs(incomplete: str) -> Iterator[tuple[str, str]]:
    """Ids of the newest runs, each with its job and state."""
    with contextlib.suppress(Exception):
        from operator_lib.cli.flags import connect
        from operator_lib.client import inventory

        for info in inventory.runs(connect("", ""), "", limit=MOST):
            if info.id.startswith(incomplete):
                yield info.id, f"{info.job} {info.status}"
