"""Options that are given to `deploy` hold as those of the operator do."""

from __future__ import annotations

import sys
from pathlib import Path

from operator_lib import Retries
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))

import given  # noqa: E402


def test_for_functions_objects_and_classes(local_worker: LocalWorker, tmp_path: Path) -> None:
    where = {"address": local_worker.grpc_address, "token": local_worker.token}
    retries = Retries(3, initial_delay=0.01)
    function, tree, made = (str(tmp_path / name) for name in ("function", "tree", "made"))
    assert given.flaky.deploy("given-function", retries=retries, **where)(function) == 3
    assert given.Flaky().deploy("given-tree", retries=retries, **where)(tree) == 3
    assert given.Made.deploy("given-class", retries=retries, **where)(made) == 3
    loaded = given.traced_by.deploy("traced-by", **where)
    assert loaded() == [], "nobody has asked for traces"
    assert given.with_ctx.deploy("given-ctx", use_ctx=True, **where)(4) == ["RequestContext", 4]
