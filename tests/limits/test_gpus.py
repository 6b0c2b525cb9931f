"""Graphics cards, as the driver's tool shows them: here a program of that name which shows some."""

from __future__ import annotations

import os
from collections.abc import Iterator

import greedy
import pytest

from operator_lib import gpu, operator
from operator_lib import worker as workers
from operator_lib.errors import Cancelled, DeployError
from operator_lib.executors.gpus import Card
from operator_lib.worker import LocalWorker

SHOWN = ["NVIDIA H100 80GB HBM3", "Tesla T4", "Tesla T4", "NVIDIA A100-SXM4-40GB"]


@pytest.fixture(scope="module")
def cards(tmp_path_factory) -> Iterator[LocalWorker]:
    folder = tmp_path_factory.mktemp("driver")
    tool = folder / "nvidia-smi"
    rows = "\n".join(f"{index}, GPU-{index}, {name}" for index, name in enumerate(SHOWN))
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{rows}\nEND\n")
    tool.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        with workers.local() as started:
            yield started


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("H100", "0"),
        ("t4", "1"),
        ("T4:2", "1,2"),
        (["V100", "A100-40GB", "T4"], "3"),
        ([gpu.H100(count=2), gpu.A100], "3"),
        (gpu.T4(split=3), "1"),
        (None, None),
    ],
)
def test_a_run_sees_its_cards_and_no_others(cards, wanted, seen):
    assert greedy.sees.deploy("sees", gpu=wanted)() == seen


@pytest.mark.parametrize("wanted", ["H100:2", "A100-80GB", "A10", ["V100", "T4:3"]])
def test_what_is_not_there_is_refused(cards, wanted):
    with pytest.raises(DeployError, match=r"sees.gpu: asks for .*, this worker has NVIDIA H100 80GB HBM3, Tesla T4"):
        greedy.sees.deploy("sees", gpu=wanted)


def test_runs_wait_until_a_card_is_free(cards, tmp_path):
    sees, release = greedy.sees.deploy("sees", gpu="T4"), tmp_path / "release"
    held = [sees.submit(str(release)) for _ in range(2)]
    following = [event for run in held for event in first_running(run)]
    assert len(following) == 2
    third = sees.submit()
    assert greedy.sees.deploy("free")() is None  # others do not wait for it
    assert third.status == "PENDING"
    release.touch()
    assert {run.result(30) for run in held} == {"1", "2"}
    assert third.result(30) in ("1", "2")


def first_running(run):
    for event in run.events():
        if event["kind"] == "status" and event["status"] == "RUNNING":
            yield event
            return


def test_a_waiting_run_can_be_cancelled(cards, tmp_path):
    sees, release = greedy.sees.deploy("sees", gpu="H100"), tmp_path / "release"
    held = sees.submit(str(release))
    assert list(first_running(held))
    waiting = sees.submit()
    assert waiting.cancel()
    with pytest.raises(Cancelled):
        waiting.result(30)
    release.touch()
    assert held.result(30) == "0"


def test_a_share_of_a_card(cards):
    """Three replicas share one card, the fourth goes to the next."""
    options = {"gpu": gpu.T4(split=3), "min_replicas": 4, "max_replicas": 4, "stateless": True}
    serving = operator(greedy.Seer).deploy("seer", **options)
    calls = [serving.cards_slowly.submit() for _ in range(16)]
    assert {call.result(30) for call in calls} == {"1", "2"}
    serving.serving.delete()


def test_a_new_version_takes_over_on_the_same_card(cards):
    serving = operator(greedy.Seer).deploy("seer", gpu="H100")
    assert serving.cards() == "0"
    assert operator(greedy.Seer2).deploy("seer", gpu="H100").cards() == "0"
    with pytest.raises(DeployError, match="no graphics card is free"):
        operator(greedy.Seer).deploy("other", gpu="H100")
    serving.serving.delete()
    assert operator(greedy.Seer).deploy("other", gpu="H100").cards() == "0"


def test_a_map_uses_as_many_processes_as_there_are_cards(cards):
    seen = greedy.sees.deploy("sees", gpu="T4").map([""] * 20, workers=4)
    assert set(seen) <= {"1", "2"}


@pytest.mark.parametrize(
    ("name", "model", "fits"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100", True),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB", True),
        ("NVIDIA A100 80GB PCIe", "A100-80GB", True),
        ("NVIDIA A100-PCIE-40GB", "A100-80GB", False),
        ("NVIDIA GeForce RTX 4090", "RTX-4090", True),
        ("NVIDIA A10G", "A10", False),
        ("NVIDIA L40S", "L4", False),
    ],
)
def test_names(name, model, fits):
    assert Card(0, name).is_a(model) is fits
