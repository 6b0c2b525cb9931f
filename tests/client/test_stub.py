"""`operator_lib.stub`: a type checker knows the remote object from the file that it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import operator_lib
from operator_lib import Operator
from operator_lib.errors import AuthenticationError, NotFound
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))

import shopping  # noqa: E402

USE = """
from typing import TYPE_CHECKING
from operator_lib import Operator
if TYPE_CHECKING:
    from shop import Shop
    from order import order

remote: "Shop" = Operator.from_serving("")
job: "order" = Operator.from_job("order")
reveal_type(remote(1, y=2.0))
reveal_type(remote.names(3))
reveal_type(remote.encoder("a"))
reveal_type(remote.encoder.size())
reveal_type(remote.submit(1))
reveal_type(remote.total.submit())
reveal_type(job(1))
reveal_type(job.submit(1).result())
reveal_type(remote.array)
remote.nothing()
remote.names("x")
remote(1, 2, 3)
remote(1, kind="c")
remote.encoder.size(1)
"""
REVEALED = [
    "float",
    "Iterator[str]",
    "list[float]",
    "int",
    "Future[float]",
    "Future[float]",
    "dict[str, int]",
    "dict[str, int]",
]


@pytest.fixture(scope="module")
def shop(local_worker: LocalWorker) -> Any:
    where = {"address": local_worker.grpc_address, "token": local_worker.token}
    shopping.order.deploy("order", **where)
    return shopping.Shop().deploy("shop", "serving", **where)


def test_a_type_checker_knows_the_remote_object(
    shop: Any, local_worker: LocalWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert operator_lib.stub(shop.url, token=shop.token) == Path("shop.pyi")
    assert operator_lib.stub(f"{local_worker.url}/v1/jobs/order", token=local_worker.token) == Path("order.pyi")
    (tmp_path / "use.py").write_text(USE)
    # Type checkers do not follow the import hook of an editable installation.
    root = Path(operator_lib.__file__).parents[1]
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(root)]}))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    found = json.loads(done.stdout)["generalDiagnostics"]
    revealed = [d["message"].split(" is ", 1)[1].strip('"') for d in found if d["severity"] == "information"]
    assert revealed[:-1] == REVEALED
    assert revealed[-1].startswith("RemoteMethod[(a: ")
    first = USE.splitlines().index("remote.nothing()")
    errors = [(Path(d["file"]).name, d["range"]["start"]["line"]) for d in found if d["severity"] == "error"]
    assert errors == [("use.py", line) for line in range(first, first + 5)]


def test_what_is_said_of_each_name(shop: Any, tmp_path: Path) -> None:
    text = operator_lib.stub(shop, tmp_path / "types.pyi").read_text()
    compile(text, "types.pyi", "exec")
    for line in (
        "    def __call__(self, x: int, /, y: float = 2.0, *, kind: Literal['a', 'b'] = 'a') -> float: ...",
        "    def put(self, item: Any, when: dt.datetime | None = None, *more: int) -> Any: ...",
        "    async def total(self) -> float: ...",
        "    def names(self, n: int = 3) -> Iterator[str]: ...",
        "    def array(self, a: np.ndarray, default: Any = ...) -> np.ndarray:",
        "    currency: Any",
        "    encoder: Shop_encoder",
        "    def __len__(self) -> int: ...",
    ):
        assert line in text.splitlines(), text


def test_children_are_checked_before_anything_is_sent(shop: Any) -> None:
    assert shop.encoder("abc") == [3.0]
    assert shop.encoder.size() == 3
    with pytest.raises(TypeError, match=r"Shop.encoder\(\) missing 1 required positional argument: 'text'"):
        shop.encoder()
    again = Operator.from_serving(shop.url, shop.token)
    assert again.encoder("ab") == [2.0]


def test_what_cannot_be_described(shop: Any, local_worker: LocalWorker, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="those end in /v1/servings/NAME"):
        operator_lib.stub(local_worker.url, token=local_worker.token)
    with pytest.raises(TypeError, match="takes the URL or the handle"):
        operator_lib.stub(3)
    with pytest.raises(AuthenticationError):
        operator_lib.stub(shop.url, tmp_path / "x.pyi", token="wrong")
    with pytest.raises(NotFound):
        operator_lib.stub(f"{local_worker.url}/v1/servings/nobody", tmp_path / "x.pyi", token=local_worker.token)
    assert list(tmp_path.iterdir()) == []
