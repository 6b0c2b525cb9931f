"""What the document says of deploying, latching and calling, line by line, against a real worker."""

from __future__ import annotations

import inspect
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from operator_lib import Operator, Resource
from operator_lib.errors import NotFound, OptionError, RemoteError
from operator_lib.worker import LocalWorker

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
    remote = program.foo.deploy("by-place", "serving", Resource(max_retries=1), ["*.csv"])
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
    end = time.monotonic() + 30
    while first() != 2:  # it is told of the new version, and answered by the old one until then
        assert time.monotonic() < end
    assert [version["number"] for version in second.serving.versions()] == [1, 2]
    second.serving.rollback(1)
    assert second() == 1


def test_the_same_name_as_a_job_and_as_a_serving(program: Any) -> None:
    """The document deploys both of its examples to 'workspace-id'."""
    program.foo.deploy("workspace-id")
    remote = program.Bar.deploy("workspace-id")
    assert remote.inc() == 2
    assert Operator.from_job("workspace-id")(3) == 9
