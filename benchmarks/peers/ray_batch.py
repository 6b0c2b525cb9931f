"""A Ray Serve deployment that collects requests into batches. Run by its own Python: see http_server.py."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
import os
import sys
import threading

import http_server

# Seconds for which it waits for more requests.
WAIT = float(os.environ.get("BATCH_WAIT", "0.002"))


def serve(port: int) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.environ["PYTHONPATH"] = sys.path[0]
    import ray
    from product import MOST, Product
    from ray import serve as serving

    @serving.deployment(max_ongoing_requests=4 * MOST)
    class Deployment:
        def __init__(self) -> None:
            self.product = Product()

        @serving.batch(max_batch_size=MOST, batch_wait_timeout_s=WAIT)
        async def predict(self, numbers: list) -> list:
            return self.product.of(numbers)

        async def __call__(self, request) -> float:
            return await self.predict((await request.json())["x"])

    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)
    serving.start(http_options={"host": "127.0.0.1", "port": port}, logging_config={"enable_access_log": False})
    serving.run(Deployment.bind(), route_prefix="/predict")
    threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["serve"] else http_server.main("/predict", '{"x": 1}')
