"""Calls of what is deployed are in the graph of the program that makes them, and light up as they happen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from operator_lib import Operator, record
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))

import shopping  # noqa: E402


class Buyer(Operator):
    """Calls a job and a serving in every way there is."""

    def __init__(self, job: Any, shop: Any) -> None:
        super().__init__()
        self.job = job
        self.shop = shop

    def forward(self, count: int) -> float:
        once = self.job(count)
        later = self.job.submit(count)
        price = self.shop.submit(count)
        names = list(self.shop.names(count))
        for _ in range(count):
            names.append(self.shop.encoder("pen"))
        if count > 100:
            self.shop.map([1, 2])
        return once["a"] + later.result()["a"] + price.result() + self.shop("no number" if count == 3 else 1)


def test_calls_of_handles_are_nodes_that_light_up(worker: LocalWorker) -> None:
    buyer = Buyer(shopping.order.deploy("order"), shopping.Shop().deploy("shop", "serving"))
    with record() as recording:
        assert buyer(2) == 2 + 2 + 4.0 + 2.0
    seen = [(n.name, n.operator, n.status, n.count) for n in recording.dag().nodes if n.kind == "call"]
    assert seen == [
        ("order", "job", "done", 1),
        ("order", "job", "done", 1),
        ("shop", "shop", "done", 1),
        ("shop.names", "shop", "done", 1),
        ("shop.encoder", "shop", "done", 2),
        ("shop", "shop", "skipped", 0),
        ("shop", "shop", "done", 1),
    ]
    with record() as recording, pytest.raises(TypeError, match="multiply"):
        buyer(3)
    assert [n.status for n in recording.dag().nodes if n.kind == "call"][-1] == "failed"
