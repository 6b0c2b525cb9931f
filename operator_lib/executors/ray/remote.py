"""What runs in Ray's own processes on the nodes. It is named, not sent: nodes have operator_lib installed."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from operator_lib.executors.ray.lease import hold, meeting

ray: Any = importlib.import_module("ray")

# By which Ray tells its own processes what they are; not for ours.
_RAYS = ("RAY_", "PYTHONBREAKPOINT")


def _here() -> tuple[str, list[str]]:
    """The node, and the cards that Ray has chosen, by their numbers."""
    found = ray.get_runtime_context()
    return found.get_node_id(), [str(card) for card in found.get_accelerator_ids().get("GPU", [])]


def run(session: str, lease: str) -> None:
    """The task that stands for a run."""
    node, cards = _here()
    hold(meeting(session, node), lease, cards)


class Resident:
    """The actor that stands for a replica, or for an operator with resources of its own."""

    def stay(self, session: str, lease: str) -> None:
        node, cards = _here()
        hold(meeting(session, node), lease, cards)


class Outpost:
    """The actor that keeps the outpost of a node: it ends with the driver, and the outpost with it."""

    def __init__(self, setup: dict[str, Any], session: str) -> None:
        node, _ = _here()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "operator_lib.executors.ray.outpost"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={name: value for name, value in os.environ.items() if not name.startswith(_RAYS)},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        whole = setup | {"node": node, "leases": meeting(session, node), "host": setup["host"] or _address()}
        self._host = whole["host"]
        self._process.stdin.write(json.dumps(whole).encode() + b"\n")
        self._process.stdin.flush()

    def where(self) -> dict[str, Any]:
        """Where it listens.

        Raises:
            OSError: it did not come up.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"the process of operator_lib ended with exit {self._process.wait()}; Ray's logs have more")
        return {**json.loads(line), "host": self._host}

    def wait(self) -> int:
        """Until it ends."""
        return self._process.wait()


def _address() -> str:
    return ray.util.get_node_ip_address()
