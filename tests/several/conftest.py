from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "project")]
sys.dont_write_bytecode = True

from workers import Cluster  # noqa: E402

_names = itertools.count()
PASSWORD = "pass-word-of-the-tests"


@pytest.fixture
def cluster(postgres, tmp_path):
    """No worker yet; those that are started share a home and a database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPERATOR_LIB_ADDRESS", raising=False)
        patch.setenv("OPERATOR_LIB_HOME", str(tmp_path / "home"))
        url = postgres.database(f"several{next(_names)}").replace("tests@", f"tests:{PASSWORD}@")
        made = Cluster(tmp_path / "home", url)
        try:
            yield made
            shown = b"".join(
                Path(f"/proc/{one.popen.pid}/cmdline").read_bytes() for one in made.workers if one.popen.poll() is None
            )
            assert PASSWORD.encode() not in shown
        finally:
            made.close()
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or PASSWORD.encode() not in file.read_bytes(), f"a password is in {file}"
