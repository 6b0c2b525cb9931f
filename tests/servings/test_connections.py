"""How calls reach a replica: on sockets of Python's own clients, and over gRPC for everybody else."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from operator_lib.client.connect import connect
from operator_lib.errors import FatalException
from operator_lib.wire import codec, stream
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))

import talking  # noqa: E402


@pytest.fixture(scope="module")
def echo(local_worker: LocalWorker) -> Any:
    return talking.Echo.deploy("talking", address=local_worker.grpc_address, token=local_worker.token)


@pytest.fixture
def place(echo: Any, local_worker: LocalWorker) -> Any:
    """Where its replica is."""
    connection = connect(local_worker.grpc_address, local_worker.token)
    request = pb.ConnectRequest(name="talking", wait=10)
    return connection.call(connection.servings.Connect, request).endpoints[0]


@pytest.fixture
def line(place: Any) -> Iterator[socket.socket]:
    """A connection on which nothing was said yet."""
    host = place.address.rpartition(":")[0]
    with socket.create_connection((host, place.line), 10) as connected:
        yield connected


def test_large_values_there_and_back_are_what_they_were(echo: Any) -> None:
    array = np.arange(3_000_000, dtype=np.float64)  # 24 MB: more than a connection takes at once
    futures = [echo.submit({"n": n, "array": array + n}) for n in range(4)]
    for n, future in enumerate(futures):
        found = future.result(60)
        assert found["n"] == n
        assert np.array_equal(found["array"], array + n)
        found["array"][0] = 7  # it belongs to whoever has got it
    for size in (stream.LARGE - 200, stream.LARGE, stream.LARGE + 200, 5_000_000):
        assert echo(b"x" * size) == b"x" * size
        assert echo("ä" * size) == "ä" * size
    assert next(iter(echo.count(3))) == 0


def test_arguments_of_a_future_are_those_of_the_moment_it_was_made(echo: Any) -> None:
    array = np.zeros(2_000_000)
    found = [(array.fill(n), echo.submit(array))[1] for n in range(4)]
    array.fill(-1)
    assert [float(future.result(60).max()) for future in found] == [0, 1, 2, 3]


def test_an_array_that_the_object_goes_on_changing_arrives_as_it_was(local_worker: LocalWorker) -> None:
    keeper = talking.Keeper.deploy("keeper", address=local_worker.grpc_address, token=local_worker.token)
    calls = [keeper.fill.submit(float(n)) for n in range(40)]
    assert [np.unique(call.result(60)).tolist() for call in calls] == [[float(n)] for n in range(40)]


def test_small_calls_of_many_threads_each_get_their_answer(echo: Any) -> None:
    wrong: list[Any] = []

    def ask(number: int) -> None:
        wrong.extend(n for n in range(100) if echo([number, n]) != [number, n])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


def test_whoever_does_not_show_the_token_is_not_answered(line: socket.socket, place: Any) -> None:
    line.sendall(stream.greeting(stream.CALLS, 7, place.token[:-1] + "x"))
    line.sendall(b"".join(stream.frame(pb.CallPack(calls=[pb.Call(id=1)]))))
    assert told(line) == b""


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x05\0\0\0calls", b"\x09\0\0\0calls x y", b"\xff" * 64])
def test_what_is_no_greeting_ends_the_connection(line: socket.socket, said: bytes) -> None:
    line.sendall(said)
    with contextlib.suppress(OSError):  # it may have ended by now
        line.shutdown(socket.SHUT_WR)
    assert told(line) == b""


def test_what_is_no_message_ends_the_connection_and_no_other(echo: Any, line: socket.socket, place: Any) -> None:
    line.sendall(stream.greeting(stream.CALLS, 7, place.token) + b"\xff" * 100)
    assert told(line) == b""
    assert echo(1) == 1


def test_a_client_that_says_it_has_no_more_calls_has_those_answered_that_it_has_sent(
    echo: Any, line: socket.socket, place: Any
) -> None:
    line.sendall(stream.greeting(stream.CALLS, 7, place.token))
    calls = [pb.Call(id=n, payload=codec.dumps_call((n,), {}, what="")) for n in (1, 2)]
    line.sendall(b"".join(stream.frame(pb.CallPack(calls=[pb.Call(id=3, name="hold"), *calls], last=True))))
    frames = stream.frames(line)
    first = [answer.id for answer in answers(next(frames))]
    echo.open()
    rest = [answer.id for together in frames for answer in answers(together)]
    assert sorted(first + rest) == [1, 2, 3]


def answers(together: list[stream.Frame]) -> list[pb.Answer]:
    return [answer for message, _ in together for answer in pb.AnswerPack.FromString(message).answers]


def told(line: socket.socket) -> bytes:
    """What comes until the other side ends the connection."""
    found = b""
    try:
        while data := line.recv(4096):
            found += data
    except ConnectionError:
        pass
    return found


def test_other_languages_call_over_grpc(place: Any) -> None:
    metadata = (("authorization", f"Bearer {place.token}"), ("session", "77"))
    payload = codec.dumps_call(("x" * 3_000_000,), {}, what="")
    with grpc.insecure_channel(place.address) as channel:
        stub: Any = rpc.CallsStub(channel)
        half = len(payload) // 2
        asked = [
            pb.CallPack(calls=[pb.Call(id=1, payload=payload[:half], more=True)]),
            pb.CallPack(calls=[pb.Call(id=1, payload=payload[half:])]),
            pb.CallPack(calls=[pb.Call(id=2, name="count", payload=codec.dumps_call((2,), {}, what=""))]),
        ]
        given: dict[int, list[pb.Answer]] = {}
        for pack in stub.Session(iter(asked), metadata=metadata):
            for answer in pack.answers:
                given.setdefault(answer.id, []).append(answer)
        assert len(given[1]) > 1  # in parts
        assert codec.loads(b"".join(answer.payload for answer in given[1])) == "x" * 3_000_000
        assert [answer.kind for answer in given[2]] == [pb.ITERATOR]
        key = given[2][0].payload[1:].decode()
        items = stub.Iterate((pb.IterateRequest(iterator_id=key) for _ in range(3)), metadata=metadata)
        assert [(item.kind, codec.loads(item.payload)) for item in items] == [
            (pb.VALUE, 0), (pb.VALUE, 1), (pb.STOP, None),
        ]  # fmt: skip
        call = pb.Call(json=True, payload=b"[1, 2]")
        assert stub.Invoke(call, metadata=metadata).payload == b"[1, 2]"


def test_what_a_process_has_printed_is_there_while_it_leaves(local_worker: LocalWorker, tmp_path: Path) -> None:
    leaving = talking.Echo.deploy("leaving", address=local_worker.grpc_address, token=local_worker.token)
    waiting = leaving.wait_for.submit(str(tmp_path / "go"))
    end = time.monotonic() + 20
    while list(leaving.serving.logs()) != ["waiting"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    with pytest.raises(FatalException):
        leaving.breaks()
    assert leaving(1) == 1
    for _ in range(20):
        assert list(leaving.serving.logs()) == ["waiting"]
    assert not waiting.done()
    (tmp_path / "go").touch()
    assert waiting.result(20) == "waited"
    leaving.serving.delete()
