"""The worker's own packages at the end of an environment's path: there without being installed, and never in
the way.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import operator_lib

PTH = "zz_operator_lib_worker.pth"


def append_worker(environment: Path, minor: str) -> None:
    """Write the ``.pth`` of an environment. For another minor version the worker's compiled packages would
    not load: then only operator_lib itself is appended.
    """
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    folders = worker_folders() if minor == own else [_home_of_operator_lib()]
    target = environment / "lib" / f"python{minor}" / "site-packages" / PTH
    target.write_text("".join(f"{folder}\n" for folder in folders))


def worker_folders() -> list[str]:
    """Where this process finds its packages. A line of a ``.pth`` adds one folder and reads no ``.pth`` in
    it: the project of an editable install has to be named itself.
    """
    found = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages") and os.path.isdir(p)]
    return list(dict.fromkeys([*found, _home_of_operator_lib()]))


def _home_of_operator_lib() -> str:
    return str(Path(operator_lib.__path__[0]).resolve().parent)
