"""A serving that one of several workers holds answers through any of them, and comes up again elsewhere."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
import requests
import shared_jobs as jobs
from workers import until

from operator_lib import Operator
from operator_lib.errors import AuthenticationError


def test_a_serving_answers_through_any_worker_and_survives_its_own(cluster):
    a, b = cluster.start(), cluster.start()
    of_a, of_b = ({"address": one.address, "token": cluster.token} for one in (a, b))
    counter = jobs.Counter.deploy("counter", **of_a)
    assert [counter.add() for _ in range(3)] == [1, 2, 3]
    pid = counter.pid()

    # gRPC, by way of the other one: the same object.
    url = f"{b.found.url}/v1/servings/counter/"
    there = Operator.from_serving(url, cluster.token)
    assert there.add() == 4
    assert there.serving.stats()["replicas"][0]["pid"] == pid
    # HTTP: calls, what it is, who may call it.
    owner = {"Authorization": f"Bearer {cluster.token}"}
    assert requests.post(f"{url}add", json={}, headers=owner).json() == 5
    large = requests.post(f"{url}echo", json={"text": "x" * 3_000_000}, headers=owner)
    assert large.json() == "x" * 3_000_000
    failed = requests.post(f"{url}nothing", json={}, headers=owner)
    assert (failed.status_code, failed.json()["error"]["type"]) == (404, "NotFound")
    assert requests.post(f"{url}upto", json={"n": 3}, headers=owner).text.split() == ["0", "1", "2"]
    own = {"Authorization": f"Bearer {counter.token}"}
    assert requests.post(f"{url}add", json={}, headers=own).json() == 6
    assert requests.get(url, headers=own).json()["version"] == 1
    assert requests.post(f"{url}add", json={}, headers={"Authorization": "Bearer wrong"}).status_code == 401
    with pytest.raises(AuthenticationError):
        Operator.from_serving(url, "wrong").add()
    managed = f"{b.found.url}/v1/deployments/serving/counter/stats"
    assert requests.get(managed, headers=owner).json()["replicas"][0]["pid"] == pid
    # Changing it, by way of the other one: it stays where it is.
    changed = jobs.Counter.deploy("counter", concurrency=2, **of_b)
    assert changed.add() == 1
    assert os.getpgid(changed.pid())
    assert requests.post(f"{a.found.url}/v1/servings/counter/add", json={}, headers=owner).json() == 2

    a.kill()
    answers = []  # one that is made too early is refused, or waits for whoever takes over

    def called() -> bool:
        answers.append(requests.post(f"{url}add", json={}, headers=owner))
        return answers[-1].status_code != 503

    until(called)
    assert answers[-1].json() == 1, "a new object, with the worker that is left"
    assert there.add() == 2, "who was connected goes on"
    b.signal(signal.SIGTERM)
    assert b.popen.wait(60) == 0


def test_a_database_has_one_home_and_a_home_one_database(cluster):
    cluster.start()
    other = type(cluster)(cluster.home.with_name("another"), cluster.url)
    with pytest.raises(AssertionError, match="the database belongs to workers with another home"):
        other.start()
    with pytest.raises(AssertionError, match="workers with another home use the database"):
        other.start("--blobs", str(cluster.home.with_name("kept")))
    alone = type(cluster)(cluster.home, "")
    with pytest.raises(AssertionError, match="already running"):
        alone.start()


def test_with_object_storage_another_home_takes_the_place_of_one_that_is_left(cluster, tmp_path):
    kept = ("--blobs", str(tmp_path / "kept"))
    first = cluster.start(*kept)
    run = jobs.quick.deploy("quick", address=first.address, token=cluster.token).submit(str(tmp_path / "n"), "one")
    assert run.result(60) == "one"
    first.signal(signal.SIGTERM)
    assert first.popen.wait(60) == 0
    shutil.rmtree(cluster.home)
    second = cluster.start(*kept)
    again = Operator.from_job("quick", address=second.address, token=cluster.token)
    assert again.run(run.id).result(10) == "one"
    assert again(str(tmp_path / "n"), "two") == "two"
