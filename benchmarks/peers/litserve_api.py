"""A LitServe server that doubles a number. Run by the Python of its environment: see http_server.py."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import sys

import http_server
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


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["serve"] else http_server.main("/predict", '{"x": 1}')
