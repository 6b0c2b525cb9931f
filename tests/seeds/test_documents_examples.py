"""The examples of the nbox.operator document, as they stand there, run as a reader would run them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RECAP = """\
from operator_lib import Operator

class MyOtherOperator(Operator):
    def __init__(self, b: str):
        super().__init__()
        self.b = b

    def forward(self, y: int) -> int:
        return y * len(self.b)

class MyOperator(Operator):
  def __init__(self, a: int, b: str):
    super().__init__()
    self.a: int = a
    self.b: Operator = MyOtherOperator(b) # nested calling

  def forward(self, x: int) -> int:
    y = self.a + x
    y = self.b(y) + x # nested calling
    return y

job = MyOperator(1, "hello") # define once
res = job(2) # use like python, screw DAGs
"""

FOO = """\
from operator_lib import operator

@operator()
def foo(i: float = 4):
  return i * i

# to deploy the operator
if __name__ == "__main__":
  # pass deployment_type = "serving" to make an API
  foo_remote = foo.deploy('workspace-id')
  assert foo_remote() == foo()
  assert foo_remote(10) == foo(10)
"""

BAR = """\
from operator_lib import operator

@operator()
class Bar:
  def __init__(self, x: int = 1):
    self.x = x

  def inc(self):
    self.x += 1

  def getvalue(self):
    return self.x

  def __getattr__(self, k: str):
    # simple echo to demonstrate that underlying python object methods can
    # also be accessed over the internet
    return str

if __name__ == "__main__":
  bar_remote = Bar.deploy('workspace-id-bar')
  bar = Bar()

  # increment the numbers
  bar.inc(); bar_remote.inc()

  # directly access the values, no need for futures
  assert bar.x == bar_remote.x

  print(bar.jj_guverner, bar_remote.jj_guverner)
"""

PACKAGE = {
    "house/__init__.py": "",
    "house/nbx_internal/__init__.py": "",
    "house/nbx_internal/operators.py": """\
        from operator_lib import Operator

        class TrainGPT(Operator):
            def __init__(self, layers):
                self.layers = layers

            def forward(self):
                return f"trained {self.layers} layers"
    """,
    "house/job.py": """\
        from operator_lib import Operator

        class MyOperator(Operator):
          def __init__(self, url, layers):
            # initialisation of job happens here

            # use prebuilt operators to define the entire process
            from operator_lib.lib.shell import Shell
            self.download_binary = Shell("curl --silent --fail --noproxy * " + url + "/{hash}")

            # keep a library of organisation wide operators
            from .nbx_internal.operators import TrainGPT
            self.train_model: Operator = TrainGPT(layers)

          def forward(self):
            # pass any inputs you want at runtime
            # execute code in any arbitrary order, free from DAGs
            binary = self.download_binary(hash="my_binary") # pass relevant data at runtime
            return binary.stdout, self.train_model() # run any operation and get full visibility on platform
    """,
    "house/__main__.py": """\
        import sys
        from house.job import MyOperator

        # to convert operator is
        job: MyOperator = MyOperator(sys.argv[1], 3)

        # deploy this as a batch process or API endpoint
        remote = job.deploy()
        print(remote(), job())
        again = job.deploy()
        print(again.job.name == remote.job.name, len(again.job.versions()))
        print([event["path"] for event in remote.submit().events() if event.get("phase") == "end"])
    """,
}


def test_the_recap(write: Any, script: Any) -> None:
    folder = write({"recap.py": RECAP + "assert res == 17\n"})
    script(folder, "recap.py")


def test_the_recap_deployed(write: Any, script: Any) -> None:
    folder = write(
        {
            "recap.py": RECAP
            + 'if __name__ == "__main__":\n'
            + '    remote = job.deploy("my-group")\n'
            + "    assert remote(2) == job(2) == res == 17\n"
            + "    assert [name for name, _ in job.named_operators()] == ['', 'b']\n"
            + "    assert [n.operator for n in job.dag().nodes if n.kind == 'call'] == ['b']\n"
            + "    print(remote)\n"
        }
    )
    assert "my-group" in script(folder, "recap.py")


def test_foo_as_a_script(write: Any, script: Any, untouched_after: Any) -> None:
    folder = write({"foo.py": FOO + '  assert foo_remote(i=10) == foo(i=10) == 100\n  print("all hold")\n'})
    with untouched_after(folder):
        assert script(folder, "foo.py") == "all hold\n"
        assert script(folder, "foo.py") == "all hold\n"


def test_the_guard_does_not_run_on_the_worker(write: Any, script: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    noted = f"\nimport os\nwith open({str(log)!r}, 'a') as f:\n  f.write(f'{{__name__}} {{os.getpid()}}\\n')\n"
    inside_guard = f"  open({str(log)!r}, 'a').write('guard\\n')\n"
    folder = write({"foo.py": noted + FOO + inside_guard})
    script(folder, "foo.py")
    lines = log.read_text().split("\n")
    assert lines.count("guard") == 1
    assert len([line for line in lines if line.startswith("__main__")]) == 1


def test_bar_as_a_script(write: Any, script: Any, untouched_after: Any) -> None:
    folder = write({"bar.py": BAR})
    with untouched_after(folder):
        assert script(folder, "bar.py") == "<class 'str'> <class 'str'>\n"


def test_foo_as_a_serving(write: Any, script: Any) -> None:
    code = FOO.replace("foo.deploy('workspace-id')", "foo.deploy('foo-api', deployment_type=\"serving\")")
    folder = write({"foo.py": code + "  print(foo_remote)\n"})
    assert "serving foo-api" in script(folder, "foo.py")


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"contents of {self.path}".encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def file_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_class_docstrings_example(write: Any, script: Any, file_server: str) -> None:
    folder = write(PACKAGE)
    lines = script(folder, "-m", "house", file_server).splitlines()
    answer = "('contents of /my_binary', 'trained 3 layers')"
    assert lines[0] == f"{answer} {answer}"
    assert lines[1] == "True 1"
    assert lines[2] == "['download_binary', 'train_model', '']"


def test_the_recap_in_one_line_each(write: Any, script: Any) -> None:
    """`Operator.fn`, `from_fn` and `from_class`, as the document's list of methods has them."""
    code = (
        "from operator_lib import Operator\n"
        "def double(x): return 2 * x\n"
        "class Box:\n    def __init__(self, x): self.x = x\n    def get(self): return self.x\n"
        "op = Operator.fn()(double)\n"
        'if __name__ == "__main__":\n'
        "    print(op.deploy('fn')(2), Operator.from_fn(double).deploy('from-fn')(3))\n"
        "    box = Operator.from_class(Box(7)).deploy('from-class')\n"
        "    print(box.get(), box.x)\n"
        "    print(Operator.from_job('fn')(4), Operator.from_job(job_id=Operator.from_job('fn').job.info().id)(5))\n"
        "    print(Operator.from_serving(box.url, box.token).get())\n"
    )
    assert script(write({"methods.py": code}), "methods.py").split() == ["4", "6", "7", "7", "8", "10", "7"]
