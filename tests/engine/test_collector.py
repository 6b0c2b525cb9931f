"""Calls wait for a batch: none is lost, none is taken twice, a single one does not wait."""

from __future__ import annotations

import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from operator_lib.engine.collector import Collector, Waiting

LONG = 60.0  # seconds: a test that waits for it has failed


def waiting(*calls, kind=None, wanted=lambda: True):
    return [Waiting(call, kind, wanted) for call in calls]


def taken(collector):
    return [w.call for w in collector.take()]


def test_a_single_call_does_not_wait():
    collector = Collector(32, LONG)
    for call in range(3):
        collector.put(waiting(call))
        assert taken(collector) == [call]
        collector.done(1, 100.0)


def test_what_comes_together_leaves_together():
    collector = Collector(4, LONG)
    collector.put(waiting(*range(6)))
    assert taken(collector) == [0, 1, 2, 3]
    assert taken(collector) == [4, 5]


def test_a_crowd_is_waited_for_until_it_is_there_again():
    collector = Collector(8, LONG)
    collector.put(waiting(1, 2, 3))
    assert taken(collector) == [1, 2, 3]
    collector.done(3, 2 * LONG)
    collector.put(waiting(4))
    threading.Timer(0.05, collector.put, [waiting(5, 6)]).start()
    assert taken(collector) == [4, 5, 6]


def test_not_for_ever():
    collector = Collector(8, 0.01)
    collector.put(waiting(1, 2, 3))
    assert taken(collector) == [1, 2, 3]
    collector.done(3, LONG)
    collector.put(waiting(4))
    assert taken(collector) == [4]
    collector.done(1, LONG)
    assert collector.statistics.to_json()["max_wait_ms"] >= 10


def test_kinds_do_not_mix_and_the_longest_waiting_goes_first():
    collector = Collector(8, LONG)
    collector.put(waiting("a1", kind="a"))
    collector.put(waiting("b1", kind="b"))
    collector.put(waiting("a2", kind="a"))
    assert [taken(collector), taken(collector)] == [["a1", "a2"], ["b1"]]


def test_who_has_gone_leaves_the_batch():
    gone = threading.Event()
    collector = Collector(8, LONG)
    collector.put(waiting(1, wanted=lambda: not gone.is_set()))
    collector.put(waiting(2))
    collector.put(waiting(3, wanted=lambda: not gone.is_set()))
    gone.set()
    assert taken(collector) == [2]
    assert len(collector) == 0


def test_when_it_is_closed_the_rest_is_taken():
    collector = Collector(2, LONG)
    collector.put(waiting(1, 2, 3))
    collector.close()
    assert [taken(collector), taken(collector), taken(collector)] == [[1, 2], [3], []]


def test_statistics():
    collector = Collector(4, 0.0)
    collector.put(waiting(*range(6)))
    collector.take(), collector.take()
    found = collector.statistics.to_json()
    assert (found["batches"], found["calls"], found["sizes"]) == (2, 6, {"2": 1, "4": 1})
    assert (found["mean_size"], found["occupancy"]) == (3.0, 0.75)
    assert 0 <= found["mean_wait_ms"] <= found["max_wait_ms"]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5)), max_size=15),
    st.integers(1, 6),
    st.integers(1, 3),
)
def test_every_call_is_taken_once(arrivals, size, takers):
    collector = Collector(size, 0.001)
    found, lock = [], threading.Lock()

    def work():
        while batch := collector.take():
            assert len(batch) <= size
            assert len({w.kind for w in batch}) == 1
            with lock:
                found.extend(w.call for w in batch)
            collector.done(len(batch), 0.0001)

    threads = [threading.Thread(target=work) for _ in range(takers)]
    for thread in threads:
        thread.start()
    count = 0
    for kind, number in arrivals:
        collector.put([Waiting(count + n, kind) for n in range(number)])
        count += number
    collector.close()
    for thread in threads:
        thread.join(LONG)
    assert Counter(found) == Counter(range(count))
