"""Time limits of calls of a serving: the one that is over them ends, the others do not suffer."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import urllib.error
import urllib.request

import pytest
import slow

from operator_lib.errors import OperatorTimeout, WorkerDied

SECOND = r"^call of slow: ran for 1\.\d s, the limit is 1 s$"


@pytest.fixture(scope="module")
def serving(worker):
    return slow.Slow.deploy("slow")


@pytest.mark.parametrize("how", ["c", "loop", "sleep"])
def test_nothing_keeps_a_call_alive(serving, how):
    before = serving.pid()
    with pytest.raises(OperatorTimeout, match=SECOND):
        serving.work(how)
    assert serving.pid() != before, "a process is gone with its thread, and __remote_init__ is called in the next one"
    assert serving.work("nothing") == 1, "its state is that of a new object"


def test_special_methods_are_calls_too(serving):
    assert serving[0.0] == 0.0
    with pytest.raises(OperatorTimeout, match=SECOND):
        serving[60.0]


def test_a_coroutine_is_cancelled_and_the_object_lives(serving):
    before = serving.pid()
    with pytest.raises(OperatorTimeout, match=SECOND):
        asyncio.run(serving.waits(60.0))
    assert serving.pid() == before


def test_a_coroutine_that_does_not_obey_takes_the_process_with_it(serving):
    before = serving.pid()
    with pytest.raises(OperatorTimeout, match=r"ran for [23]\.\d s, the limit is 1 s"):
        asyncio.run(serving.stays())
    assert serving.pid() != before


def test_progress_starts_the_clock_anew_and_children_have_their_own(serving):
    assert serving.reports(4) == 4
    assert serving.child(1.5) == 1.5
    with pytest.raises(OperatorTimeout, match=r"^call of slow: nap ran for 2\.\d s, the limit is 2 s$"):
        serving.child(60.0)


def test_each_item_of_a_generator_has_the_whole_time(serving):
    assert list(serving.items([0.6, 0.6, 0.6])) == [0.6, 0.6, 0.6]
    items = serving.items([0.0, 60.0])
    assert next(items) == 0.0
    with pytest.raises(OperatorTimeout, match=SECOND):
        next(items)


def test_calls_behind_it_go_to_the_next_process_each_once(serving, tmp_path):
    path = tmp_path / "calls"
    calls = [serving.noted.submit(str(path), seconds) for seconds in (0.01, 0.02, 60.0, 0.03, 0.04)]
    assert [call.result(30) for call in (*calls[:2], *calls[3:])] == [0.01, 0.02, 0.03, 0.04]
    with pytest.raises(OperatorTimeout):
        calls[2].result()
    assert sorted(map(float, path.read_text().split())) == [0.01, 0.02, 0.03, 0.04, 60.0]


def test_calls_beside_it_say_what_has_ended_them(worker):
    wide = slow.Wide.deploy("wide")
    calls = [wide.nap.submit(60.0), wide.nap.submit(0.7)]
    assert calls[1].result(30) == 0.7
    beside = wide.nap.submit(0.9)
    with pytest.raises(OperatorTimeout):
        calls[0].result(30)
    with pytest.raises(WorkerDied, match=r"another of its calls took too long \(ran for 1\.\d s, the limit is 1 s\)"):
        beside.result(30)


def post(serving, method, value):
    """Status and body."""
    headers = {"Authorization": f"Bearer {serving.token}"}
    request = urllib.request.Request(f"{serving.url}{method}", json.dumps(value).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


class TestHTTP:
    @pytest.mark.parametrize("method", ["work", "waits"])
    def test_the_status_is_504(self, serving, method):
        status, body = post(serving, method, 60.0 if method == "waits" else {"how": "sleep"})
        error = json.loads(body)["error"]
        assert (status, error["type"]) == (504, "OperatorTimeout")
        assert re.match(SECOND, error["message"])

    def test_a_call_behind_it_is_answered(self, serving, tmp_path):
        path = tmp_path / "calls"
        hangs = serving.noted.submit(str(path), 60.0)
        while not path.exists():
            pass
        answers = []
        waiting = threading.Thread(
            target=lambda: answers.append(post(serving, "noted", {"path": str(path), "seconds": 0.01}))
        )
        waiting.start()
        with pytest.raises(OperatorTimeout):
            hangs.result(30)
        waiting.join()
        assert answers == [(200, "0.01")]
        assert path.read_text().split() == ["60.0", "0.01"]

    def test_a_stream_of_items_ends_with_it(self, serving):
        status, body = post(serving, "items", {"pauses": [0.0, 60.0]})
        first, last = body.splitlines()
        assert (status, first) == (200, "0.0")
        assert json.loads(last)["error"]["type"] == "OperatorTimeout"


def test_in_a_run_a_coroutine_is_cancelled_too(worker):
    run = slow.Cancelled().deploy("cancelled").submit()
    _, words = run.result(30)
    assert re.fullmatch(r"later ran for 1\.\d s, the limit is 1 s", words)
    assert run.attempts == 1, "the process was not needed any less"
