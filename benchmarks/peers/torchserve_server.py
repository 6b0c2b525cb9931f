"""TorchServe with the folders of models and workflows that it is told. Run by the Python of its environment.

The first line is the folder. ``inference`` and ``management`` are answered with ports, ``pid`` with that of the server.
"""

# pyright: basic

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

NAMES = ("inference", "management", "metrics", "grpc_inference", "grpc_management")


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(store: str, ports: dict[str, int]) -> subprocess.Popen[bytes]:
    lines = [f"{name}_address=http://127.0.0.1:{ports[name]}" for name in NAMES[:3]]
    lines += [f"{name}_port={ports[name]}" for name in NAMES[3:]]
    Path("config.properties").write_text("\n".join([*lines, "default_workers_per_model=1", ""]))
    home = os.getcwd()
    kept = dict.fromkeys(("TMPDIR", "TEMP", "LOG_LOCATION", "METRICS_LOCATION"), home)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["torchserve", "--start", "--foreground", "--ncs", "--disable-token-auth", "--ts-config"]
    command += ["config.properties", "--model-store", store, "--workflow-store", store]
    command[0] = str(Path(sys.executable).with_name("torchserve"))
    with open("log", "wb") as log:
        # In a session of its own: its processes outlive a SIGTERM, and are ended together.
        return subprocess.Popen(
            command, env={**os.environ, **kept, "PATH": path}, stdout=log, stderr=log, start_new_session=True
        )


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what it prints is no answer
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    process: subprocess.Popen[bytes] | None = None
    try:
        for line in sys.stdin:
            word = line.strip()
            if process is None:
                process = start(word, ports)
                while process.poll() is None:
                    with socket.socket() as tried:
                        if tried.connect_ex(("127.0.0.1", ports["management"])) == 0:
                            break
                    time.sleep(0.1)
            answer = ports.get(word, process.pid)
            print(float(answer), file=out, flush=True)
    finally:
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    main()
