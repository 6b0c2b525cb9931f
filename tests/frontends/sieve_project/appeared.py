"""Waiting for a file."""

import time
from pathlib import Path


def appeared(path: Path, seconds: float = 60.0) -> None:
    """Returns when it is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(0.01)
