"""What the document says of deploying, latching and calling, line by line, against a real worker."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import requests

from operator_lib import Operator, Resource
from operator_lib.errors import AuthenticationError, DeployError, NotFound, OptionError, RemoteError
from operator_lib.worker import LocalWorker

PROGRAM = """
    import os
    from operator_lib import Operator, operator

    @operator
    def foo(i: float = 4):
        "Squares."
        return i * i

    @operator
    class Bar:
        def __init__(self, x: int = 1):
            self.x = x

        def inc(self):
            self.x += 1
            return self.x

    class Node(Operator):
        def __init__(self, n=1):
            self.n = n

        def forward(self, x):
            return x + self.n

    class Tree(Operator):
        def __init__(self, n):
            self.first = Node(n)
            self.rest = [Node(1), Node(2)]

        def forward(self, x):
            x = self.first(x)
            for each in self.rest:
                x = each(x)
            return x

    @operator
    def needs(i, *, j):
        return i, j

    @operator
    def fails():
        raise LookupError("told you")
"""


@pytest.fixture
def program(load: Any, worker: LocalWorker) -> Any:
    return load(PROGRAM)


# --- where and as what


@pytest.mark.parametrize("make", ["foo", "Node", "Tree"])
def test_a_wrong_type_of_deployment(program: Any, make: str) -> None:
    target = program.foo if make == "foo" else getattr(program, make)(1)
    with pytest.raises(ValueError, match=r"Invalid deployment type: api\. Must be one of \('job', 'serving'\)"):
        target.deploy("g", "api")


def test_a_class_cannot_be_a_job(program: Any) -> None:
    for target in (program.Bar, program.Bar(2), Operator.from_class(program.Bar(1))):
        with pytest.raises(ValueError, match="Cannot deploy a class as a job, only as a serving"):
            target.deploy("g", deployment_type="job")


def test_functions_and_operators_are_jobs_and_classes_servings_by_default(program: Any) -> None:
    assert repr(program.foo.deploy("defaults-foo")).startswith("<job")
    assert repr(program.Node().deploy("defaults-node")).startswith("<job")
    assert repr(program.Bar.deploy("defaults-bar")).startswith("<serving")


def test_all_four_arguments_by_place(program: Any) -> None:
    remote = program.foo.deploy("by-place", "serving", Resource(timeout=100), ["*.csv"])
    assert remote(3) == 9
    assert list(inspect.signature(Operator.deploy).parameters)[:4] == [
        "group_id", "deployment_type", "resource", "ignore_patterns",
    ]  # fmt: skip


def test_without_a_name_it_is_made_from_module_and_name(program: Any) -> None:
    first = program.foo.deploy()
    second = program.foo.deploy()
    assert first.job.name == second.job.name == "program.foo"
    assert len(second.job.versions()) == 1
    assert first(3) == second(3) == 9


def test_a_deployed_operator_is_not_deployed_again(program: Any) -> None:
    job, serving = program.foo.deploy("once-job"), program.Bar.deploy("once-serving")
    for handle in (job, serving, Operator.from_job("once-job"), Operator.from_serving(serving.url, serving.token)):
        with pytest.raises(ValueError, match="Cannot deploy an operator that is already deployed"):
            handle.deploy("twice")


def test_a_handle_is_an_operator(program: Any) -> None:
    assert isinstance(program.foo.deploy("is-op"), Operator)
    assert isinstance(program.Bar.deploy("is-op-too"), Operator)


def test_bad_resources_are_refused_before_anything_is_sent(program: Any) -> None:
    with pytest.raises(OptionError, match="timeout"):
        program.foo.deploy("bad", resource=Resource(timeout=0))
    with pytest.raises(OptionError, match=r"foo\.retries"):
        program.foo.deploy("bad", retries="x")
    with pytest.raises(NotFound):
        Operator.from_job("bad")


# --- arguments and state


def test_constructor_arguments_travel(program: Any) -> None:
    tree = program.Tree(100)
    assert tree.deploy("tree")(5) == tree(5) == 108
    bar = program.Bar(5).deploy("bar-5")
    assert bar.x == 5
    assert program.Bar.deploy("bar-default").x == 1


def test_state_travels(program: Any) -> None:
    bar = program.Bar(5)
    bar.inc()
    assert bar.deploy("bar-state").inc() == bar.inc() == 7


def test_a_class_that_needs_arguments_says_so_before_anything_is_sent(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        from operator_lib import operator
        @operator
        class Needy:
            def __init__(self, size, *, name): ...
        """
    )
    with pytest.raises(TypeError, match=r"Needy\.__init__\(\) missing 1 required positional argument: 'size'"):
        program.Needy.deploy("needy")


def test_required_arguments_are_asked_for_here(program: Any) -> None:
    remote = program.needs.deploy("needs")
    for call in (lambda f: f(), lambda f: f(1), lambda f: f(1, 2, j=3), lambda f: f(1, j=2, k=3)):
        with pytest.raises(TypeError) as theirs:
            call(program.needs)
        with pytest.raises(TypeError) as ours:
            call(remote)
        assert str(ours.value) == str(theirs.value)
        assert not isinstance(ours.value, RemoteError)
    assert remote.runs() == []


def test_two_clients_of_one_serving_see_one_object(program: Any) -> None:
    first = program.Bar.deploy("two-clients")
    second = Operator.from_serving(first.url, first.token)
    assert [first.inc(), second.inc(), first.inc()] == [2, 3, 4]
    second.x = 10
    assert first.x == 10
    assert first.inc() == 11
    second.extra = "new"
    assert first.extra == "new"
    del first.extra
    with pytest.raises(AttributeError, match="extra"):
        _ = second.extra


@pytest.mark.parametrize("name", ["_secret", "__class__x", "__dict__x", "_Bar__hidden"])
def test_private_names_are_refused(program: Any, name: str) -> None:
    remote = program.Bar.deploy("private")
    with pytest.raises(AttributeError, match="private"):
        getattr(remote, name)
    with pytest.raises(AttributeError):
        setattr(remote, name, 1)
    with pytest.raises(AttributeError):
        delattr(remote, name)


def test_the_librarys_methods_are_not_offered_to_callers(program: Any) -> None:
    remote = program.Bar.deploy("surface")
    headers = {"Authorization": f"Bearer {remote.token}"}
    assert requests.post(remote.url + "inc", json={}, headers=headers, timeout=30).json() == 2
    for name in ("deploy", "propagate", "remote_init", "thaw", "map", "from_job", "children", "dag", "_secret"):
        refused = requests.post(remote.url + name, json={}, headers=headers, timeout=30)
        assert refused.status_code == 404, (name, refused.text)


def test_an_object_that_cannot_be_called(program: Any) -> None:
    remote = program.Bar.deploy("not-callable")
    with pytest.raises(TypeError, match="'Bar' object is not callable"):
        remote()


# --- over HTTP


def test_a_function_as_a_serving_answers_json(program: Any) -> None:
    remote = program.foo.deploy("foo-http", deployment_type="serving")
    headers = {"Authorization": f"Bearer {remote.token}"}
    assert requests.post(remote.url, json={"i": 5}, headers=headers, timeout=30).json() == 25
    assert requests.post(remote.url, json=6, headers=headers, timeout=30).json() == 36
    refused = requests.post(remote.url, json={"i": 5}, timeout=30)
    assert refused.status_code == 401
    assert set(refused.json()["error"]) >= {"type", "message"}


# --- latching


def test_from_job_by_name_and_by_id(program: Any) -> None:
    job = program.foo.deploy("latch-me")
    by_name = Operator.from_job("latch-me")
    by_id = Operator.from_job(job_id=job.job.info().id)
    assert (by_name(3), by_id(4), Operator.from_job(job_name="latch-me")(5)) == (9, 16, 25)


@pytest.mark.parametrize("arguments", [{}, {"job_name": "a", "job_id": "b"}, {"job_name": "", "job_id": ""}])
def test_from_job_takes_exactly_one(arguments: dict[str, str], worker: LocalWorker) -> None:
    with pytest.raises(ValueError, match="Either job_name or job_id must be specified"):
        Operator.from_job(**arguments)


def test_what_is_not_there(worker: LocalWorker) -> None:
    with pytest.raises(NotFound, match="no-such-job"):
        Operator.from_job("no-such-job")
    with pytest.raises(NotFound, match="no-such-serving"):
        Operator.from_serving(f"{worker.url}/v1/servings/no-such-serving/", worker.token)


def test_a_wrong_token(program: Any, worker: LocalWorker) -> None:
    remote = program.Bar.deploy("guarded")
    for token in ("", "wrong", remote.token[:-1]):
        with pytest.raises(AuthenticationError):
            Operator.from_serving(remote.url, token)
    with pytest.raises(AuthenticationError):
        Operator.from_job("guarded", address=worker.grpc_address, token="wrong")
    with pytest.raises(AuthenticationError):
        program.foo.deploy("x", address=worker.grpc_address, token="wrong")


def test_nobody_there() -> None:
    with pytest.raises(ConnectionError, match="127.0.0.1:1"):
        Operator.from_serving("http://127.0.0.1:1/v1/servings/x/", "token")
    with pytest.raises(ConnectionError, match="127.0.0.1:1"):
        Operator.from_job("x", address="127.0.0.1:1", token="token")


def test_the_slash_at_the_end_of_a_url_does_not_matter(program: Any) -> None:
    remote = program.Bar(3).deploy("slash")
    assert Operator.from_serving(remote.url.rstrip("/"), remote.token).x == 3


def test_a_deployment_that_was_deleted(program: Any) -> None:
    remote = program.foo.deploy("short-lived")
    assert remote(2) == 4
    remote.job.delete()
    with pytest.raises(NotFound, match="short-lived"):
        remote(2)


# --- the hook


def test_the_hook_runs_once_in_each_process(load: Any, worker: LocalWorker, tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = load(
        f"""
        import os
        from operator_lib import Operator
        class Model(Operator):
            def __remote_init__(self):
                open({str(log)!r}, "a").write(f"{{os.getpid()}}\\n")
                self.weights = [1, 2, 3]
            def forward(self):
                return sum(self.weights), os.getpid()
        class Wrapper(Operator):
            def __init__(self):
                self.model = self.same = Model()
            def forward(self):
                return self.model()
        """
    )
    with pytest.raises(AttributeError, match="weights"):
        program.Wrapper()()
    serving = program.Wrapper().deploy("hook-serving", "serving")
    total, pid = serving()
    assert total == 6
    assert serving() == (6, pid)
    assert log.read_text() == f"{pid}\n"
    job = program.Wrapper().deploy("hook-job")
    log.write_text("")
    pids = [job()[1], job()[1]]
    assert log.read_text().split() == [str(pid) for pid in pids]
    assert len(set(pids)) == 2


def test_a_hook_that_fails(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        from operator_lib import Operator
        class Broken(Operator):
            def __remote_init__(self):
                raise OSError("no weights here")
            def forward(self):
                return 1
        """
    )
    with pytest.raises(DeployError, match="no weights here") as caught:
        program.Broken().deploy("broken-serving", "serving")
    assert isinstance(caught.value.__cause__, OSError)
    run = program.Broken().deploy("broken-job").submit()
    with pytest.raises(OSError, match="no weights here") as failed:
        run.result(30)
    assert run.status == "FAILED"
    assert 'raise OSError("no weights here")' in failed.value.remote_traceback


# --- runs


def test_a_run_lists_each_call_of_a_child(program: Any) -> None:
    run = program.Tree(1).deploy("visible").submit(1)
    assert run.result(30) == 5
    ended = [event for event in run.events() if event.get("phase") == "end"]
    assert [event["path"] for event in ended] == ["first", "rest.0", "rest.1", ""]
    assert all(event["dur"] >= 0 and event["t"] > 0 for event in ended)
    assert run.dag().node("first").status == "done"


def test_a_run_that_fails(program: Any) -> None:
    remote = program.fails.deploy("fails")
    run = remote.submit()
    with pytest.raises(LookupError, match="told you") as caught:
        run.result(30)
    error = caught.value
    assert isinstance(error, RemoteError)
    assert run.status == "FAILED"
    assert error.run_id == run.id
    assert 'raise LookupError("told you")' in error.remote_traceback
    with pytest.raises(LookupError, match="told you"):
        remote()


def test_a_process_that_ends(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        import os, signal
        from operator_lib import operator
        @operator
        def leave(how):
            print("before", flush=True)
            os._exit(3) if how == "exit" else os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    remote = program.leave.deploy("leaves")
    for how, words in (("exit", "exit 3"), ("kill", "signal 9")):
        run = remote.submit(how)
        with pytest.raises(Exception, match=words):
            run.result(30)
        assert run.status == "FAILED"
        assert list(run.logs()) == ["before"]
    assert len(remote.runs()) == 2


def test_runs_of_a_job(program: Any) -> None:
    remote = program.foo.deploy("many-runs")
    runs = [remote.submit(i) for i in range(3)]
    assert [run.result(30) for run in runs] == [0, 1, 4]
    assert [run.id for run in remote.runs()] == [run.id for run in reversed(runs)]
    assert [run.id for run in remote.runs(limit=1)] == [runs[-1].id]
    assert remote.run(runs[0].id).result(30) == 0
    with pytest.raises(NotFound):
        remote.run("no-such-run")


# --- what travels


def test_files_beside_the_program(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        from pathlib import Path
        from operator_lib import operator
        @operator
        def look():
            here = Path(__file__).parent
            return sorted(p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file()), \\
                (here / "data" / "words.txt").read_text()
        """,
        {
            "data/words.txt": "hello",
            "secret.bin": "x",
            "notes/draft.md": "x",
            "notes/keep.md": "x",
            "logs/a.log": "x",
            ".nboxignore": "# comment\n\n*.bin\nnotes/*\n!notes/keep.md\n",
        },
    )
    files, words = program.look.deploy("files", ignore_patterns=["logs/"])()
    assert words == "hello"
    assert "program.py" in files
    assert "notes/keep.md" in files
    assert not {"secret.bin", "notes/draft.md", "logs/a.log"} & set(files)


def test_nothing_is_written_into_the_users_folder(program: Any, tmp_path: Path, untouched_after: Any) -> None:
    with untouched_after(tmp_path / "project"):
        remote = program.foo.deploy("tidy")
        assert remote(2) == 4
        assert remote.map(range(3)) == [0, 1, 4]
        program.Bar.deploy("tidy-bar").inc()
        program.foo.deploy("tidy", dry_run=True)
        assert program.foo.map(range(3)) == [0, 1, 4]


def test_modules_of_the_project_and_relative_imports(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        from operator_lib import operator
        from .parts.half import half
        @operator
        def main(x):
            from . import late
            return half(x), late.VALUE
        """,
        {
            "package/__init__.py": "",
            "package/late.py": "VALUE = 'late'",
            "package/parts/__init__.py": "",
            "package/parts/half.py": "def half(x):\n    return x / 2\n",
        },
        module="package.program",
    )
    assert program.main.deploy("relative")(3) == program.main(3) == (1.5, "late")


def test_functions_of_one_project_can_be_deployed_one_by_one(program: Any) -> None:
    assert program.foo.deploy("one")(2) == 4
    assert program.needs.deploy("two")(1, j=2) == (1, 2)


# --- wrapping what is not decorated


UNDECORATED = """
    from functools import partial

    class Box:
        def __init__(self, x):
            self.x = x

        def get(self):
            return self.x

    def add(a, b=10):
        return a + b

    def closure(step):
        def stepper(x):
            return x + step
        return stepper

    class Adder:
        def __init__(self, n):
            self.n = n

        def __call__(self, x):
            return x + self.n
"""


def test_an_object_of_an_undecorated_class(load: Any, worker: LocalWorker) -> None:
    program = load(UNDECORATED)
    remote = Operator.from_class(program.Box(7)).deploy("undecorated-box")
    assert (remote.get(), remote.x) == (7, 7)
    remote.x = 8
    assert remote.get() == 8


def test_undecorated_functions(load: Any, worker: LocalWorker) -> None:
    from functools import partial

    program = load(UNDECORATED)
    assert Operator.from_fn(program.add).deploy("undecorated-add")(1) == 11
    assert Operator.from_fn(partial(program.add, b=5)).deploy("undecorated-partial")(1) == 6
    assert Operator.from_fn(program.closure(3)).deploy("undecorated-closure")(1) == 4
    assert Operator.from_fn(program.Adder(4)).deploy("undecorated-callable")(1) == 5


# --- versions


def test_a_second_deploy_moves_the_callers_along(load: Any, worker: LocalWorker) -> None:
    code = "from operator_lib import operator\n@operator\ndef which():\n    return {n}\n"
    program = load(code.format(n=1))
    first = program.which.deploy("moving", "serving")
    assert first() == 1
    Path(program.__file__).write_text(code.format(n=2))
    import importlib

    importlib.reload(program)
    second = program.which.deploy("moving", "serving")
    assert second() == 2
    assert first() == 2
    assert [version["number"] for version in second.serving.versions()] == [1, 2]
    second.serving.rollback(1)
    assert second() == 1


def test_the_same_name_as_a_job_and_as_a_serving(program: Any) -> None:
    """The document deploys both of its examples to 'workspace-id'."""
    program.foo.deploy("workspace-id")
    remote = program.Bar.deploy("workspace-id")
    assert remote.inc() == 2
    assert Operator.from_job("workspace-id")(3) == 9
