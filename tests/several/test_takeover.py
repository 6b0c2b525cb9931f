"""Workers that share a database: what one has begun another one ends, once, whichever of them dies or freezes."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import shared_jobs as jobs
from workers import Cluster, owners, told, until

from operator_lib import Operator


def gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    return False


def pids(lines: list[str], name: str) -> list[str]:
    return [line.split()[2] for line in lines if line.startswith(f"start {name} ")]


def both(cluster: Cluster, first: str = "2", second: str = "6"):
    return cluster.start("--max-runs", first), cluster.start("--max-runs", second)


def at(one, cluster: Cluster) -> dict[str, str]:
    return {"address": one.address, "token": cluster.token}


def test_any_worker_answers_for_any_run_and_one_that_is_killed_is_replaced(cluster, tmp_path):
    a, b = both(cluster)
    out, release = tmp_path / "out", tmp_path / "release"
    job = jobs.counted.deploy("counted", **at(a, cluster))
    runs = [job.submit(str(out), f"r{n}", str(release)) for n in range(6)]
    told(out, 6)
    assert sorted(owners(cluster.url).values()) == [2, 4], "those that found no slot at the first went to the second"

    there = Operator.from_job("counted", **at(b, cluster))
    seen = {run.id: run for run in there.runs(limit=10)}
    assert set(seen) == {run.id for run in runs}
    of_a = seen[runs[0].id]
    following = of_a.events(follow=True)
    texts = (event.get("text") for event in following if event["kind"] == "log")
    assert next(texts) == "begun r0", "what happens at the other worker is seen as it happens"

    assert runs[1].status == "RUNNING"
    seen[runs[1].id].cancel()
    until(lambda: seen[runs[1].id].status == "CANCELLED")

    a.kill()
    lines = told(out, 7)  # within the patience of `told`, which is not that of a restart
    assert [len(pids(lines, f"r{n}")) for n in range(6)] == [2, 1, 1, 1, 1, 1]
    assert next(texts) == "begun r0", "the second start follows the first in one history"
    release.touch()
    for n, run in enumerate(runs):
        if n != 1:
            assert seen[run.id].result(30) == f"r{n}"
    assert [seen[run.id].attempts for run in runs] == [2, 1, 1, 1, 1, 1]
    numbers = [event["seq"] for event in of_a.events()]
    assert numbers == list(range(1, len(numbers) + 1)), "one history without gap or repeat"


def test_a_frozen_worker_ends_what_it_has_before_another_one_begins_it(cluster, tmp_path):
    a, b = both(cluster, "4", "4")
    out, release = tmp_path / "out", tmp_path / "release"
    job = jobs.counted.deploy("counted", **at(a, cluster))
    runs = [job.submit(str(out), f"r{n}", str(release)) for n in range(2)]
    lines = told(out, 2)
    first = [pids(lines, f"r{n}")[0] for n in range(2)]
    a.signal(signal.SIGSTOP)
    lines = told(out, 3)
    begun = lines[2].split()[1]
    assert gone(pids(lines, begun)[0]), "the first process had ended when the second one began"
    told(out, 4)
    assert all(map(gone, first))
    a.signal(signal.SIGCONT)
    release.touch()
    there = {run.id: run for run in Operator.from_job("counted", **at(b, cluster)).runs()}
    assert [there[run.id].result(30) for run in runs] == ["r0", "r1"]
    assert sorted(line for line in told(out, 6) if line.startswith("done")) == ["done r0", "done r1"]
    until(lambda: "it starts anew" in a.log.read_text(), about=a.log.read_text())
    again = until(lambda: cluster.answers(a), about=a.log.read_text())  # the same process, with nothing in its memory
    assert Operator.from_job("counted", address=again, token=cluster.token)(str(out), "r2", str(release)) == "r2"


def test_runs_that_wait_are_claimed_once(cluster, tmp_path):
    a, b = both(cluster, "2", "2")
    out = tmp_path / "out"
    job = jobs.quick.deploy("quick", **at(a, cluster))
    other = Operator.from_job("quick", **at(b, cluster))
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda n: (job, other)[n % 2].submit(str(out), f"r{n}"), range(40)))
        assert list(pool.map(lambda run: run.result(60), runs)) == [f"r{n}" for n in range(40)]
    lines = told(out, 40)
    assert sorted(line.split()[1] for line in lines) == sorted(f"r{n}" for n in range(40))
    # One that is told to go leaves what waits to the other.
    release = tmp_path / "release"
    held = jobs.counted.deploy("counted", **at(a, cluster))
    runs = [held.submit(str(out), f"h{n}", str(release)) for n in range(6)]
    until(lambda: sum("start h" in line for line in told(out)) == 4)
    a.signal(signal.SIGTERM)
    release.touch()
    a.popen.wait(30)
    there = {run.id: run for run in Operator.from_job("counted", **at(b, cluster)).runs()}
    assert sorted(there[run.id].result(30) for run in runs) == [f"h{n}" for n in range(6)]
    done = [line for line in told(out) if line.startswith("done h")]
    assert sorted(done) == [f"done h{n}" for n in range(6)], "none was carried out twice"


@pytest.mark.large
@pytest.mark.timeout(400)
def test_two_hundred_runs_survive_the_database_and_their_worker(cluster, postgres, tmp_path):
    a, b = both(cluster, "100", "200")
    out, release = tmp_path / "out", tmp_path / "release"
    job = jobs.counted.deploy("counted", **at(a, cluster))
    runs = [job.submit(str(out), f"r{n}", str(release)) for n in range(200)]
    until(lambda: len(told(out)) == 200, 120)
    postgres.stop()
    postgres.start()
    a.kill()
    until(lambda: len(told(out)) == 300, 120)
    release.touch()
    there = {run.id: run for run in Operator.from_job("counted", **at(b, cluster)).runs(limit=300)}
    assert [there[run.id].result(120) for run in runs] == [f"r{n}" for n in range(200)]
    done = [line for line in told(out) if line.startswith("done")]
    assert sorted(done) == sorted(f"done r{n}" for n in range(200))
