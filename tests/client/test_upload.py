"""Files that change between the moment they were announced and the moment they are sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from operator_lib.client.connect import connect
from operator_lib.client.upload import missing, ref, upload
from operator_lib.errors import DeployError
from operator_lib.worker import LocalWorker

SIZE = (1 << 20) + 10
CHANGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda path: path.write_bytes(os.urandom(SIZE)),
    "was removed": Path.unlink,
    "changed, shorter": lambda path: os.truncate(path, 10),
}


def test_the_one_that_changed_is_named(local_worker: LocalWorker, tmp_path: Path) -> None:
    connection = connect(local_worker.grpc_address, local_worker.token)
    for what, change in CHANGES.items():
        steady, path = tmp_path / "steady.bin", tmp_path / "data.bin"
        for each in (steady, path):
            each.write_bytes(os.urandom(SIZE))
        announced = {ref([each.read_bytes()]).sha256: (SIZE, each) for each in (steady, path)}
        change(path)
        problem = what.partition(",")[0]
        with pytest.raises(DeployError, match=rf"data\.bin {problem} while it was being sent; try again.*\.nboxignore"):
            upload(connection, announced)


def test_what_is_added_meanwhile_is_not_sent(local_worker: LocalWorker, tmp_path: Path) -> None:
    connection = connect(local_worker.grpc_address, local_worker.token)
    path = tmp_path / "log.txt"
    path.write_bytes(os.urandom(SIZE))
    announced = ref([path.read_bytes()])
    with path.open("ab") as file:
        file.write(b"another line\n")
    assert upload(connection, {announced.sha256: (SIZE, path)}) == SIZE
    assert not missing(connection, [announced])
