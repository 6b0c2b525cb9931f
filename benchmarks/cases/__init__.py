"""One file a benchmark; here is the order in which they run and are shown."""

from __future__ import annotations

import importlib

from benchmarks.case import Case

# A case's name is its file's name; each runs in a process of its own.
NAMES = (
    "import_time",
    "import_names",
    "plain_call",
    "record_call",
    "record_call_job",
    "checkpoint_call",
    "cached_call",
    "dag_cold",
    "dag_large",
    "dag_warm",
    "worker_start",
    "start_serving",
    "deploy_serving",
    "deploy_job",
    "redeploy",
    "unary_latency",
    "unary_throughput",
    "array_echo",
    "replica_memory",
    "http_latency",
    "http_throughput",
    "http_p99",
    "embeddings_alone",
    "embeddings_together",
    "batch_litserve",
    "batch_bentoml",
    "batch_ray",
    "empty_run",
    "queue_runs",
    "list_runs",
    "map_pool",
    "map_ray",
    "optimize_waits",
    "optimize_computes",
    "optimize_nothing",
    "autobatch_fib",
    "autobatch_newton",
    "autobatch_mandelbrot",
    "autobatch_native_fib",
    "autobatch_native_collatz",
    "autobatch_auto",
    "autobatch_block",
    "autobatch_compile",
    "graph_chain_prefect",
    "graph_fan_prefect",
    "graph_chain_tensorlake",
    "graph_fan_tensorlake",
    "load_submit",
    "load_queue_submit",
    "load_queue_list",
    "load_queue_memory",
    "load_concurrent",
    "load_runs",
    "load_logs",
    "load_followers",
    "load_payload",
    "load_stalls",
    "load_recovery",
    "load_held",
    "torchserve_latency",
    "torchserve_few",
    "torchserve_many",
    "torchserve_stalls",
    "torchserve_register",
    "torchserve_memory",
    "torchserve_fan",
    "torchserve_failures",
)


def load(name: str) -> Case:
    """The case of that name."""
    return importlib.import_module(f"benchmarks.cases.{name}").CASE
