"""The garbage collector while a program is read, and afterwards."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from operator_lib.trace import collecting


class Ring:
    """Garbage that only the collector can take away."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    gc.collect()
    yield
    gc.enable()
    gc.unfreeze()


def test_what_is_made_meanwhile_is_not_walked_over():
    begun: list[dict[str, int]] = []

    def note(phase: str, info: dict[str, int]) -> None:
        begun.append(info)

    gc.callbacks.append(note)
    try:
        with collecting.paused():
            kept = [[n] for n in range(100_000)]
        assert gc.isenabled()
        assert gc.get_count()[0] < 1000
        more = [[n] for n in range(100)]
    finally:
        gc.callbacks.remove(note)
    assert not begun
    assert len(kept) + len(more) == 100_100


def test_garbage_is_found_in_the_end(monkeypatch):
    monkeypatch.setattr(collecting, "MOST", 10_000)
    monkeypatch.setattr(collecting, "_unseen", 0)
    first = weakref.ref(Ring())
    for _ in range(3):
        with collecting.paused():
            [Ring() for _ in range(5_000)]
    assert first() is None


def test_a_collector_that_is_off_stays_off():
    gc.disable()
    with collecting.paused():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_what_somebody_else_has_frozen_stays_so():
    gc.freeze()
    frozen = gc.get_freeze_count()
    with collecting.paused():
        pass
    assert gc.get_freeze_count() == frozen > 0
    assert gc.isenabled()


def test_it_is_on_again_after_an_error():
    with pytest.raises(ValueError, match="no"), collecting.paused():
        raise ValueError("no")
    assert gc.isenabled()
