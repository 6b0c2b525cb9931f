"""State that outlives its process, and what is lost when."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operator_lib import Operator
from operator_lib import worker as workers
from operator_lib.errors import DeployError, WorkerDied

sys.path.insert(0, str(Path(__file__).parent / "project"))

import keeping_state  # noqa: E402


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it has not come to pass"
        time.sleep(0.02)
    return found


def test_over_drains_restarts_and_rollbacks(home: Path) -> None:
    with workers.local(home):
        diary = keeping_state.Diary("Ada").deploy("diary")
        assert diary.write("a") == 1
        diary.serving.scale(0)
        assert diary.write("b") == 2, "scaled to none and back"
        other = keeping_state.Diary("Bob").deploy("diary")
        assert other.read() == ["Bob", [], [], True, 0], "a new version is the object that was deployed"
        other.write("x")
        other.serving.rollback(1)
        free = keeping_state.free.deploy("free")
        free.serving.scale(2)
        assert diary.read() == ["Ada", ["a", "b"], ["a", "b"], True, 2]
    with workers.local(home) as again:
        diary = Operator.from_serving(diary.url, again.token)
        free = Operator.from_serving(free.url, again.token)
        assert free.serving.stats()["wanted"] == 2, "the number that somebody has said is kept"
        until(lambda: len(free.serving.stats()["replicas"]) == 2)
        assert diary.write("c") == 3, "its worker has been stopped and started"
        with pytest.raises(WorkerDied):
            diary.die()
        assert diary.read()[1] == ["a", "b"], "the last drain was that of the worker"
        (state,) = home.glob("states/*-1")
        state.write_bytes(state.read_bytes()[:-1] + b"?")
        diary.die.submit().exception(10)
        assert diary.read() == ["Ada", [], [], True, 0], "what is damaged is not used"
        assert any("the snapshot is not used" in line for line in diary.serving.logs())
        diary.serving.delete()
        assert not list(home.glob("states/*-*"))


def test_every_second(home: Path) -> None:
    with workers.local(home):
        minutes = keeping_state.Minutes("Ada").deploy("minutes")
        minutes.write("a")
        until(lambda: list(home.glob("replicas/*/snapshot")))
        with pytest.raises(WorkerDied):
            minutes.die()
        assert minutes.read()[1:3] == [["a"], ["a"]]
        assert any("the snapshot leaves out lock" in line for line in minutes.serving.logs())
        with pytest.raises(DeployError, match="snapshot: is of one object, and max_replicas is 2"):
            keeping_state.Diary("x").with_options(stateless=True, max_replicas=2).deploy("several")
