"""A small store: two models, a handler file, and specifications made of them."""

from __future__ import annotations

import gc
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operator_lib import worker
from operator_lib.frontends.torchserve import Model, Workflow

FUNCTIONS = """
import os

def text(row):
    value = row.get("data") or row.get("body")
    return value if isinstance(value, str) else bytes(value).decode()

def first(data, context):
    return None if data is None else ["<" + text(row) for row in data]

def last(data, context):
    return [text(row) + ">" for row in data]

def rows(data, context):
    return None if data is None else [{k: type(v).__name__ for k, v in row.items()} for row in data]

def both(data, context):
    return None if data is None else [list(row) for row in data]

def kind(data, context):
    return None if data is None else [{"a": 1} for row in data]

def decoding(data, context):
    return None if data is None else [row["body"].decode() for row in data]

def several(data, context):
    return None if data is None else ["one", "too many"]

def plain(data, context):
    return None if data is None else "plain"
"""

SHOUT = """
class Shout:
    def initialize(self, context):
        self.batch_size = context.system_properties["batch_size"]
    def preprocess(self, data):
        return [row.get("data") or row.get("body") for row in data]
    def inference(self, values):
        return [(v if isinstance(v, str) else bytes(v).decode()).upper() for v in values]
    def handle(self, data, context):
        return self.inference(self.preprocess(data))
"""

COUNT = """
def handle(data, context):
    if data is None:
        return None
    return [{"length": len(row["body"]), "batch": len(data)} for row in data]
"""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Files of a workflow go with it; cycles of Python objects when they are collected."""
    yield
    gc.collect()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder with ``shout.mar``, ``count.mar`` and the file ``functions.py``."""
    folder = tmp_path / "store"
    folder.mkdir()
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    for name, source in (("shout", SHOUT), ("count", COUNT)):
        handler = tmp_path / "handler.py"  # the same name in both archives
        handler.write_text(source)
        Model(name, handler=handler).pack(folder)
    return folder


@pytest.fixture
def workflow(store: Path, tmp_path: Path) -> Callable[..., Workflow]:
    """A workflow from the text of a specification."""

    def made(text: str, **options: object) -> Workflow:
        (tmp_path / "wf.yaml").write_text(textwrap.dedent(text).lstrip())
        functions = tmp_path / "functions.py"
        return Workflow.from_yaml(tmp_path / "wf.yaml", functions, store, **options)  # type: ignore[arg-type]

    return made


CHAIN = """
    models:
      shout: {url: shout.mar}
    dag:
      first: [shout]
      shout: [last]
    """


@pytest.fixture(scope="package")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archives of `served`."""
    from . import served

    folder = tmp_path_factory.mktemp("stores")
    served.fill(folder)
    return folder


@pytest.fixture(scope="package")
def url(stores: Path) -> Iterator[str]:
    """A worker with this store that asks for no token."""
    with worker.local(model_store=str(stores), disable_token_auth="") as running:
        yield running.url
