"""A worker with things deployed on it, and a way to talk to it that is not ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from operator_lib.worker import LocalWorker

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "project")]
sys.dont_write_bytecode = True

import web_things as things  # noqa: E402

JOBS = (
    *("typed", "order", "fails", "too_slow", "waits", "items", "chatters"),
    *("long_line", "rich", "surrogate", "pickled"),
)


class Api(requests.Session):
    """Requests to one worker, with its token."""

    def __init__(self, worker: LocalWorker) -> None:
        super().__init__()
        self.trust_env = False
        self.worker = worker
        self.headers["Authorization"] = f"Bearer {worker.token}"

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 30)
        return super().request(method, self.worker.url + str(url), *args, **kwargs)

    def metric(self, line: str) -> float:
        """The value behind the name and labels of a metric, 0 when it is not there."""
        found = [text for text in self.get("/metrics").text.splitlines() if text.startswith(line + " ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


@pytest.fixture(scope="session")
def deployed(local_worker: LocalWorker) -> LocalWorker:
    where = {"address": local_worker.grpc_address, "token": local_worker.token}
    for name in JOBS:
        getattr(things, name).deploy(name, **where)
    things.Pipe().deploy("pipe", **where)
    things.Store.deploy("web-store", **where)
    things.area.deploy("area", **where)
    things.Media.deploy("media", **where)
    things.Streams.deploy("streams", **where)
    things.lengths.deploy("lengths", **where)
    things.endures.deploy("endures", **where)
    return local_worker


@pytest.fixture
def api(deployed: LocalWorker) -> Iterator[Api]:
    with Api(deployed) as session:
        yield session
