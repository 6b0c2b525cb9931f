from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_lib import worker as workers
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))
sys.dont_write_bytecode = True


@pytest.fixture(scope="module")
def worker() -> Iterator[LocalWorker]:
    """A worker for all tests of the file; calls without an address go to it."""
    with workers.local() as started:
        yield started
