"""Operators with images of their own."""

import importlib.metadata
import os
import shutil
import stat
import sys
from pathlib import Path

from operator_lib import Image, operator


@operator(
    image=Image(
        python_packages=["./wheels/tinypkg-1.0-py3-none-any.whl"],
        system_packages=["hello"],
        env={"GREETING": 'say "$HOME"'},
        copy={"data.txt": "/srv/data.txt"},
        run_commands=["python -c 'import tinypkg; print(tinypkg.value)' > /srv/made.txt"],
    )
)
def everything() -> dict:
    import tinypkg

    return {
        "package": tinypkg.value,
        "system": shutil.which("hello"),
        "env": os.environ["GREETING"],
        "copied": Path("/srv/data.txt").read_text(),
        "made": Path("/srv/made.txt").read_text(),
        "ours": importlib.metadata.version("operator_lib"),
    }


@operator(image=Image(run_commands=["echo about to fail; cat /nonexistent"]))
def failing():
    pass


@operator(image=Image(base="registry.invalid/nobody/nothing:1"))
def baseless():
    pass


@operator
def inside(paths: list) -> dict:
    """What a process can do to the machine, and see of it."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return {
        "seen": [path for path in paths if os.path.exists(path)],
        "written": [path for path in paths if can_write(path)],
        "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
        "no_new_privileges": status["NoNewPrivs"].strip(),
        "processes": len([name for name in os.listdir("/proc") if name.isdecimal()]),
        "environment": sorted(os.environ),
        "private": stat.S_IMODE(os.stat("/tmp").st_mode),
        "python": sys.executable,
    }


def can_write(path: str) -> bool:
    try:
        target = Path(path, "probe") if os.path.isdir(path) else Path(path)
        with target.open("ab"):
            pass
    except OSError:
        return False
    return True
