"""What Prometheus gets of servings: what each replica has said when it was last asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from operator_lib.engine import latency
from operator_lib.worker.replicas import Replica

if TYPE_CHECKING:
    from operator_lib.worker.servings import Servings

# Every eighth step of `latency`: 64 µs, 256 µs, 1 ms ... 67 s.
BOUNDS = tuple(range(6 * latency.STEPS, 27 * latency.STEPS, 2 * latency.STEPS))


def families(servings: Servings, prefix: str) -> Iterator[Metric]:
    """Calls by serving, method and replica; load, memory and batches by serving and replica."""
    of_method, of_replica = ("serving", "method", "replica"), ("serving", "replica")
    name = f"{prefix}serving_"
    calls = CounterMetricFamily(f"{name}calls", "Calls that were answered.", labels=of_method)
    errors = CounterMetricFamily(f"{name}errors", "Those answered with an exception.", labels=of_method)
    seconds = HistogramMetricFamily(f"{name}call_seconds", "From a call's arrival to its answer.", labels=of_method)
    waiting = GaugeMetricFamily(f"{name}waiting", "Calls that have not started.", labels=of_replica)
    running = GaugeMetricFamily(f"{name}running", "Calls that have started.", labels=of_replica)
    memory = GaugeMetricFamily(f"{name}memory_bytes", "Memory of the process.", labels=of_replica)
    batches = HistogramMetricFamily(f"{name}batch_size", "Calls in a batch.", labels=of_replica)
    wanted = GaugeMetricFamily(f"{name}wanted", "Replicas that there should be.", labels=("serving",))
    restarts = CounterMetricFamily(f"{name}restarts", "Replicas that were replaced.", labels=("serving",))
    for serving in list(servings.by_name):
        versions = servings.of(serving)
        wanted.add_metric((serving,), sum(each.wanted for each in versions))
        restarts.add_metric((serving,), sum(each.restarts for each in versions))
        for replica in servings.replicas(serving):
            load, labels = replica.load, (serving, replica.id)
            waiting.add_metric(labels, load.waiting)
            running.add_metric(labels, load.running)
            memory.add_metric(labels, load.memory)
            if load.batches_json:
                _sizes(batches, labels, replica)
            for method in load.methods:
                named = (serving, method.name, replica.id)
                calls.add_metric(named, method.calls)
                errors.add_metric(named, method.errors)
                counts = latency.at_most(method.latencies, BOUNDS)
                buckets = [(f"{latency.end(bound):.6g}", float(n)) for bound, n in zip(BOUNDS, counts, strict=True)]
                seconds.add_metric(named, [*buckets, ("+Inf", float(method.calls))], method.seconds)
    yield from (calls, errors, seconds, waiting, running, memory, batches, wanted, restarts)


def _sizes(family: HistogramMetricFamily, labels: tuple[str, str], replica: Replica) -> None:
    told = json.loads(replica.load.batches_json)
    buckets, below = list[tuple[str, float]](), 0
    for size, count in told["sizes"].items():
        below += count
        buckets.append((size, float(below)))
    family.add_metric(labels, [*buckets, ("+Inf", float(told["batches"]))], float(told["calls"]))
