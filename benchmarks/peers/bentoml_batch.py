"""A BentoML service that collects requests into batches. Run by the Python of its environment: see http_server.py."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import os
import sys

import bentoml
import http_server
from product import MOST, Product


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Service:
    def __init__(self) -> None:
        self.product = Product()

    @bentoml.api(batchable=True, max_batch_size=MOST, max_latency_ms=1000)
    def predict(self, xs: list[int]) -> list[float]:
        return self.product.of(xs)


def serve(port: int) -> None:
    command = [sys.executable, "-m", "bentoml", "serve", "bentoml_batch:Service", "--port", str(port)]
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    os.execv(sys.executable, [*command, "--host", "127.0.0.1"])


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["serve"] else http_server.main("/predict", '{"xs": [1]}')
