"""Deploys at the same time, under load, cut off half-way, and back again."""

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fault_servings as servings
import pytest
from crash import Raw, client, gone, until

from operator_lib import Retries
from operator_lib.errors import DeployError
from operator_lib.wire.proto import deploy_pb2

HANGS = """
import time
from operator_lib import Operator


class Hangs(Operator):
    def __init__(self):
        super().__init__()
        self.x = 1

    def __setstate__(self, state):
        time.sleep(600)

    def forward(self):
        return 1
"""


def load(folder: Path, name: str):
    """A module of a project of its own."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_two_clients_deploy_the_same_name_at_once(shared):
    script = """
import sys
import fault_servings
for n in range(int(sys.argv[1]), int(sys.argv[1]) + 5):
    assert fault_servings.Tagged(n).deploy("contended").answer(1)[1] == 1
"""
    clients = [client(shared, script, "100"), client(shared, script, "200")]
    assert [process.wait(60) for process in clients] == [0, 0]
    handle = servings.Tagged(104).deploy("contended")
    versions = handle.serving.versions()
    assert [version["number"] for version in versions] == list(range(1, 11)), "not dense, or not one for each content"
    assert {version["status"] for version in versions} == {"ready"}
    assert [version["live"] for version in versions].count(True) == 1
    assert handle.answer(7) == [104, 7, 104], "the last one wins"


def test_the_same_content_is_the_same_version_and_restarts_nothing(shared):
    first = servings.Counter(3).deploy("same")
    pid = first.pid()
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda _: servings.Counter(3).deploy("same"), range(16)))
    assert {handle.pid() for handle in handles} == {pid}
    assert len(first.serving.versions()) == 1


@pytest.mark.parametrize("pattern", ["calls", "submits"])
def test_no_call_fails_while_versions_change(shared, pattern):
    handle = servings.Tagged(0).deploy("loaded")
    stop, failures, counts = threading.Event(), [], [0] * 8
    seen: set[int] = set()

    def caller(number):
        while not stop.is_set():
            try:
                n = counts[number]
                calls = [handle.answer(n)] if pattern == "calls" else None
                if calls is None:
                    calls = [future.result(30) for future in [handle.answer.submit(n) for _ in range(4)]]
                for answer in calls:
                    assert answer == [answer[0], n, answer[0]]
                    seen.add(answer[0])
            except BaseException as error:
                failures.append(error)
                return
            counts[number] += 1

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        for version in range(1, 11):
            servings.Tagged(version).deploy("loaded")
            before = list(counts)
            until(lambda: failures or all(now > then for now, then in zip(counts, before, strict=True)))
            until(lambda version=version: failures or version in seen)
        handle.serving.rollback(3)
        assert handle.answer(-1)[0] == 2  # the third version
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not failures
    assert seen == set(range(11))


def test_calls_in_flight_finish_on_their_version(shared):
    handle = servings.Wide.deploy("flight")
    pid = handle.pid()
    call = handle.slow.submit(1.5)
    assert handle.pid() == pid
    servings.Wide.deploy("flight", retries=Retries(1))
    assert handle.pid() != pid
    assert call.result(10) == "slept"
    gone(pid, 5)


def test_rollback_to_what_never_worked_is_refused(shared):
    handle = servings.Tagged(1).deploy("back")
    with pytest.raises(DeployError):
        servings.Broken("raise").deploy("back")
    with pytest.raises(DeployError, match="version 2 of back is failed"):
        handle.serving.rollback(2)
    assert handle.answer(0) == [1, 0, 1]


def test_a_deploy_that_hangs_ends_at_its_timeout_and_leaves_nothing(shared, tmp_path):
    (tmp_path / "hangs.py").write_text(HANGS)
    op = load(tmp_path, "hangs").Hangs()
    before = len(shared.busy())
    for kind in ("job", "serving"):
        with pytest.raises(DeployError, match="within 1 s|after 1 s"):
            op.deploy(f"hangs-{kind}", kind, timeout=1)
    until(lambda: len(shared.busy()) <= before, 3)


def test_a_client_killed_in_a_deploy_leaves_nothing(shared, tmp_path):
    (tmp_path / "hangs2.py").write_text(HANGS)
    before = len(shared.busy())
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import hangs2; hangs2.Hangs().deploy('hangs2')"
    process = client(shared, script)
    until(lambda: len(shared.busy()) > before, 20)
    process.kill()
    process.wait()
    until(lambda: len(shared.busy()) <= before, 5, "the process of the deploy goes on")


def test_an_upload_is_taken_up_where_the_worker_died(worker, tmp_path):
    size = 200 << 20
    project = tmp_path / "large"
    project.mkdir()
    with open(project / "weights.bin", "wb") as file:
        for n in range(size >> 20):
            file.write(hashlib.sha256(str(n).encode()).digest() * (1 << 15))
    (project / "weighs.py").write_text(
        "import os\nfrom operator_lib import operator\n\n@operator\ndef weigh():\n"
        "    return os.path.getsize('weights.bin')\n"
    )
    from operator_lib.client import upload

    sent, original = [], upload.pieces
    upload.pieces = lambda *what: ((p, sent.append(len(d)) or d) for p, d in original(*what))
    blobs = worker.path / "blobs" / "partial"
    try:
        with ThreadPoolExecutor(1) as pool:
            deployed = pool.submit(load(project, "weighs").weigh.deploy, "weigh")
            for share in (0.2, 0.5):
                until(lambda share=share: any(f.stat().st_size > share * size for f in blobs.iterdir()), 20)
                worker.restart()
            handle = deployed.result(60)
    finally:
        upload.pieces = original
    assert handle() == size
    # Without what the worker had kept it would be 1.7 times as much; what was on its way is sent again.
    assert sum(sent) <= 1.5 * size
    assert not list(blobs.iterdir())


class SlowIndex(http.server.ThreadingHTTPServer):
    """A package index that does not answer until it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.set()
                index.go.wait(60)
                self.send_error(404)

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def uvs(index: SlowIndex) -> list[int]:
    """Processes of uv that talk to this index."""
    address = f"127.0.0.1:{index.server_port}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as line, open(f"/proc/{entry}/environ", "rb") as environ:
                    if b"uv" in line.read() and address in environ.read():
                        found.append(int(entry))
            except OSError:
                continue
    return [pid for pid in found if pid != os.getpid()]


def test_an_environment_that_was_being_built_is_built_again(home, tmp_path, monkeypatch):
    project = tmp_path / "needy"
    project.mkdir()
    (project / "needy.py").write_text("from operator_lib import operator\n\n@operator\ndef f():\n    return 1\n")
    (project / "requirements.txt").write_text("surely-not-there-at-all==1.0\n")
    index = SlowIndex()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{index.server_port}/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    try:
        home.start()
        needy = load(project, "needy").f
        with ThreadPoolExecutor(1) as pool:
            failed = pool.submit(needy.deploy, "needy")
            assert index.asked.wait(30)
            worker_pid = home.pid
            building = [pid for pid in uvs(index) if pid != worker_pid]
            assert building
            os.kill(worker_pid, signal.SIGKILL)
            for pid in building:
                gone(pid)
            with pytest.raises(ConnectionError):
                failed.result(30)
        os.waitpid(worker_pid, 0)
        (project / "requirements.txt").write_text("# nothing but what is there\n")
        home.start()
        assert needy.deploy("needy")() == 1
        (project / "requirements.txt").write_text("surely-not-there-at-all==1.0\n")
        index.go.set()
        with pytest.raises(DeployError, match="surely-not-there-at-all"):
            needy.deploy("needy")
        assert not [path for path in (home.path / "envs").iterdir() if path.is_dir()]
    finally:
        index.go.set()
        index.shutdown()
        index.server_close()


def test_a_requirement_that_cannot_be_installed_leaves_the_version_before_at_work(home, tmp_path, monkeypatch):
    project = tmp_path / "poisoned"
    project.mkdir()
    source = "from operator_lib import operator\n\n@operator\ndef f():\n    return {}\n"
    (project / "poisoned.py").write_text(source.format(1))
    index = SlowIndex()
    index.go.set()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{index.server_port}/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    try:
        home.start()
        first = load(project, "poisoned").f.deploy("poisoned")
        (project / "poisoned.py").write_text(source.format(2))
        (project / "requirements.txt").write_text("surely-not-there-at-all==1.0\n")
        for _ in range(2):
            with pytest.raises(DeployError, match="surely-not-there-at-all"):
                load(project, "poisoned").f.deploy("poisoned")
            assert first() == 1
        assert [version["live"] for version in first.versions()] == [True, False]
        (project / "requirements.txt").unlink()
        assert load(project, "poisoned").f.deploy("poisoned")() == 2
    finally:
        index.shutdown()
        index.server_close()


def test_a_build_ends_when_its_client_goes(home, tmp_path, monkeypatch):
    project = tmp_path / "needy2"
    project.mkdir()
    (project / "needy2.py").write_text("from operator_lib import operator\n\n@operator\ndef f():\n    return 1\n")
    (project / "requirements.txt").write_text("surely-not-there-at-all==1.0\n")
    index = SlowIndex()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{index.server_port}/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    try:
        home.start()
        process = client(home, f"import sys; sys.path.insert(0, {str(project)!r}); import needy2; needy2.f.deploy('n')")
        assert index.asked.wait(30)
        process.kill()
        process.wait()
        until(lambda: not [pid for pid in uvs(index) if pid != home.pid], 5, "uv goes on")
    finally:
        index.go.set()
        index.shutdown()
        index.server_close()


def test_deleting_lets_runs_finish_and_frees_the_name(shared, tmp_path):
    import fault_jobs as jobs

    counted = jobs.counted.deploy("gone")
    run = counted.submit(str(tmp_path / "e"), "a", 0.5)
    counted.job.delete()
    assert run.result(20) == "a"
    assert jobs.add.deploy("gone")(1, 2) == 3
    with Raw(shared) as raw:
        found = raw.deployments.Get(deploy_pb2.GetRequest(name="gone"), metadata=raw.metadata)
        assert found.version == 1
