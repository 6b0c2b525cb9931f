"""A list of runs carries what came of each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_lib import worker

SOURCE = """
from operator_lib import operator

@operator
def halve(n, size=0):
    if n % 2:
        raise ValueError("odd" + "!" * size)
    return "x" * size or n // 2
"""


@pytest.fixture
def halve(tmp_path: Path) -> Iterator[object]:
    (tmp_path / "halving.py").write_text(SOURCE)
    sys.path.insert(0, str(tmp_path))
    try:
        import halving

        with worker.local(tmp_path / "home"):
            yield halving.halve.deploy("halve")
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("halving", None)


def test_results_and_exceptions_come_with_the_list(halve):
    submitted = [halve.submit(n) for n in (4, 5)]
    submitted += [halve.submit(2, size=900_000), halve.submit(3, size=900_000)]  # no room in the list for all
    ids = [run.id for run in submitted]
    wanted = [repr(run.exception(60) or run.result()) for run in submitted]
    listed = halve.runs(10)
    assert [run.id for run in listed] == ids[::-1]
    assert [repr(run.exception() or run.result()) for run in listed] == wanted[::-1]
    assert [type(run.exception()).__name__ for run in listed] == ["ValueError", "NoneType", "ValueError", "NoneType"]
