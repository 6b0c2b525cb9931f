"""A LitServe server that doubles a number. Run by the Python of its environment.

Answers the line ``port`` with the port on which it listens. ``serve PORT`` is the server itself.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import litserve


class Double(litserve.LitAPI):
    def setup(self, device: str) -> None:
        pass

    def decode_request(self, request: dict) -> int:
        return request["x"]

    def predict(self, x: int) -> int:
        return 2 * x

    def encode_response(self, output: int) -> int:
        return output


def serve(port: int) -> None:
    server = litserve.LitServer(Double(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(100)
    except OSError:
        return False


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what it prints is no answer
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, __file__, "serve", str(port)]
    # In a session of its own: its processes outlive a SIGTERM, and are ended together.
    process = subprocess.Popen(command, start_new_session=True)
    try:
        while not answers(port):
            if process.poll() is not None:
                return
            time.sleep(0.05)
        for _ in sys.stdin:
            print(float(port), file=out, flush=True)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["serve"] else main()
