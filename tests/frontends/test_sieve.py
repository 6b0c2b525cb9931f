"""Programs written for Sieve run with another import line: here and on a worker, with equal answers and errors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import Future, as_completed, wait
from pathlib import Path

import arithmetic
import pytest
import requests
from appeared import appeared
from arithmetic import Adder, Classy, Warm, both, multiply
from sieve_refused import with_header

import operator_lib.frontends.sieve as sieve
from operator_lib import Operator, errors, options
from operator_lib.worker import LocalWorker

PROJECT = Path(arithmetic.__file__).parent


@pytest.fixture(params=["here", "on a worker"])
def anywhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "here":
        monkeypatch.setattr("operator_lib.client.connect.connect", None)  # nobody is asked
        with sieve.local():
            yield request.param
        return
    request.getfixturevalue("worker")
    yield request.param


def test_a_function_stays_a_function() -> None:
    assert multiply(2, x2=3) == 6
    assert (multiply.__name__, multiply.__doc__) == ("multiply", "Multiplies.")
    assert Adder()(2, 3) == 5
    assert Adder().__predict__(2, 3) == 5
    assert issubclass(Adder, Operator)
    assert isinstance(multiply, Operator)


@pytest.mark.parametrize("target", [multiply, sieve.function.get("somebody/multiplier")], ids=["itself", "by name"])
def test_run_and_push_of_a_function(worker: LocalWorker, target) -> None:
    multiply.deploy()
    assert target.run(2, 3) == 6
    assert target.run(target.run(2, 3), x2=4) == 24
    future = target.push(2, x2=5)
    assert isinstance(future, Future)
    assert future.result(30) == 10


@pytest.mark.parametrize("target", [Adder, Adder(), multiply], ids=["class", "object", "function"])
def test_run_and_push_are_the_same_for_functions_and_models(anywhere: str, target) -> None:
    numbers = [4, 8, 15, 16, 23, 42]
    combine = int.__mul__ if target is multiply else int.__add__
    expected = [combine(n, 2) for n in numbers]
    assert [target.run(n, 2) for n in numbers] == expected
    futures = [target.push(n, x2=2) for n in numbers]
    done, left = wait(futures, 60)
    assert (len(done), left) == (len(numbers), set())
    assert [future.result() for future in futures] == expected
    assert sorted(future.result() for future in as_completed(futures, 60)) == sorted(expected)


def test_a_model_is_set_up_once(anywhere: str) -> None:
    warm = Warm()
    assert [warm.run("a"), warm.push("b").result(60)] == [
        {"setups": 1, "calls": 2, "word": "a"},
        {"setups": 1, "calls": 3, "word": "b"},
    ]
    assert Classy.run("x") == "X"


def test_a_model_that_is_derived_from_another_is_one_of_its_own(worker: LocalWorker) -> None:
    assert (Adder.run(2, 3), arithmetic.Tenfold.run(2, 3)) == (5, 50)
    assert sieve.function.get("somebody/adder").run(2, 3) == 5
    with pytest.raises(TypeError, match=r"Forgotten is derived from the model 'adder', but is none: give it @sieve"):
        arithmetic.Forgotten.run(2, 3)


def test_two_cannot_have_one_name(worker: LocalWorker) -> None:
    multiply.deploy()
    another = sieve.function(name="multiplier")(lambda x1, x2: x1 - x2)
    with pytest.raises(errors.OptionError, match=r"arithmetic\.multiply has it, too; .*<lambda> needs a name of its"):
        another.run(2, 3)
    assert multiply.run(2, 3) == 6


def test_functions_that_call_others(anywhere: str) -> None:
    assert both.run(2, 3) == 7
    assert arithmetic.squares.run([3, 1, 2]) == [1, 4, 9]
    assert arithmetic.total.run(4) == 6


def test_functions_that_call_themselves_and_one_another(anywhere: str) -> None:
    assert arithmetic.factorial.run(12) == 479001600
    assert arithmetic.fibonacci.run(7) == 13
    turns = [(arithmetic.ping, "ping"), (arithmetic.pong, "pong")] * 3
    for future, first in [(target.push(4), first) for target, first in turns]:
        assert future.result(60) == [first, *(["pong", "ping"] if first == "ping" else ["ping", "pong"]) * 2]


def test_a_model_does_one_call_after_another_but_those_of_its_own(anywhere: str) -> None:
    futures = [arithmetic.Alone.push(2, first=True) for _ in range(4)]
    assert [future.result(60) for future in futures] == [[1, 1, 1]] * 4


@pytest.mark.parametrize("target", [arithmetic.count, arithmetic.steps], ids=["generator", "async generator"])
def test_generators_give_items_as_they_come(anywhere: str, target) -> None:
    assert list(target.run(3)) == [0, 1, 2]
    assert list(target.push(3).result(60)) == [0, 1, 2]
    items = target.run(2, boom=True)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="no more"):
        next(items)
    first = target.run(5)
    assert next(first) == 0
    first.close()
    assert list(first) == []


async def in_a_loop() -> list[int]:
    return list(arithmetic.steps.run(2))


def test_async_generators_are_read_where_there_is_no_loop_and_where_there_is_one(anywhere: str) -> None:
    assert arithmetic.all_steps.run(2) == [0, 1, 0, 1]
    assert asyncio.run(in_a_loop()) == [0, 1]
    assert [list(items) for items in arithmetic.steps.map([1, 2])] == [[0], [0, 1]]


def test_a_job_reads_an_async_generator(worker: LocalWorker) -> None:
    assert arithmetic.counted.deploy("counted")(3) == [0, 1, 2]


def test_a_coroutine_function_is_waited_for(anywhere: str) -> None:
    assert arithmetic.later.run(1) == 2
    assert arithmetic.later.push(1).result(60) == 2


def test_errors_arrive_as_they_were_raised(anywhere: str) -> None:
    with pytest.raises(KeyError) as found:
        arithmetic.failing.run("a")
    assert found.value.args == ("a",)
    error = arithmetic.failing.push("b").exception(60)
    assert isinstance(error, KeyError)
    if anywhere != "here":
        assert "raise KeyError(message)" in error.remote_traceback
    with pytest.raises(TypeError, match="multiply"):
        multiply.run(1)


@pytest.mark.usefixtures("worker")
def test_the_code_is_in_the_current_directory() -> None:
    found = arithmetic.where.run()
    assert found == {"text": "some text\n", "sibling": "beside", "files": ["data.txt"], "on the path": True}


@pytest.mark.usefixtures("worker")
def test_what_is_pushed_runs_on_all_replicas(tmp_path: Path) -> None:
    futures = [arithmetic.meet.push(str(tmp_path), 3) for _ in range(3)]
    assert len({future.result(60) for future in futures}) == 3


def test_what_waits_can_be_cancelled(anywhere: str, tmp_path: Path) -> None:
    names = [str(number) for number in range(5)]
    futures = [arithmetic.gate.push(str(tmp_path), name) for name in names]
    appeared(tmp_path / "0.begun")
    assert futures[4].cancel()
    assert not futures[0].cancel()
    for name in names:
        (tmp_path / f"{name}.go").touch()
    assert [future.result(60) for future in futures[:4]] == names[:4]
    assert futures[4].cancelled()
    assert not (tmp_path / "4.begun").exists()


def test_a_reference_is_looked_up_when_it_is_called(worker: LocalWorker) -> None:
    missing = sieve.function.get("somebody/not-deployed")
    with pytest.raises(errors.NotFound, match="not-deployed"):
        missing.run()
    multiply.deploy()
    kept = pickle.loads(pickle.dumps(sieve.Model.get("multiplier")))
    assert kept.run(3, 3) == 9
    for wrong in ("", "a/b/c", "a b", None):
        with pytest.raises(errors.OptionError, match="owner/name"):
            sieve.function.get(wrong)


def test_a_reference_to_a_version_stays_with_it(worker: LocalWorker, tmp_path: Path) -> None:
    def deploy(text: str) -> None:
        (tmp_path / "told.py").write_text(
            "import operator_lib.frontends.sieve as sieve\n\n"
            f"@sieve.function(name='told')\ndef tell():\n    return {text!r}\n"
        )
        deploying = "import told; told.tell.deploy()"
        subprocess.run([sys.executable, "-c", deploying], cwd=tmp_path, check=True, timeout=60)

    deploy("first")
    first, live = sieve.function.get("me/told:1"), sieve.function.get("told")
    assert (first.run(), live.run()) == ("first", "first")
    deploy("second")
    (one, two) = live.place().handle.versions()
    assert (first.run(), live.run()) == ("first", "second")
    assert sieve.function.get(f"told:{two['fingerprint'][:6]}").run() == "second"
    with pytest.raises(errors.NotFound, match=rf"no version '3'; there are: 1 \({one['fingerprint'][:8]}\), 2"):
        sieve.function.get("told:3").run()


SCRIPT = """
import operator_lib.frontends.sieve as sieve

@sieve.function(name="scripted")
def multiply(x1: int, x2: int) -> int:
    return x1 * x2

@sieve.Model(name="scripted-model")
class Adder:
    def __setup__(self):
        self.seen = []
    def __predict__(self, x1: int, x2: int) -> int:
        self.seen.append(multiply.run(x1, 1))
        return len(self.seen), x1 + x2

if __name__ == "__main__":
    print(multiply.run(2, 3), Adder.run(2, 3), [f.result() for f in [Adder.push(n, n) for n in (1, 2)]])
"""


def test_a_script_deploys_and_calls(worker: LocalWorker, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(SCRIPT)
    run = [sys.executable, str(program)]
    first = subprocess.run(run, text=True, capture_output=True, timeout=100)
    again = subprocess.run(run, text=True, capture_output=True, timeout=100)
    assert first.stdout == "6 (1, 5) [(2, 2), (3, 4)]\n", first.stderr
    assert again.stdout == "6 (4, 5) [(5, 2), (6, 4)]\n", again.stderr  # the same process: nothing was deployed anew
    assert len(sieve.function.get("scripted").place().handle.versions()) == 1


def test_a_process_of_a_worker_starts_no_other_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPERATOR_LIB_HOME", raising=False)
    monkeypatch.setenv("OPERATOR_LIB_OF", str(tmp_path / "home"))  # as such a process finds it
    with pytest.raises(ConnectionError, match="has ended or cannot be seen"):
        sieve.function.get("any").run()
    assert not (tmp_path / "home").exists()


def test_a_script_can_stay_in_its_process(tmp_path: Path) -> None:
    program, home = tmp_path / "program.py", tmp_path / "home"
    program.write_text(SCRIPT)
    env = {**os.environ, "SIEVE_LOCAL": "1", "OPERATOR_LIB_HOME": str(home)}
    done = subprocess.run([sys.executable, str(program)], text=True, capture_output=True, timeout=60, env=env)
    assert done.stdout == "6 (1, 5) [(2, 2), (3, 4)]\n", done.stderr
    assert not home.exists()


def test_an_operator_that_calls_a_function_which_nobody_deployed(worker: LocalWorker, tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(
        textwrap.dedent("""
        import operator_lib.frontends.sieve as sieve
        from operator_lib import operator

        @sieve.function(name="from-inside")
        def inner(x: int) -> int:
            return x + 1

        @operator
        def outer(x: int) -> int:
            return inner.run(x)
        """)
    )
    call = "import outer; print(outer.outer.deploy('outer-job')(1))"
    done = subprocess.run([sys.executable, "-c", call], cwd=tmp_path, text=True, capture_output=True, timeout=100)
    assert done.stdout == "2\n", done.stderr


def test_what_is_deployed_is_described(worker: LocalWorker) -> None:
    multiply.deploy()
    handle = Adder.deploy()
    assert dir(handle).count("run") == 0
    with pytest.raises(AttributeError):
        handle.push
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {worker.token}"
        base = f"{worker.url}/v1/servings/multiplier"
        properties = http.get(f"{base}/schema").json()["methods"][""]
        assert [(p["name"], p["schema"]) for p in properties["params"]] == [
            ("x1", {"type": "integer"}),
            ("x2", {"type": "integer"}),
        ]
        assert http.post(base, json={"x1": 2, "x2": 3}).json() == 6
        wrong = http.post(base, json={"x1": "two", "x2": 3})
        assert (wrong.status_code, "x1" in wrong.text) == (422, True)


def test_the_graph_shows_calls_of_other_functions() -> None:
    def calls(target) -> list[tuple[str, str]]:
        return [(node.name, node.certainty) for node in target.dag().nodes if node.kind == "call"]

    assert calls(arithmetic.factorial) == [("factorial", "may")]  # n may be small
    assert calls(both) == [("multiply", "exact"), ("beside.plus_one", "exact"), ("Adder", "exact")]
    assert "x1" in {node.name for node in Adder.dag().nodes}


# --- the header ----------------------------------------------------------------------------------------------------


def test_a_name_is_required() -> None:
    with pytest.raises(TypeError, match=r"@sieve.function\(name="):
        sieve.function(gpu=None)
    with pytest.raises(TypeError, match="needs a name"):

        @sieve.function
        def forgotten() -> None: ...

    with pytest.raises(TypeError, match="no __predict__"):

        @sieve.Model(name="empty")
        class Empty: ...

    with pytest.raises(TypeError, match="a class with __predict__"):
        sieve.Model(name="function")(lambda: None)


def test_the_defaults_of_the_header() -> None:
    chosen = options.of(multiply)
    assert chosen.restart_on_error is True
    assert (chosen.gpu, chosen.image, chosen.environment_variables, chosen.metadata) == (None, None, (), None)
    assert chosen.deployment_type == "serving"


def header(**parameters: object) -> options.Options:
    return options.of(sieve.function(name="any", **parameters)(lambda: None))


def test_the_header() -> None:
    chosen = header(
        gpu=sieve.gpu.T4(split=3),
        python_version="3.11",
        python_packages=["torch==2.1.0"],
        system_packages=["ffmpeg"],
        cuda_version="12.2",
        run_commands=["mkdir -p /opt/cache"],
        environment_variables=[sieve.Env(name="SIZE", description="a number", default=30)],
        metadata=sieve.Metadata(
            title="A title",
            description="words",
            code_url="https://example.com/code",
            image=sieve.File(url="https://example.com/a.png"),
            tags=["one", "two"],
            readme="# Read me",
        ),
        restart_on_error=False,
    )
    assert str(chosen.gpu[0]) == "T4 (1/3)"
    image = chosen.image
    assert (image.python_version, image.cuda_version, image.python_packages) == ("3.11", "12.2.2", ("torch==2.1.0",))
    assert (image.system_packages, image.run_commands) == (("ffmpeg",), ("mkdir -p /opt/cache",))
    assert chosen.environment_variables[0].default == "30"
    assert (chosen.metadata.image_url, chosen.metadata.tags) == ("https://example.com/a.png", ("one", "two"))
    assert chosen.restart_on_error is False


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"cuda_version": "11.8"}, "give gpu="),
        ({"cuda_version": "7.0", "gpu": sieve.gpu.L4()}, "one of 8.0, 9.0"),
        ({"cuda_version": "12.9", "gpu": sieve.gpu.L4()}, "12.3.2, got '12.9'"),
        ({"python_version": "three"}, "python_version"),
        ({"python_packages": "torch"}, "python_packages"),
        ({"restart_on_error": "yes"}, "restart_on_error: must be True or False"),
        ({"colour": "red"}, "colour: is not an option"),
        ({"metadata": {"title": "x"}}, "must be Metadata"),
        ({"environment_variables": ["KEY"]}, "must be a list of Env"),
    ],
)
def test_mistakes_in_the_header(mistake: dict[str, object], words: str) -> None:
    with pytest.raises(errors.OptionError, match=words.replace("(", r"\(")):
        header(**mistake)


@pytest.mark.parametrize("split", [0, 9, 1.5, "2"])
def test_a_card_is_shared_by_one_to_eight(split: object) -> None:
    with pytest.raises(ValueError, match="between 1 and 8"):
        sieve.gpu.T4(split=split)


def test_a_picture_of_the_dashboard_is_on_the_web() -> None:
    with pytest.raises(errors.OptionError, match="must have a URL"):
        sieve.Metadata(image=sieve.File(path="picture.png"))


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"python_version": "3.8"}, "needs Python 3.8; this worker has Python 3"),
        ({"system_packages": ["no-such-package"]}, "no-such-package"),
        ({"python_packages": ["./no/such/wheel-1.0-py3-none-any.whl"]}, "wheel"),
    ],
)
def test_what_a_worker_cannot_do_is_refused(parameters: dict[str, object], words: str) -> None:
    target = with_header(**parameters)
    with pytest.raises((errors.DeployError, errors.PythonVersionMismatch), match=words):
        target.run()


@pytest.mark.usefixtures("worker")
@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a card")
def test_a_card_that_is_not_there_is_refused() -> None:
    target = with_header(gpu=sieve.gpu.A10020GB(split=2), cuda_version="11.8")
    with pytest.raises(errors.DeployError, match="this worker has no graphics cards") as refused:
        target.run()
    assert "cuda_version" in str(refused.value)
    with contextlib.suppress(errors.NotFound):
        sieve.function.get("lacking").place()
        pytest.fail("it was deployed")


def test_files_of_the_program_are_not_there_while_its_environment_is_built(worker: LocalWorker, tmp_path: Path) -> None:
    (tmp_path / "built.py").write_text(
        textwrap.dedent("""
        import os, sys
        import operator_lib.frontends.sieve as sieve

        commands = [
            "echo made > $VIRTUAL_ENV/made",
            "ls built.py /src/built.py >> $VIRTUAL_ENV/made 2> /dev/null || true",
        ]

        @sieve.function(name="built", run_commands=commands)
        def built():
            return open(os.path.join(sys.prefix, "made")).read()
        """)
    )
    call = "import built; print(repr(built.built.run()))"
    done = subprocess.run([sys.executable, "-c", call], cwd=tmp_path, text=True, capture_output=True, timeout=100)
    assert done.stdout == "'made\\n'\n", done.stderr
