"""A LitServe server that collects requests into batches. Run by the Python of its environment: see http_server.py."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import os
import sys

import http_server
import litserve
from product import MOST, Product

# Seconds for which it waits for more requests.
WAIT = float(os.environ.get("BATCH_WAIT", "0.002"))


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.product = Product()

    def decode_request(self, request: dict) -> int:
        return request["x"]

    def batch(self, inputs: list) -> list:
        return inputs

    def predict(self, numbers: list) -> list:
        return self.product.of(numbers)

    def unbatch(self, output: list) -> list:
        return output

    def encode_response(self, output: float) -> float:
        return output


def serve(port: int) -> None:
    api = Api(max_batch_size=MOST, batch_timeout=WAIT)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["serve"] else http_server.main("/predict", '{"x": 1}')
