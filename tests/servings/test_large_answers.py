"""Answers that are large: they arrive, the worker does not hold them, and who does not read holds up nobody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from operator_lib.client.connect import connect
from operator_lib.wire import codec, stream
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))

import talking  # noqa: E402

MIB = 1 << 20
SIZES = [64, pytest.param(2100, marks=pytest.mark.large)]


@pytest.fixture(scope="module")
def bulk(local_worker: LocalWorker) -> Iterator[Any]:
    handle = talking.Bulk.deploy("bulk", address=local_worker.grpc_address, token=local_worker.token)
    yield handle
    handle.serving.delete()


@pytest.mark.parametrize("mib", SIZES)
def test_from_python(bulk: Any, mib: int) -> None:
    found = bulk.bytes(mib)
    assert len(found) == mib * MIB
    assert found[:1] == found[-1:] == b"\x07"


@pytest.mark.parametrize("mib", SIZES)
def test_over_http(bulk: Any, local_worker: LocalWorker, mib: int) -> None:
    worker = psutil.Process(local_worker.pid)
    before, most, total = worker.memory_info().rss, 0, 0
    headers = {"Authorization": f"Bearer {bulk.token}", "Accept": "application/octet-stream"}
    with requests.post(f"{bulk.url}bytes", json=mib, headers=headers, stream=True, timeout=60) as answer:
        assert answer.status_code == 200
        for number, chunk in enumerate(answer.iter_content(MIB)):
            total += len(chunk)
            if number % 8 == 0:
                most = max(most, worker.memory_info().rss)
    assert total == mib * MIB
    assert most - before < 48 * MIB


def test_json_has_a_limit(bulk: Any) -> None:
    headers = {"Authorization": f"Bearer {bulk.token}"}
    for method in ("bytes", "pages"):
        answer = requests.post(f"{bulk.url}{method}", json=300, headers=headers, timeout=60)
        error = answer.json()["error"]
        assert (answer.status_code, error["type"]) == (500, "SerializationError")
        assert (
            "result of bulk has 300 MiB, and JSON may have 256: ask for bytes as application/octet" in error["message"]
        )
    assert len(requests.post(f"{bulk.url}bytes", json=3, headers=headers, timeout=60).json()) == 4 << 20


def test_who_does_not_read_holds_up_nobody(bulk: Any, local_worker: LocalWorker) -> None:
    connection = connect(local_worker.grpc_address, local_worker.token)
    request = pb.ConnectRequest(name="bulk", wait=10)
    (found,) = connection.call(connection.servings.Connect, request).endpoints
    place = stream.Place(found.address, found.line, found.token)
    payload = codec.dumps_call((16,), {}, what="bytes")
    asked = [pb.Call(id=n, name="bytes", payload=payload) for n in range(1, 21)]
    with stream.connect(place, stream.CALLS, 99) as deaf:
        deaf.sendall(b"".join(stream.frame(pb.CallPack(calls=asked))))
        deaf.recv(1)  # the first answer is on its way, and stays there
        assert [len(bulk.bytes(1)) for _ in range(3)] == [MIB] * 3
        (replica,) = bulk.serving.stats()["replicas"]
        assert replica["memory"] < 200 * MIB, "answers pile up"
    assert len(bulk.bytes(1)) == MIB
