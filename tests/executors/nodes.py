"""A Ray cluster of several nodes on this machine, as a process of its own: ``python nodes.py COUNT CPUS``.

It says where it is, as JSON; each line on its standard input kills a node as a power cut would (the last one first, the
first one stays). It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile

import psutil

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_TMPDIR": tempfile.mkdtemp(dir="/tmp")}

from ray.cluster_utils import Cluster  # noqa: E402


def kill(node: object) -> None:
    """Everything that the node has started, at once."""
    (raylet,) = node.all_processes["raylet"]  # type: ignore[attr-defined]
    for process in [psutil.Process(raylet.process.pid), *psutil.Process(raylet.process.pid).children(recursive=True)]:
        process.send_signal(signal.SIGKILL)


def main() -> None:
    count, cpus = int(sys.argv[1]), int(sys.argv[2])
    each = {"num_cpus": cpus, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=each)
    del each["include_dashboard"]
    others = [cluster.add_node(**each) for _ in range(count - 1)]
    print(json.dumps({"address": cluster.address, "nodes": [n.unique_id for n in others]}), flush=True)
    for _ in sys.stdin:
        kill(others.pop())
        print("killed", flush=True)
    cluster.shutdown()
    shutil.rmtree(os.environ["RAY_TMPDIR"], ignore_errors=True)


if __name__ == "__main__":
    main()
