from __future__ import annotations

from typing import Any

import pytest


def test_call_a_job(deployed: Any) -> None:
    assert deployed("call", "tree", "2", check=0).out == "8\n"
    assert deployed("call", "upto", "3", "--json", check=0).lines == [0, 1, 2]
    assert "missing 1 required positional argument: 'x'" in deployed("call", "tree", check=2).err


def test_a_failed_call_shows_the_remote_traceback_and_the_next_step(deployed: Any) -> None:
    done = deployed("call", "tree", "-5", check=1)
    assert done.out == ""
    assert '  File "pipe.py", line' in done.err
    assert "ValueError: negative: -4" in done.err
    run = deployed("runs", "tree", "--limit", "1", "--json", check=0).json[0]["id"]
    assert f"Run {run} stopped at b; see: operator-lib show {run}" in done.err
    shown = deployed("show", run, check=0).out
    assert "FAILED" in shown
    assert "✘ b: Other" in shown
    assert "failed at  b" in shown
    assert "the way there" in shown
    assert "`y < 0`: -4 < 0 → taken" in shown
    detail = deployed("show", run, "--json", check=0).json
    assert (detail["status"], detail["operator_path"], detail["attempts"]) == ("FAILED", "b", 1)
    assert detail["error"]["message"] == "negative: -4"
    assert [n["status"] for n in detail["dag"]["nodes"] if n.get("operator") == "b"] == ["failed"]


def test_a_serving_keeps_its_state(deployed: Any) -> None:
    first = deployed("call", "counter", "--method", "add", "by=2", "--json", check=0).json
    assert deployed("call", "counter", "--method", "value", "--json", check=0).json == first
    assert deployed("call", "counter", "-m", "upto", "3", "--json", check=0).lines == [0, 1, 2]
    assert "adding 2" in deployed("logs", "counter", check=0).out


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["call", "counter"], 2, "it has the methods"),
        (["call", "counter", "-m", "value", "3"], 2, "is an attribute"),
        (["call", "tree", "-m", "x", "3"], 2, "is a job: it has no methods"),
        (["call", "counter", "-m", "fail"], 1, "KeyError: 'nothing there'"),
        (["call", "nobody"], 1, "no deployment 'nobody'"),
        (["submit", "counter", "1"], 2, "call it: operator-lib call counter"),
        (["scale", "tree", "2"], 2, "is a job: it has no replicas"),
        (["scale", "counter", "2"], 1, "set stateless=True"),
        (["show", "nothing"], 1, "no run 'nothing'"),
        (["logs", "nothing"], 1, "no run or serving 'nothing'"),
        (["runs", "nobody"], 1, "no job 'nobody'"),
        (["runs", "--status", "LOST"], 2, "one of PENDING"),
    ],
)
def test_errors_say_what_to_do(deployed: Any, args: list[str], code: int, words: str) -> None:
    done = deployed(*args, check=code)
    assert words in done.err
    assert "operator_lib/" not in done.err


def test_submit_show_logs(deployed: Any) -> None:
    run = deployed("submit", "tree", "3", check=0).out.strip()
    assert deployed("logs", run, "--follow", check=0).out.splitlines() == ["importing pipe", "other got 4"]
    detail = deployed("show", run, "--json", check=0).json
    assert (detail["id"], detail["status"], detail["result"]) == (run, "COMPLETED", 11)
    found = deployed("estimate", "tree", "--json", check=0).json
    assert found["runs"] >= 1
    assert 0 < found["seconds"]["p50"] < 60
    assert [n["title"] for n in found["nodes"] if n["seconds"]] == ["b: Other"]
    shown = deployed("estimate", "tree", "--of", "pipe.py:Tree", check=0).out
    assert shown.startswith("Tree: ")
    assert "b: Other" in shown
    events = deployed("logs", run, "--json", check=0).lines
    assert [(e["path"], e["text"]) for e in events] == [("", "importing pipe"), ("b", "other got 4")]


def test_watch_without_a_terminal_prints_a_line_for_each_event(deployed: Any) -> None:
    done = deployed("submit", "tree", "3", "--watch", check=0)
    shown = [line.split(" s  ", 1)[1] for line in done.out.splitlines()[:-1]]
    assert shown[0] == "PENDING"
    assert "b | other got 4" in shown
    assert "b started" in shown
    assert shown[-1] == "COMPLETED"
    assert done.out.splitlines()[-1] == "11"
    assert "\x1b" not in done.out
    streamed = deployed("submit", "tree", "3", "--watch", "--json", check=0).lines
    assert [e["seq"] for e in streamed[:-1]] == list(range(1, len(streamed)))
    assert streamed[-1] == {"kind": "result", "value": 11}
    assert deployed("submit", "tree", "-5", "--watch", check=1).err.count("negative: -4") >= 1


def test_cancel_and_ps(deployed: Any) -> None:
    run = deployed("submit", "slow", "60", "--json", check=0).json["id"]
    listed = {d["name"]: d for d in deployed("ps", "--json", check=0).json}
    assert listed["slow"]["running"] + listed["slow"]["waiting"] == 1
    assert (listed["counter"]["kind"], listed["counter"]["replicas"]) == ("serving", 1)
    assert deployed("cancel", run, "--json", check=0).json["cancelled"] is True
    deployed("logs", run, "--follow", check=0)  # until it has ended
    assert "has ended already: CANCELLED" in deployed("cancel", run, check=0).out
    [found] = deployed("runs", "slow", "--status", "cancelled", "--json", check=0).json
    assert found["id"] == run


def test_tables_are_plain_without_a_terminal(deployed: Any) -> None:
    header, *rows = deployed("ps", check=0).out.splitlines()
    assert header.split() == ["NAME", "KIND", "VERSION", "STATUS", "REPLICAS", "RUNNING", "WAITING", "UPDATED"]
    assert any(row.startswith("counter ") for row in rows)
    assert "\x1b" not in header


def test_a_terminal_gets_colours_unless_it_is_asked_not_to(deployed: Any, terminal: Any) -> None:
    assert "\x1b[32mready" in terminal("ps")
    assert "\x1b[" not in terminal("ps", NO_COLOR="1")


def test_watch_on_a_terminal_draws_the_tree(deployed: Any, terminal: Any) -> None:
    shown = terminal("submit", "tree", "3", "--watch")
    last = shown[shown.rindex("COMPLETED") :]
    assert "b: Other" in last
    assert "✔" in last
    assert "other got 4" in last
    assert last.rstrip().endswith("11")
    plain = terminal("submit", "tree", "3", "--watch", NO_COLOR="1")
    assert "b: Other" in plain
    assert "\x1b[32m" not in plain


def test_replay_takes_over_what_has_not_changed(deployed: Any) -> None:
    run = deployed("submit", "tree", "3", check=0).out.strip()
    deployed("logs", run, "--follow", check=0)
    again = deployed("replay", run, "--watch", check=0).out
    assert again.splitlines()[-1] == "11"
    assert "other got" not in again
    assert "other got 4" in deployed("replay", run, "--from", "b", "--watch", check=0).out
    started = deployed("replay", run, "x=4", "--json", check=0).json
    assert started["id"] != run
    assert deployed("logs", started["id"], "--follow", check=0).out.splitlines()[-1] == "other got 5"
    assert "has no node 'nothing'; it has: b" in deployed("replay", run, "--from", "nothing", check=1).err
    assert "has no version 99" in deployed("replay", run, "--version", "99", check=1).err
    assert "takes 2 positional arguments but 3 were given" in deployed("replay", run, "1", "2", check=2).err


def test_a_stub_for_editors(deployed: Any, tmp_path: Any) -> None:
    file = tmp_path / "counter.pyi"
    assert deployed("stub", "counter", "-o", str(file), "--json", check=0).json == {
        "name": "counter",
        "file": str(file),
    }
    assert "def add(self, by: int = 1) -> int: ..." in file.read_text()


def test_top_looks_once_without_a_terminal(deployed: Any) -> None:
    deployed("call", "counter", "--method", "add", "by=2", "--json", check=0)
    done = deployed("top", check=0).out
    rows = [line.split()[:3] for line in done.splitlines()]
    assert rows[0] == ["SERVING", "STATUS", "REPLICAS"]
    assert ["counter", "ready", "1/1"] in rows
    told = deployed("top", "--json", check=0).json
    assert told["servings"]["counter"]["methods"]["add"]["calls"] >= 1
