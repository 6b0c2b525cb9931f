"""A worker whose uploads and ended runs are kept by a server that speaks S3. (In a folder: tests/several.)"""

from __future__ import annotations

import os

import pytest
import requests
from crash import Home
from seaweed import SECRET
from stored_jobs import Environment, Failing, Total

from operator_lib import Operator, endpoint

LARGE = os.urandom(1000) * 1100  # too large for the store, and for being packed with others


def test_a_fresh_home_goes_on_where_the_old_one_was(home: Home, afresh, tmp_path):
    run = Total().deploy("total").submit(LARGE)
    assert run.result(60)["total"] == sum(LARGE)
    go = tmp_path / "go"
    failed = Failing().deploy("failing").submit(str(go))
    with pytest.raises(ValueError, match="not yet, after 3"):
        failed.result(60)
    assert Environment().deploy("environment")() == []  # no keys of the worker's
    assert SECRET not in (home.path / endpoint.LOG).read_text()
    before = [list(old.logs()) for old in (run, failed)]

    other = afresh(home)
    assert not list((other.path / "runs").iterdir())
    again = Operator.from_job("total").run(run.id)
    refailed = Operator.from_job("failing").run(failed.id)
    assert again.result(10) == {"total": sum(LARGE), "data": LARGE}
    with pytest.raises(ValueError, match="not yet, after 3"):
        refailed.result(10)
    assert [list(old.logs()) for old in (again, refailed)] == before
    answer = requests.get(
        f"{other.found.url}/v1/runs/{failed.id}", headers={"Authorization": f"Bearer {other.token}"}, timeout=10
    )
    assert answer.json()["error"]["type"] == "ValueError"
    assert Operator.from_job("total")(LARGE[:10])["total"] == sum(LARGE[:10])
    go.touch()
    assert refailed.resume().result(60) == 3
