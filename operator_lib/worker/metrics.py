"""What Prometheus may ask for: read from the worker's state when it asks, but for what only passes by."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from operator_lib.worker import serving_metrics
from operator_lib.worker.store.base import RunRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

PREFIX = "operator_lib_"
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 5, 30, 120, 600, 3600, 21600)


class Metrics:
    """The worker's counters. Those of what passes by begin at 0 with the worker."""

    def __init__(self, worker: Worker) -> None:
        self._registry = CollectorRegistry()
        self._state = _State(worker)
        self._registry.register(self._state)
        ProcessCollector(registry=self._registry)
        self._ended = Histogram(
            f"{PREFIX}run_duration_seconds", "From the first start of a run to its end.", ("job", "status"),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._calls = Histogram(
            f"{PREFIX}http_call_duration_seconds", "Calls of servings over HTTP.", ("serving", "method", "code"),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._requests = Counter(
            f"{PREFIX}http_requests", "Requests by method and status.", ("method", "code"), registry=self._registry
        )
        # Looking a child up by its labels takes longer than counting.
        self._called: dict[tuple[str, str, int], Histogram] = {}
        self._asked: dict[tuple[str, int], Counter] = {}
        self._readers = Gauge(
            f"{PREFIX}event_streams", "Readers of events and logs over HTTP.", registry=self._registry
        )

    def run_ended(self, row: RunRow) -> None:
        """A run has come to its end; one that never started took no time."""
        ended = row.ended or 0.0
        self._ended.labels(row.job, row.status).observe(max(0.0, ended - (row.started or ended)))

    def called(self, serving: str, method: str, code: int, seconds: float) -> None:
        """A call of a serving has been answered."""
        key = serving, method, code
        child = self._called.get(key)
        if child is None:
            child = self._called[key] = self._calls.labels(serving, method, str(code))
        child.observe(seconds)

    def requested(self, method: str, code: int) -> None:
        """A request has been answered."""
        child = self._asked.get((method, code))
        if child is None:
            child = self._asked[method, code] = self._requests.labels(method, str(code))
        child.inc()

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """For as long as somebody reads along."""
        self._readers.inc()
        try:
            yield
        finally:
            self._readers.dec()

    async def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        await self._state.look()
        return await asyncio.to_thread(generate_latest, self._registry)


class _State(Collector):
    """What the worker knows anyway."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._counts: dict[str, int] = {}
        self._deployed: dict[str, int] = {}

    async def look(self) -> None:
        """Ask the store, which `collect` cannot wait for."""
        store = self._worker.store
        self._counts = await store.counts()
        self._deployed = {kind: len(await store.deployments(kind=kind)) for kind in ("job", "serving")}

    def describe(self) -> list[Metric]:
        return []  # registering must not ask a worker that is being made

    def collect(self) -> Iterator[Metric]:
        worker = self._worker
        runs = GaugeMetricFamily(f"{PREFIX}runs", "Runs by status, since the home was made.", labels=("status",))
        for status, count in self._counts.items():
            runs.add_metric((status,), count)
        yield runs
        waiting, active = worker.runs.queue.queued, len(worker.runs.active)
        yield GaugeMetricFamily(f"{PREFIX}runs_queued", "Runs that wait for a slot.", waiting)
        yield GaugeMetricFamily(f"{PREFIX}runs_active", "Runs that have a slot.", active)
        yield GaugeMetricFamily(f"{PREFIX}run_slots", "Runs that may go on at the same time.", worker.runs.queue.slots)
        yield GaugeMetricFamily(f"{PREFIX}maps_active", "Maps that go on.", len(worker.runs.leases))
        yield self._deployments()
        yield self._replicas()
        yield from serving_metrics.families(worker.servings, PREFIX)
        if worker.storage is not None and worker.archive is not None:
            up, late = float(not worker.storage.trouble), len(worker.archive.late)
            yield GaugeMetricFamily(f"{PREFIX}storage_up", "1 while object storage does what it is asked.", up)
            yield GaugeMetricFamily(f"{PREFIX}runs_unarchived", "Ended runs that storage does not have yet.", late)
        accepting = float(worker.runs.queue.accepting)
        yield GaugeMetricFamily(f"{PREFIX}accepting", "1 while runs are accepted, 0 when stopping.", accepting)
        yield GaugeMetricFamily(f"{PREFIX}start_time_seconds", "When the worker started.", worker.started)

    def _deployments(self) -> Metric:
        found = GaugeMetricFamily(f"{PREFIX}deployments", "Deployments by kind.", labels=("kind",))
        for kind, count in self._deployed.items():
            found.add_metric((kind,), count)
        return found

    def _replicas(self) -> Metric:
        found = GaugeMetricFamily(f"{PREFIX}replicas", "Replicas by status.", labels=("serving", "status"))
        for name, serving in list(self._worker.servings.by_name.items()):
            for status in ("starting", "ready", "draining"):
                replicas = [*serving.replicas, *serving.leaving]
                found.add_metric((name, status), sum(r.status == status for r in replicas))
        return found
