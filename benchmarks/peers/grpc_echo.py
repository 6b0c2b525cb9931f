"""The least a call over gRPC can cost: a unary echo of bytes in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

METHOD = "/benchmark/echo"
# More than the callers that come at the same time.
THREADS = 40
OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


def serve() -> None:
    """Answer until stdin is closed; the port is the first line on stdout."""
    import grpc

    class Echo(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: request)

    server = grpc.server(ThreadPoolExecutor(THREADS), options=OPTIONS)
    server.add_generic_rpc_handlers((Echo(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None).wait()


@contextlib.contextmanager
def echo() -> Generator[Callable[[bytes], bytes]]:
    """A raw call to such a server, which lives as long as the block."""
    import grpc

    command = [sys.executable, "-m", "benchmarks.peers.grpc_echo"]
    # In a session of its own, as a service is, and as a replica is: Linux schedules sessions apart, which costs both
    # sides of a ping-pong between two of them some 50 µs.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise RuntimeError("the raw gRPC echo server did not start; see what it wrote to stderr")
            with grpc.insecure_channel(f"127.0.0.1:{port}", OPTIONS) as channel:
                yield channel.unary_unary(METHOD)
        finally:
            process.stdin.close()


if __name__ == "__main__":
    serve()
