from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from operator_lib import endpoint

pytest.importorskip("sklearn")


@pytest.mark.xdist_group("demo")
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


def test_keep_uses_the_users_worker_and_leaves_the_deployments(cli: Any, local_worker: Any) -> None:
    found = cli("demo", "--keep", "--json", check=0).json
    assert found["equal"] is True
    assert found["accuracy"][found["winner"]] == max(found["accuracy"].values()) == found["served_accuracy"] > 0.9
    assert set(found["timings"]) == {"dag", "local", "worker", "deploy", "run", "serve", "predict"}
    names = {d["name"]: d["kind"] for d in cli("ps", "--json", check=0).json}
    assert (names["digits"], names["digits-reader"]) == ("job", "serving")
    assert endpoint.running(local_worker.home) is not None
    cli("delete", "digits-reader", check=0)
    cli("delete", "digits", check=0)


def test_the_example_is_short_enough_to_be_read() -> None:
    import operator_lib.demo

    file = Path(operator_lib.demo.__file__).parent / "digits" / "pipeline.py"
    assert len(file.read_text().splitlines()) <= 90
