"""A worker that is away for a moment is asked again."""

from __future__ import annotations

from concurrent import futures
from typing import Any

import grpc
import pytest

from operator_lib.client.connect import Connection
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc


class Leaving(rpc.ServingsServicer):
    """Ends in the middle of every second question, as a worker does that is stopped and started."""

    def __init__(self, how: grpc.StatusCode) -> None:
        self.how = how
        self.asked = 0

    def Stats(self, request: pb.StatsRequest, context: Any) -> pb.StatsReply:
        self.asked += 1
        if self.asked % 2 == 0:
            context.abort(self.how, self.how.name)
        return pb.StatsReply(status=f"answer {self.asked}")


@pytest.mark.parametrize("how", [grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE])
def test_what_was_cut_off_is_asked_again(how: grpc.StatusCode) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    rpc.add_ServingsServicer_to_server(Leaving(how), server)
    connection = Connection(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", "token")
    server.start()
    try:
        request = pb.StatsRequest(name="any")
        answers = [connection.call(connection.servings.Stats, request).status for _ in range(3)]
    finally:
        server.stop(None).wait()
    assert answers == ["answer 1", "answer 3", "answer 5"]
