"""The parts of these tests import one another by their names."""

import sys
from pathlib import Path

import pytest

from operator_lib.independence import processes

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _no_processes_left():
    yield
    processes.end()
