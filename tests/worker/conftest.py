from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


_databases = itertools.count()


@pytest.fixture
def database(postgres):
    """The URL of an empty database."""
    return postgres.database(f"test{next(_databases)}")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request):
    """Where a store is to be: each test of what all stores do runs on both."""
    return request.getfixturevalue("path" if request.param == "sqlite" else "database")
