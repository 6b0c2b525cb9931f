"""The parts of these tests import one another as `walks.program`, `walks.acceptor`, ..."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A `Folder` for programs."""
    from walks.running import Folder

    monkeypatch.syspath_prepend(tmp_path)
    yield Folder(tmp_path)
    sys.modules.pop("walk_base", None)
