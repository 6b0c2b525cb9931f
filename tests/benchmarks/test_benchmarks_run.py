"""The benchmarks run, say what they could not measure, and fill the page. No test looks at a time."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
Quick = tuple[subprocess.CompletedProcess[str], Path]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks", *map(str, arguments)]


def benchmarks(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=100)


def part(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module(f"benchmarks.{name}")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Quick:
    """A run of one case of each kind: a peer, a peer and a limit, a limit, a rate."""
    out = tmp_path_factory.mktemp("out")
    names = ("import_time", "redeploy", "empty_run", "unary_throughput")
    only = [argument for name in names for argument in ("--only", name)]
    return benchmarks("--quick", "--rounds", "2", "--out", out, *only), out


def test_prints_each_figure_beside_its_peer_or_limit(quick: Quick) -> None:
    done, _ = quick
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for words in (
        ("import operator_lib", "python -c pass", "at most 60 ms more"),
        ("deploy again", "limit 0.15 s", "at most 0.15 s"),
        ("empty job run", "python -c pass", "at most 1.5 ×"),
        ("calls to a serving", "raw grpcio unary echo", "at least 3 ×"),
    ):
        assert any(all(word in line for word in words) for line in lines), (words, done.stdout)


def test_keeps_every_round_the_machine_and_the_versions(quick: Quick) -> None:
    kept = json.loads((quick[1] / "results.json").read_text())
    assert [row["name"] for row in kept["rows"]] == ["import_time", "redeploy", "unary_throughput", "empty_run"]
    for row in kept["rows"]:
        assert row["status"] == "measured"
        assert len(row["ours"]) == 2
        assert len(row["peer"]) == (0 if row["name"] == "redeploy" else 2)
        assert all(value > 0 for value in row["ours"] + row["peer"])
    assert kept["quick"] is True
    assert {"cpu", "cores", "os", "python", "load"} <= set(kept["machine"])
    assert {"operator_lib", "grpcio"} <= set(kept["versions"])


def test_draws_a_picture(quick: Quick) -> None:
    pytest.importorskip("matplotlib", reason="of the extra 'bench'")
    picture = (quick[1] / "results.svg").read_text()
    assert "import operator_lib, fresh process" in picture
    assert "beside raw grpcio unary echo" in picture
    assert (quick[1] / "results.png").read_bytes().startswith(b"\x89PNG")


def test_quick_results_do_not_get_into_the_documentation(quick: Quick, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    done = benchmarks("--write-docs", "--out", quick[1], "--page", page)
    assert done.returncode == 1
    assert "--quick" in done.stderr
    assert page.read_text() == PAGE.read_text()


def report(monkeypatch: pytest.MonkeyPatch, names: Sequence[str] | None = None) -> Any:
    """A report of all cases (or these) in which each takes 2 and its peer 4 of its unit."""
    cases, results, case = (part(name, monkeypatch) for name in ("cases", "results", "case"))
    rows: list[Any] = []
    for name in names or cases.NAMES:
        found = cases.load(name)
        peer = [4.0] * 3 if found.limit is None or name.startswith("import") else []
        rows.append(results.measured(found, case.Measurement([2.0, 2.0, 20.0], peer)))
    machine = {"cpu": "A processor", "cores": "2", "os": "Linux", "python": "CPython 3.11", "load": "0.1"}
    return results.Report(machine, {"grpcio": "1.85"}, "2026-01-02T03:04:05+00:00", 3, False, rows)


def test_full_results_fill_the_page_again_and_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(PAGE.read_text())
    (tmp_path / "results.json").write_text(report(monkeypatch).to_json())
    (tmp_path / "results.svg").write_text("<svg/>")
    texts: list[str] = []
    for _ in range(2):
        done = benchmarks("--write-docs", "--out", tmp_path, "--page", page)
        assert done.returncode == 0, done.stderr
        texts.append(page.read_text())
    assert texts[0] == texts[1]
    assert "| op(x), no options | 2.00 ns | 4.00 ns: torch.nn.Module | 0.5 × | at most 1.0 × | yes |" in texts[0]
    assert "CPython 3.11; grpcio 1.85. 2026-01-02T03:04:05+00:00, 3 rounds" in texts[0]
    assert "](images/benchmarks.svg)" in texts[0]
    assert (tmp_path / "images" / "benchmarks.svg").read_text() == "<svg/>"
    assert "## What each figure means" in texts[0]


def test_results_of_a_part_do_not_fill_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(report(monkeypatch, ["redeploy"]).to_json())
    done = benchmarks("--write-docs", "--out", tmp_path, "--page", tmp_path / "benchmarks.md")
    assert done.returncode == 1
    assert "dag_cold" in done.stderr.partition("without ")[2].split(", ")


def test_page_explains_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = part("cases", monkeypatch)
    assert [name for name in cases.NAMES if f"| `{name}` |" not in PAGE.read_text()] == []
    assert [name for name in cases.NAMES if cases.load(name).name != name] == []


def test_ratio_is_that_of_the_rounds_and_a_goal_has_a_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    cases, results, case = (part(name, monkeypatch) for name in ("cases", "results", "case"))

    def row(name: str, ours: list[float], peer: list[float]) -> Any:
        return results.measured(cases.load(name), case.Measurement(ours, peer))

    latency = row("unary_latency", [1.0, 4.0, 8.0], [2.0, 1.0, 16.0])  # the medians' own ratio would be 2
    assert (latency.ratio, latency.met) == (0.5, True)
    rate = row("map_pool", [100.0, 90.0, 80.0], [10.0, 10.0, 10.0])
    assert (rate.ratio, rate.met) == (9.0, False)
    more = row("import_time", [80.0, 82.0, 95.0], [20.0, 10.0, 20.0])
    assert (more.figure, more.ratio, more.met) == (72.0, 1.2, False)
    limit = row("redeploy", [75.0, 15.0, 300.0], [])
    assert (limit.ratio, limit.met) == (0.5, True)


def test_peer_that_is_not_installed_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    cases, runner, table = (part(name, monkeypatch) for name in ("cases", "runner", "table"))
    case = replace(cases.load("plain_call"), needs={"no_such_peer": "no-such-peer==1.0"})
    row = runner.run(case, 1, quick=True)
    assert row.status == "skipped"
    assert "not installed: pip install 'no-such-peer==1.0'" in table.cells(row)


def test_peer_with_an_environment_of_its_own_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cases, runner, separate = (part(name, monkeypatch) for name in ("cases", "runner", "peers.separate"))
    absent = separate.Peer("prefect", "Prefect", ("no-such-release==0",))
    row = runner.run(replace(cases.load("graph_chain_prefect"), peer=absent), 1, quick=True)
    assert (row.status, row.note) == ("skipped", "not installed: python -m benchmarks --peers")


def test_peer_that_cannot_be_installed_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    separate = part("peers.separate", monkeypatch)
    monkeypatch.setattr(separate, "FOLDER", tmp_path / "peers")
    absent = separate.Peer("nothing", "Nothing", (str(tmp_path / "no-such-package"),))
    assert absent.install().startswith("nothing cannot be installed: ")
    assert list((tmp_path / "peers").iterdir()) == []
    assert absent.missing()


def test_cases_under_load_measure_something_too(tmp_path: Path) -> None:
    names = ("load_queue_submit", "load_logs")
    only = [argument for name in names for argument in ("--only", name)]
    done = benchmarks("--quick", "--rounds", "1", "--out", tmp_path, *only)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [(row["name"], row["status"]) for row in rows] == [(name, "measured") for name in names]


def test_case_that_fails_is_shown_with_its_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cases, runner, table = (part(name, monkeypatch) for name in ("cases", "runner", "table"))
    row = runner.run(replace(cases.load("redeploy"), name="no_such_case"), 1)
    assert table.cells(row)[1] == "failed"
    assert table.cells(row)[-1].startswith("ModuleNotFoundError: No module named 'benchmarks.cases.no_such_case'")
    assert "Traceback" in capfd.readouterr().err


def test_stops_what_it_started_when_it_is_stopped(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    arguments = command("--only", "unary_throughput", "--out", tmp_path / "out")
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("*/home/endpoint.json")):  # the worker runs
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []  # that no process is left is checked after all tests


def test_who_goes_first_changes_with_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    case = part("case", monkeypatch)
    order: list[str] = []

    def side(name: str, value: float) -> Any:
        return lambda: (order.append(name), value)[1]

    one = case.alternate(side("ours", 1.0), side("peer", 3.0), times=3)
    assert one() == case.Sample(1.0, 3.0)
    one()
    assert order == ["ours", "peer", "peer", "ours"] * 3
