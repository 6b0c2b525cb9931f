"""Secrets reach the processes that name them, and nothing else: no log, event, error, file, or other process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import grpc
import psutil
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "kept"))

import keeping as jobs  # noqa: E402
from waiting import until  # noqa: E402

from operator_lib import Operator  # noqa: E402
from operator_lib.client import secrets  # noqa: E402
from operator_lib.client.connect import connect  # noqa: E402
from operator_lib.errors import DeployError, NotFound, OptionError, WorkerDied  # noqa: E402
from operator_lib.worker import LocalWorker, local, stop  # noqa: E402

KEY = 'kept "Schlüssel"/value+1'
MARK = "***KEPT_KEY***"


@pytest.fixture
def key(worker: LocalWorker) -> str:
    secrets.put(connect(), "KEPT_KEY", KEY)
    return KEY


def files_with(folder: Path, text: str) -> list[str]:
    """Files below `folder` that have `text`, in any of the ways it is written."""
    forms = [text.encode(), json.dumps(text)[1:-1].encode(), repr(text)[1:-1].encode()]
    found: list[str] = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and any(form in path.read_bytes() for form in forms):
                found.append(str(path.relative_to(folder)))
    return found


def everything(run) -> str:
    """All that the worker tells of a run, but its value."""
    told = [json.dumps(event, ensure_ascii=False) for event in run.events()] + list(run.logs())
    error = run.exception()
    while error is not None:
        told += [repr(error), str(error), repr(vars(error)), *getattr(error, "__notes__", ())]
        error = error.__cause__
    return "\n".join(told)


def assert_hidden(run, key: str) -> str:
    text = everything(run)
    assert key not in text
    assert json.dumps(key)[1:-1] not in text
    assert repr(key)[1:-1] not in text
    return text


class TestReaching:
    def test_a_process_that_names_it_has_it_and_no_other(self, key):
        assert jobs.leaks.deploy("leaks")("returns") == key
        assert jobs.environment.deploy("environment")("KEPT_KEY", "PATH")["KEPT_KEY"] is None

    def test_a_serving_has_it(self, key):
        vault = jobs.Vault.deploy("vault")
        try:
            assert vault.key() == key
        finally:
            vault.serving.delete()

    @pytest.mark.parametrize("kind", ["job", "serving"])
    def test_an_operator_below_has_its_own_and_no_other_process_does(self, key, kind):
        secrets.put(connect(), "KEPT_CHILD", "of the child")
        holds = jobs.Holds().deploy("holds-one", kind)
        try:
            assert holds() == [["KEPT_KEY"], ["KEPT_CHILD"]]
        finally:
            (holds.job if kind == "job" else holds.serving).delete()

    def test_what_it_hands_on_is_hidden_all_the_same(self, key):
        secrets.put(connect(), "KEPT_CHILD", "of the child")
        run = jobs.Holds().deploy("holds-one").submit()
        run.result(30)
        assert sorted(run.logs()) == ["telling ***KEPT_CHILD***", "told ***KEPT_CHILD***"]

    def test_one_below_that_is_missing_is_missed_at_the_deploy(self, key):
        with contextlib.suppress(NotFound):
            secrets.remove(connect(), "KEPT_CHILD")
        with pytest.raises(DeployError, match="KEPT_CHILD is not set"):
            jobs.Holds().deploy("holds-none")

    def test_a_map_has_it(self, key):
        assert jobs.leaks.deploy("leaks").map(["returns", "x"]) == [key, "done"]

    def test_a_changed_one_is_that_of_new_processes(self, key):
        job = jobs.leaks.deploy("leaks")
        secrets.put(connect(), "KEPT_KEY", "another value")
        assert job("returns") == "another value"

    def test_lines_of_a_value_are_kept(self, worker):
        value = "-----BEGIN-----\nabcdefg\nhijk\n-----END-----\n"
        secrets.put(connect(), "KEPT_KEY", value)
        job = jobs.leaks.deploy("leaks")
        assert job("returns") == value
        run = job.submit("prints")
        assert run.result() == "done"
        text = everything(run)
        assert "abcdefg" not in text
        assert "hijk" not in text
        assert "BEGIN" not in text


class TestMissing:
    def test_a_deploy_says_which_and_what_to_do(self, worker):
        with contextlib.suppress(NotFound):
            secrets.remove(connect(), "KEPT_KEY")
        with pytest.raises(DeployError, match="KEPT_KEY is not set .* operator-lib secrets set KEPT_KEY"):
            jobs.leaks.deploy("never-deployed")
        with pytest.raises(NotFound):
            Operator.from_job("never-deployed")
        plan = jobs.leaks.deploy("never-deployed", dry_run=True)
        assert any("KEPT_KEY is not set" in problem for problem in plan.problems)

    def test_a_run_fails_when_it_was_unset_since(self, key):
        job = jobs.leaks.deploy("leaks")
        secrets.remove(connect(), "KEPT_KEY")
        run = job.submit("x")
        with pytest.raises(WorkerDied, match="KEPT_KEY is not set"):
            run.result()
        assert run.status == "FAILED"

    def test_a_serving_comes_back_when_it_is_set_again(self, key):
        vault = jobs.Vault.deploy("vault")
        try:
            secrets.remove(connect(), "KEPT_KEY")
            (replica,) = vault.serving.stats()["replicas"]
            psutil.Process(replica["pid"]).kill()
            until(lambda: not psutil.pid_exists(replica["pid"]))
            secrets.put(connect(), "KEPT_KEY", "set again")
            assert until(lambda: answered(vault)) == "set again"
        finally:
            vault.serving.delete()


def answered(vault):
    try:
        return vault.key()
    except Exception:
        return None


class TestHiding:
    @pytest.mark.parametrize("how", ["prints", "raw", "progress"])
    def test_from_logs_and_events(self, key, how):
        run = jobs.leaks.deploy("leaks").submit(how)
        assert run.result() == "done"
        assert MARK in assert_hidden(run, key)

    def test_a_value_that_was_printed_in_two_parts(self, key):
        run = jobs.leaks.deploy("leaks").submit("prints")
        run.result()
        assert f"split {MARK} end" in list(run.logs())
        run = jobs.leaks.deploy("leaks").submit("raw")
        run.result()
        assert [line for line in run.logs() if "aw" in line or "below" in line] == [f"raw {MARK} end", f"below {MARK}"]

    def test_where_long_lines_are_split(self, key):
        run = jobs.leaks.deploy("leaks").submit("long")
        assert run.result() == "done"
        lines, line = [], ""
        for event in run.events():
            if event["kind"] == "log":
                line += event["text"]
                if not event.get("more"):
                    lines.append(line)
                    line = ""
        assert line == ""
        assert not [line for line in lines if key in line]
        assert sum(MARK in line for line in lines) == len(lines) > 10

    def test_from_errors_with_everything_that_hangs_on_them(self, key):
        run = jobs.leaks.deploy("leaks").submit("raises")
        assert isinstance(run.exception(), ValueError)
        text = assert_hidden(run, key)
        assert MARK in text
        assert f"refused: {MARK}" in str(run.exception())

    def test_from_what_an_exit_says(self, key):
        run = jobs.leaks.deploy("leaks").submit("exits")
        with pytest.raises(WorkerDied):
            run.result()
        assert f"gone with {MARK}" in assert_hidden(run, key)

    def test_from_errors_and_logs_of_a_serving(self, key):
        vault = jobs.Vault.deploy("vault")
        try:
            with pytest.raises(ValueError, match="refused") as refused:
                vault.fail()
            assert key not in repr(refused.value) + str(refused.value.__cause__)
            vault.say()
            assert until(lambda: [line for line in vault.serving.logs() if "saying" in line]) == [f"saying {MARK}"]
            assert key not in repr(vault) + repr(vault.serving.info())
        finally:
            vault.serving.delete()

    def test_from_the_error_of_a_deploy(self, key, worker):
        with pytest.raises(DeployError, match="refused") as refused:
            jobs.Refuses().deploy("refuses", "serving")
        assert MARK in str(refused.value)
        assert key not in str(refused.value) + repr(refused.value.__cause__) + str(refused.value.__cause__.__cause__)
        run = jobs.Refuses().deploy("refuses", "job").submit()
        assert isinstance(run.exception(), ConnectionError)
        assert MARK in assert_hidden(run, key)
        assert files_with(worker.home, key) == []

    def test_an_error_over_http(self, key, worker):
        import requests

        vault = jobs.Vault.deploy("vault")
        try:
            answer = requests.post(vault.url + "fail", json={}, headers={"Authorization": f"Bearer {worker.token}"})
            assert answer.status_code == 500
            assert MARK in answer.text
            assert key not in answer.text
        finally:
            vault.serving.delete()


class TestOnDisk:
    def test_no_file_of_the_home_has_it_while_a_run_goes_on_or_later(self, key, worker, tmp_path):
        run = jobs.spied.deploy("spied").submit(str(tmp_path))
        until(lambda: (tmp_path / "began").exists())
        assert files_with(worker.home, key) == []
        (tmp_path / "end").touch()
        assert run.result() == "done"
        assert files_with(worker.home, key) == []

    def test_no_process_shows_it_to_others(self, key, worker, tmp_path):
        """Not even those between the worker and the user's code."""
        run = jobs.spied.deploy("spied").submit(str(tmp_path))
        until(lambda: (tmp_path / "began").exists())
        shown = [b"".join(Path(f"/proc/{pid}/{file}").read_bytes() for file in ("environ", "cmdline"))
                 for pid in (worker.pid, *(child.pid for child in psutil.Process(worker.pid).children(recursive=True)))
                 ]  # fmt: skip
        assert len(shown) >= 3
        assert not [text for text in shown if key.encode() in text]
        (tmp_path / "end").touch()
        run.result()

    def test_one_survives_a_restart_and_is_of_no_use_without_the_key(self, tmp_path):
        with local(tmp_path / "home"):
            secrets.put(connect(), "KEPT_KEY", KEY)
            job = jobs.leaks.deploy("leaks")
            assert job("returns") == KEY
        with local(tmp_path / "home"):
            assert [info.name for info in secrets.listed(connect())] == ["KEPT_KEY"]
            assert Operator.from_job("leaks")("returns") == KEY
            stop(tmp_path / "home")
        (tmp_path / "home/key").unlink()
        with local(tmp_path / "home"), pytest.raises(WorkerDied, match="another key .* secrets set KEPT_KEY"):
            Operator.from_job("leaks")("returns")


class TestKeeping:
    def test_names_and_dates_are_listed_and_no_value(self, key):
        (found,) = [info for info in secrets.listed(connect()) if info.name == "KEPT_KEY"]
        assert found.created <= found.updated
        assert key not in repr(found)

    def test_unset(self, key):
        secrets.remove(connect(), "KEPT_KEY")
        assert "KEPT_KEY" not in [info.name for info in secrets.listed(connect())]
        with pytest.raises(NotFound, match="KEPT_KEY"):
            secrets.remove(connect(), "KEPT_KEY")

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("A-B", "some value", "environment variable"),
            ("", "some value", "environment variable"),
            ("PATH", "some value", "already"),
            ("OPERATOR_LIB_RUN", "some value", "already"),
            ("KEPT_SHORT", "abc", "at least 4 characters"),
            ("KEPT_BLANK", "     ", "at least 4 characters"),
            ("KEPT_NUL", "abc\0defg", "NUL"),
            ("KEPT_LONG", "long" * 20_000, "80,000 bytes"),
        ],
    )
    def test_what_cannot_be_kept_is_refused_without_showing_it(self, worker, name, value, words):
        with pytest.raises(OptionError, match=words) as refused:
            secrets.put(connect(), name, value)
        assert value not in str(refused.value)

    def test_a_long_one_reaches_its_process(self, worker):
        value = "0123456789abcdef" * 4096
        secrets.put(connect(), "KEPT_KEY", value)
        assert jobs.leaks.deploy("leaks")("returns") == value

    def test_over_http(self, key, worker):
        import requests

        answer = requests.get(f"{worker.url}/v1/secrets", headers={"Authorization": f"Bearer {worker.token}"})
        (found,) = [secret for secret in answer.json()["secrets"] if secret["name"] == "KEPT_KEY"]
        assert sorted(found) == ["created", "name", "updated"]
        assert requests.get(f"{worker.url}/v1/secrets").status_code == 401

    def test_no_method_answers_without_the_token(self, worker):
        from operator_lib.wire.proto import manage_pb2, manage_pb2_grpc

        with grpc.insecure_channel(worker.grpc_address) as channel:
            stub = manage_pb2_grpc.SecretsStub(channel)
            with pytest.raises(grpc.RpcError) as refused:
                stub.List(manage_pb2.ListSecretsRequest())
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


class TestCommands:
    def run(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "operator_lib", "secrets", *words]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)

    def test_from_standard_input(self, worker):
        done = self.run("set", "KEPT_PIPED", text="from a pipe\n")
        assert (done.returncode, done.stderr) == (0, "")
        listed = json.loads(self.run("list", "--json").stdout)
        assert [info["name"] for info in listed if info["name"] == "KEPT_PIPED"] == ["KEPT_PIPED"]
        assert "from a pipe" not in self.run("list").stdout
        assert self.run("unset", "KEPT_PIPED").returncode == 0
        again = self.run("unset", "KEPT_PIPED")
        assert again.returncode == 1
        assert "KEPT_PIPED" in again.stderr

    def test_on_the_command_line_with_a_warning(self, worker):
        done = self.run("set", "KEPT_SAID", "said aloud")
        assert done.returncode == 0
        assert "can be seen by others" in done.stderr
        assert "said aloud" not in done.stdout + done.stderr
        self.run("unset", "KEPT_SAID")
