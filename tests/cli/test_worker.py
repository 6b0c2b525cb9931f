from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from operator_lib import endpoint
from operator_lib.worker import stop


def still_there(pid: int) -> bool:
    """Whether the process is there after it had time to end."""
    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return True
    return False


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    stop(tmp_path / "home")


def test_start_status_logs_stop(cli: Any, home: Path) -> None:
    where = {"OPERATOR_LIB_HOME": str(home)}
    assert "no worker runs in" in cli("worker", "status", check=1, **where).err
    first = cli("worker", "start", "--json", check=0, **where).json
    assert first.pop("already_running") is False
    second = cli("worker", "start", "--home", str(home), check=0)
    assert second.out == f"worker runs already: {first['url']} (pid {first['pid']})\n"

    status = cli("worker", "status", "--json", check=0, **where)
    assert status.json == first
    encryption = {"certificate", "certificate_name"}
    assert set(first) == {"url", "grpc_address", "pid", "home", "token_file", "version", *encryption}
    assert (home / endpoint.TOKEN).read_text().strip() not in status.out + cli("worker", "status", **where).out
    assert first["url"] in cli("worker", "logs", check=0, **where).out

    checks = {c["check"]: c for c in cli("doctor", "--json", check=0, **where).json["checks"]}
    assert checks["worker"]["status"] == "ok"
    assert first["url"] in checks["worker"]["message"]

    assert cli("worker", "stop", check=0, **where).out == "worker stopped\n"
    assert endpoint.running(home) is None
    assert not still_there(first["pid"])
    assert cli("worker", "stop", "--json", check=0, **where).json["stopped"] is False
    assert "no worker runs in" in cli("worker", "status", check=1, **where).err


def test_a_worker_that_cannot_start_says_why(cli: Any, home: Path) -> None:
    done = cli("worker", "start", "--host", "0.0.0.0", OPERATOR_LIB_HOME=str(home), check=1)
    assert "can be reached from other machines" in done.err
    assert "Traceback" not in done.err


def test_doctor_finds_what_is_wrong_and_says_how_to_mend_it(cli: Any, tmp_path: Path) -> None:
    assert cli("doctor", OPERATOR_LIB_HOME=str(tmp_path / "none"), check=0).out.startswith("ok    python")
    tmp_path.chmod(0o755)
    (tmp_path / endpoint.TOKEN).write_text("x")
    (tmp_path / endpoint.TOKEN).chmod(0o644)
    done = cli("doctor", OPERATOR_LIB_HOME=str(tmp_path), check=1)
    assert f"chmod 600 {tmp_path / endpoint.TOKEN}" in done.out
    found = cli("doctor", "--json", OPERATOR_LIB_HOME=str(tmp_path), check=1).json
    status = {c["check"]: c["status"] for c in found["checks"]}
    assert (found["ok"], status["token"], status["home"], status["python"]) == (False, "fail", "warn", "ok")


def test_doctor_reports_a_worker_that_cannot_be_reached(cli: Any) -> None:
    where = {"OPERATOR_LIB_ADDRESS": "127.0.0.1:1", "OPERATOR_LIB_TOKEN": "x"}
    found = cli("doctor", "--json", check=1, **where).json
    [worker] = [c for c in found["checks"] if c["check"] == "worker"]
    assert worker["status"] == "fail"
    assert "OPERATOR_LIB_ADDRESS" in worker["fix"]
    assert os.environ.get("OPERATOR_LIB_ADDRESS") is None


def test_what_was_said_by_hand_holds_for_workers_that_are_started_on_demand(cli: Any, home: Path) -> None:
    where = {"OPERATOR_LIB_HOME": str(home)}
    cli("worker", "start", "--keep-days", "7", "--max-queued", "5", check=0, **where)
    cli("worker", "stop", check=0, **where)
    cli("submit", "nothing", check=1, **where)
    running = psutil.Process(endpoint.running(home).pid).cmdline()
    assert running[running.index("--keep-days") + 1] == "7.0"
    assert running[running.index("--max-queued") + 1] == "5"
    cli("worker", "stop", check=0, **where)
    assert "can be reached" in cli("worker", "start", "--host", "0.0.0.0", check=1, **where).err
    assert endpoint.remembered(home)["keep-days"] == "7.0"
    (home / endpoint.SETTINGS).write_text("{damaged")
    cli("submit", "nothing", check=1, **where)
    assert "--keep-days" not in psutil.Process(endpoint.running(home).pid).cmdline()
