"""Inputs of a map are limited one by one: the one that ends its process fails, all others are carried out once."""

from __future__ import annotations

import re

import pytest
import slow

from operator_lib.errors import OperatorTimeout, WorkerDied

COUNT = 400


def tasks(path, **special):
    """Inputs that note themselves down; `special` ones, by number, do something else."""
    path.touch()
    return [(str(path), number, special.get(f"n{number}", "")) for number in range(COUNT)]


def noted(path):
    """Numbers of the inputs that were begun, as often as they were."""
    return sorted(int(line) for line in path.read_text().split())


def value(number):
    return number if number % 3 else {"number": [number]}


@pytest.fixture(scope="module")
def job(worker):
    return slow.item.deploy("item")


@pytest.mark.parametrize("workers", [-1, 1])
def test_each_input_has_its_own_limit(job, tmp_path, workers):
    path = tmp_path / "inputs"
    found = job.map(tasks(path, n250="c"), workers=workers, return_exceptions=True)
    assert isinstance(found[250], OperatorTimeout)
    assert re.fullmatch(r"call of item: ran for 1\.\d s, the limit is 1 s", str(found[250]))
    assert [item for item in found if item is not found[250]] == [value(n) for n in range(COUNT) if n != 250]
    assert noted(path) == list(range(COUNT))


@pytest.mark.parametrize("ordered", [True, False])
def test_a_process_takes_only_the_input_at_work_with_it(job, tmp_path, ordered):
    path = tmp_path / "inputs"
    special = {"n3": "raise", "n200": "exit", "n207": "exit", "n300": "large"}
    found = job.map(tasks(path, **special), ordered=ordered, return_exceptions=True)
    failed = [item for item in found if isinstance(item, Exception)]
    assert sorted(type(item).__name__ for item in failed) == ["ValueError", "WorkerDied", "WorkerDied"]
    good = [item for item in found if not isinstance(item, Exception)]
    wanted = [b"x" * (1 << 16) if n == 300 else value(n) for n in range(COUNT) if n not in (3, 200, 207)]
    assert good == wanted if ordered else sorted(map(repr, good)) == sorted(map(repr, wanted))
    assert noted(path) == list(range(COUNT))


def test_the_first_failure_is_raised(job, tmp_path):
    with pytest.raises(WorkerDied, match="exit 3"):
        job.map(tasks(tmp_path / "inputs", n30="exit"))


def test_retries_start_another_process(worker, tmp_path):
    path = tmp_path / "inputs"
    special = {"n20": "dies at first", "n100": "slow at first", "n200": "dies"}
    found = slow.retried.deploy("retried").map(tasks(path, **special), return_exceptions=True)
    assert isinstance(found[200], WorkerDied)
    assert [item for item in found if item is not found[200]] == [n for n in range(COUNT) if n != 200]
    assert noted(path) == sorted([*range(COUNT), 20, 100, 200])
