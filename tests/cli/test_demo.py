from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")


def test_the_demo_works_and_leaves_nothing_behind(cli: Any, tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("operator-lib-demo-*"))
    home = tmp_path / "home"
    done = cli("demo", check=0, OPERATOR_LIB_HOME=str(home), TMPDIR=str(tmp_path)).out
    for words in (
        "models.1: Train",
        "fold 5 of 5",
        "the same numbers as here",
        "/v1/servings/digits-reader/",
        "% right",
    ):
        assert words in done
    assert max(map(len, done.splitlines())) <= 80
    assert "\x1b" not in done
    assert not home.exists()
    assert list(tmp_path.iterdir()) == []
    assert set(Path(tempfile.gettempdir()).glob("operator-lib-demo-*")) == before


def test_the_example_is_short_enough_to_be_read() -> None:
    import operator_lib.demo

    file = Path(operator_lib.demo.__file__).parent / "digits" / "pipeline.py"
    assert len(file.read_text().splitlines()) <= 90
