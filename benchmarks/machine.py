"""Where the figures were taken, and with which versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from benchmarks.peers import separate

PACKAGES = ("operator_lib", "grpcio", "protobuf", "cloudpickle", "torch", "ray")


def machine() -> dict[str, str]:
    """CPU, cores, system, Python, and the load before the run; no name of the machine."""
    return {
        "cpu": cpu(),
        "cores": str(os.cpu_count() or "unknown"),
        "os": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def cpu() -> str:
    """The processor's model, as the system names it."""
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return named[1].strip() if named else platform.machine()
    except (OSError, subprocess.CalledProcessError):
        return platform.machine()


def versions() -> dict[str, str]:
    """Of what takes part; what is not installed is not listed."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found | {peer.name: version for peer in separate.ALL if (version := peer.version())}
