"""Workflows called, drawn, recorded and deployed like any other operator."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

import operator_lib
from operator_lib import Operator, errors
from operator_lib.frontends.torchserve import Form, HandlerError, Model, Workflow
from operator_lib.worker import LocalWorker

from .conftest import CHAIN

Made = Callable[..., Workflow]

DIAMOND = """
    models:
      shout: {url: shout.mar}
      count: {url: count.mar}
    dag:
      first: [shout, count]
      count: [%s]
      shout: [%s]
    """


def test_a_chain(workflow: Made) -> None:
    found = workflow(CHAIN)
    assert found(b"hello") == found("hello") == found(Form(data="hello")) == "<HELLO>"
    assert found.map(["a", "b"]) == ["<A>", "<B>"]


def test_a_join_gets_a_key_for_each_parent_in_the_order_of_the_file(workflow: Made) -> None:
    assert workflow(DIAMOND % ("both", "both"))("x") == ["count", "shout"]


def test_values_are_handed_on_as_they_are_or_as_bytes(workflow: Made) -> None:
    text = DIAMOND % ("rows", "rows")
    assert workflow(text)("x") == {"count": "dict", "shout": "str"}
    assert workflow(text, hand_over="bytes")("x") == {"count": "bytearray", "shout": "bytearray"}


def test_a_handler_that_needs_bytes_gets_them(workflow: Made) -> None:
    text = "models: {}\ndag:\n  kind: [decoding]"
    assert workflow(text)("x") == '{\n  "a": 1\n}'
    with pytest.raises(AttributeError, match="decode"):
        workflow(text, hand_over="values")("x")


def test_several_leaves_become_a_dict(workflow: Made) -> None:
    text = "models: {}\ndag:\n  first: [last, kind, rows]"
    assert workflow(text)("x") == {"last": "<x>", "kind": {"a": 1}, "rows": {"body": "str"}}


def test_the_graph_shows_nodes_edges_and_where_they_are_written(workflow: Made) -> None:
    dag = workflow(DIAMOND % ("both", "both")).dag()
    calls = [node for node in dag.nodes if node.kind == "call"]
    assert [(n.name, n.operator, n.certainty, n.file, n.line > 0) for n in calls] == [
        ("first", "first", "exact", "functions.py", True),
        ("shout", "shout", "exact", "wf.yaml", True),
        ("count", "count", "exact", "wf.yaml", True),
        ("both", "both", "exact", "functions.py", True),
    ]
    names = {node.id: node.name for node in dag.nodes}
    edges = {(names[e.source], names[e.target]) for e in dag.edges if {e.source, e.target} <= {n.id for n in calls}}
    assert edges == {("first", "shout"), ("first", "count"), ("shout", "both"), ("count", "both")}
    assert dag.coverage == 1.0


def test_branches_run_at_the_same_time(workflow: Made, tmp_path: Path) -> None:
    names = [f"branch{i}" for i in range(6)]
    source = "def start(data, context):\n    return data and ['x']\n"
    source += "def end(data, context):\n    return data and [len(data[0])]\n"
    for name in names:
        source += f"def {name}(data, context):\n    return data and [__import__('shared').meet.wait(30)]\n"
    (tmp_path / "functions.py").write_text(source)
    dag = f"dag:\n  start: [{', '.join(names)}]\n" + "".join(f"  {n}: [end]\n" for n in names)
    found = workflow("models: {}\n" + dag)
    sys.modules["shared"] = types.ModuleType("shared")
    sys.modules["shared"].meet = threading.Barrier(6)  # type: ignore[attr-defined]
    try:
        assert found("x") == 6
    finally:
        del sys.modules["shared"]


def test_requests_are_batched(workflow: Made) -> None:
    found = workflow(
        "models:\n  count: {url: count.mar, batch-size: 4, max-batch-delay: 20000}\ndag:\n  first: [count]"
    )
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(found, ["x"] * 4)) == [{"length": 2, "batch": 4}] * 4


def test_one_bad_request_does_not_spoil_its_batch(tmp_path: Path) -> None:
    handler = tmp_path / "inverse.py"
    handler.write_text("def handle(data, context):\n    return data and [1 / row['body'] for row in data]\n")
    config = tmp_path / "config.yaml"
    config.write_text("batchSize: 3\nmaxBatchDelay: 3000\n")
    model = Model("inverse", handler=handler, config_file=config)
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(model, x) for x in (1, 0, 4)]
        assert (runs[0].result(), runs[2].result()) == (1.0, 0.25)
        with pytest.raises(ZeroDivisionError) as caught:
            runs[1].result()
    assert caught.value.__notes__ == ["in node inverse of inverse"]


@pytest.mark.parametrize(("retries", "calls"), [(0, 1), (1, 2), (3, 4)])
def test_failures_are_tried_again(workflow: Made, tmp_path: Path, retries: int, calls: int) -> None:
    log = tmp_path / "log"
    source = f"def fails(data, context):\n    if data:\n        open({str(log)!r}, 'a').write('x')\n"
    (tmp_path / "functions.py").write_text(source + "        raise ValueError('no')\n")
    with pytest.raises(ValueError, match="no"):
        workflow(f"models: {{retry-attempts: {retries}}}\ndag:\n  fails: []")("x")
    assert log.read_text() == "x" * calls


def test_a_late_answer_is_an_error_and_the_next_request_has_a_worker(workflow: Made, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"  # to be read by whoever is slow, until the test writes into it
    os.mkfifo(pipe)
    source = f"def slow(data, context):\n    if data and data[0]['body'] == 'wait': open({str(pipe)!r}).read()\n"
    (tmp_path / "functions.py").write_text(source + "    return data and ['done']\n")
    found = workflow("models: {timeout-ms: 300, retry-attempts: 0}\ndag:\n  slow: []")
    with pytest.raises(errors.OperatorTimeout, match=r"slow gave no answer in 0\.3 s"):
        found("wait")
    assert found("go") == "done"
    slow = next(thread for thread in threading.enumerate() if thread.name == "wf-slow-0")
    pipe.write_text("")
    slow.join(30)


def test_workers_work_at_the_same_time_and_no_more_than_allowed(workflow: Made, tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text(
        "import threading\n"
        "class Handler:\n"
        "    def handle(self, data, context):\n"
        "        import meeting\n"
        "        meeting.barrier.wait(30)\n"
        "        return [threading.current_thread().name for _ in data]\n"
    )
    sys.modules["meeting"] = meeting = types.ModuleType("meeting")
    meeting.barrier = threading.Barrier(3)  # type: ignore[attr-defined]
    try:
        Model("three", handler=handler).pack(tmp_path / "store")
        found = workflow("models:\n  three: {url: three.mar, max-workers: 3}\ndag:\n  three: []")
        with ThreadPoolExecutor(6) as pool:
            names = set(pool.map(found, range(6)))
    finally:
        del sys.modules["meeting"]
    assert len(names) == 3


@pytest.mark.parametrize(("node", "words"), [("several", "2 items for 1 rows"), ("plain", "answered str")])
def test_answers_that_break_the_rules(workflow: Made, node: str, words: str) -> None:
    with pytest.raises(HandlerError, match=words):
        workflow(f"models: {{retry-attempts: 0}}\ndag:\n  {node}: []")("x")


def test_a_model_that_cannot_be_loaded_says_why(workflow: Made, tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text(
        "class H:\n    def initialize(self, context): raise RuntimeError('no weights')\n    handle = None\n"
    )
    Model("broken", handler=handler).pack(tmp_path / "store")
    found = workflow("models:\n  retry-attempts: 0\n  broken: {url: broken.mar}\ndag:\n  broken: []")
    with pytest.raises(RuntimeError, match="no weights") as caught:
        found("x")
    assert "while loading handler.py for node broken of wf" in caught.value.__notes__
    for thread in threading.enumerate():  # nor do threads stay that have nothing to do
        if thread.name.startswith("wf-broken"):
            thread.join(30)
            assert not thread.is_alive()


HANGS = """
import os
class Hangs:
    def initialize(self, context):
        if os.path.exists({pipe!r}):
            open({pipe!r}).close()
    def handle(self, data, context):
        if os.path.exists({pipe!r} + "-was-there"):
            return ["fine"]
        os.mkfifo({pipe!r} + "-was-there")
        os.mkfifo({pipe!r})
        os._exit(3)
"""


def hanging(folder: Path) -> Model:
    """A model that dies when it is first called; while there is a pipe it is loaded when somebody writes into that."""
    (folder / "hangs.py").write_text(HANGS.format(pipe=str(folder / "pipe")))
    (folder / "hangs.yaml").write_text("startupTimeout: 1\n")
    return Model("hangs", handler=folder / "hangs.py", config_file=folder / "hangs.yaml")


def test_a_model_that_takes_too_long_to_load(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    model = hanging(tmp_path)
    with pytest.raises(errors.OperatorTimeout, match=r"it was not loaded in 1 s \(startupTimeout\)") as caught:
        model("x")
    assert "while loading hangs.py for node hangs of hangs" in caught.value.__notes__
    hanging_on = [thread for thread in threading.enumerate() if thread.name.startswith("hangs")]
    (tmp_path / "pipe").rename(tmp_path / "old")  # the second attempt has waited for the first, and has its turn now
    (tmp_path / "old").write_text("")
    for thread in hanging_on:
        thread.join(30)


def test_a_model_that_dies_and_takes_too_long_to_load_again(tmp_path: Path, worker: object) -> None:
    remote = hanging(tmp_path).deploy("hangs", "serving")
    with pytest.raises(errors.OperatorTimeout, match="it was not loaded in 1 s"):  # tried again after it has died
        remote("x")
    with pytest.raises(errors.OperatorTimeout, match="it was not loaded in 1 s"):
        remote("x")
    (tmp_path / "pipe").unlink()
    assert remote("x") == "fine"


HOLDS = """
import threading
def hold(data, context):
    if data and data[0]["body"].startswith("/"):
        with open(data[0]["body"]) as file:
            file.read()
    return data and [threading.current_thread().name]
"""


@contextlib.contextmanager
def interrupts() -> Iterator[None]:
    """Ctrl-C raises, also where these tests were started in the background, with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_who_is_interrupted_while_waiting_takes_no_worker_along(workflow: Made, tmp_path: Path) -> None:
    (tmp_path / "functions.py").write_text(HOLDS)
    found = workflow("models: {timeout-ms: 30000, retry-attempts: 0}\ndag:\n  hold: []")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    waiting = found.functions["hold"].node.workers().waiting

    def interrupt() -> None:
        while not waiting:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with interrupts(), ThreadPoolExecutor(2) as pool:
        first = pool.submit(found, str(pipe))
        with open(pipe, "w"):
            pool.submit(interrupt)
            with pytest.raises(KeyboardInterrupt):
                found("x")
        assert first.result()
    assert found("y") == first.result()


def test_a_worker_that_was_busy_with_others_is_kept_when_a_request_is_late(workflow: Made, tmp_path: Path) -> None:
    (tmp_path / "functions.py").write_text(HOLDS)
    found = workflow("models: {timeout-ms: 1000, retry-attempts: 0}\ndag:\n  hold: []")
    first, second = tmp_path / "first", tmp_path / "second"
    for pipe in (first, second):
        os.mkfifo(pipe)
    waiting = found.functions["hold"].node.workers().waiting
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(found, str(first))
        with open(first, "w"):
            two = pool.submit(found, str(second))
            while not waiting:
                time.sleep(0.01)
            time.sleep(0.3)  # of the time that the second request has
        worker = one.result()
        with open(second, "w"), pytest.raises(errors.OperatorTimeout):
            two.result()
    assert found("x") == worker
    assert [thread.name for thread in threading.enumerate() if thread.name == worker] == [worker]


def test_archives_share_names_of_files_and_the_process_keeps_its_own(tmp_path: Path) -> None:
    models: list[Model] = []
    for value in (1, 2):
        (tmp_path / "handler.py").write_text(
            "import net\ndef handle(data, context):\n    import late.inner\n"
            "    return data and [(net.VALUE, late.inner.VALUE)]\n"
        )
        (tmp_path / "net.py").write_text(f"VALUE = {value}\n")
        (tmp_path / "late").mkdir(exist_ok=True)
        (tmp_path / "late" / "inner.py").write_text("from net import VALUE\nVALUE *= 10\n")
        (tmp_path / "late" / "__init__.py").write_text("")
        extra = [tmp_path / "net.py", _folder(tmp_path, value)]
        models.append(Model(f"m{value}", handler=tmp_path / "handler.py", extra_files=extra))
    assert [model("x") for model in models] == [(1, 10), (2, 20)]
    assert not {"handler", "net", "late"} & sys.modules.keys()


def _folder(tmp_path: Path, value: int) -> Path:
    """A folder that holds the package ``late``."""
    outer = tmp_path / f"outer{value}"
    outer.mkdir()
    (tmp_path / "late").rename(outer / "late")
    return outer


def test_files_and_threads_go_with_the_workflow(workflow: Made) -> None:
    found = workflow(CHAIN)
    found("x")
    folders = [found.bundle.folder, found.models["shout"].code.bundle.folder]
    workers = [w.thread for step in found.functions.values() for w in step.node.workers().workers.values()]
    assert all(folder.is_dir() for folder in folders)
    del found
    gc.collect()
    while workers:
        workers.pop().join(30)
    assert not any(folder.exists() for folder in folders)


def test_failures_leave_nothing_behind(workflow: Made) -> None:
    found = workflow("models: {retry-attempts: 0}\ndag:\n  first: [several]")
    for _ in range(3):
        with pytest.raises(HandlerError):
            found("x")
    before = threading.active_count()
    for _ in range(200):
        with pytest.raises(HandlerError):
            found("x")
    assert threading.active_count() <= before


def test_it_travels(workflow: Made) -> None:
    found = workflow(CHAIN)
    assert pickle.loads(pickle.dumps(found))("x") == "<X>"


class Around(Operator):
    """A workflow inside of a program."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow

    def forward(self, x: str) -> str:
        return self.workflow(x) + "!"


def test_it_is_part_of_other_operators(workflow: Made) -> None:
    outer = Around(workflow(CHAIN))
    assert outer("x") == "<X>!"
    assert [path for path, _ in outer.named_operators()][2:] == ["workflow.first", "workflow.shout", "workflow.last"]
    assert {node.operator for node in outer.dag().nodes if node.kind == "call"} == {
        "workflow", "workflow.first", "workflow.shout", "workflow.last",
    }  # fmt: skip
    with operator_lib.record() as recorded:
        outer("x")
    assert {n.operator: n.status for n in recorded.dag().nodes if n.kind == "call"}["workflow.last"] == "done"


def test_on_a_worker(workflow: Made, worker: LocalWorker) -> None:
    found = workflow(CHAIN)
    job = found.deploy("chain")
    assert job("hello") == "<HELLO>"
    serving = found.deploy("chain-api", "serving")
    headers = {"Authorization": f"Bearer {worker.token}"}
    answer = requests.post(f"{worker.url}/wfpredict/chain-api", b"hello", headers=headers, timeout=60)
    assert answer.text == "<HELLO>"  # what Python has deployed is there for REST, too
    (described,) = requests.get(f"{worker.url}/workflows/chain-api", headers=headers, timeout=60).json()
    assert described["workflowDag"] == "{first=[shout], shout=[last]}"
    assert serving("hello") == serving(body="hello") == "<HELLO>"
    assert found.deploy("chain-api", "serving").serving.versions()[0]["number"] == 1
    assert found.deploy("chain-api", "serving", dry_run=True).exit_code == 0


def test_a_model_that_cannot_be_loaded_fails_the_deploy(workflow: Made, tmp_path: Path, worker: object) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text("raise RuntimeError('no weights')\n")
    Model("broken", handler=handler).pack(tmp_path / "store")
    found = workflow("models:\n  broken: {url: broken.mar}\ndag:\n  broken: []")
    with pytest.raises(errors.DeployError, match="no weights"):
        found.deploy("broken", "serving")
