"""What a name in a folder needs to survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def flush(folder: Path) -> None:
    """Returns when the names in it are on the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
