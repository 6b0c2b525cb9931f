"""What the replicas of a serving have done and have to do, as numbers for people and programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from operator_lib.engine import latency
from operator_lib.wire.proto import serving_pb2 as pb


def described(found: pb.StatsReply) -> dict[str, Any]:
    """See `ServingManager.stats`."""
    loads = [replica.load for replica in found.replicas]
    replicas = [
        {"id": r.id, "pid": r.pid, "version": r.version, "status": r.status, "started": r.started, **_load([r.load])}
        for r in found.replicas
    ]
    head = {"status": found.status, "version": found.version, "wanted": found.wanted, "restarts": found.restarts}
    return {**head, **_load(loads), "replicas": replicas}


def _load(loads: list[pb.LoadReply]) -> dict[str, Any]:
    names = dict.fromkeys(method.name for load in loads for method in load.methods)
    methods = {name: _method(m for load in loads for m in load.methods if m.name == name) for name in names}
    told: dict[str, Any] = {
        **_method(method for load in loads for method in load.methods),
        "running": sum(load.running for load in loads),
        "waiting": sum(load.waiting for load in loads),
        "memory": sum(load.memory for load in loads),
        "methods": methods,
    }
    batches = [json.loads(load.batches_json) for load in loads if load.batches_json]
    if batches:
        told["batches"] = _batches(batches)
    return told


def _method(loads: Iterable[pb.MethodLoad]) -> dict[str, Any]:
    counts: Counter[int] = Counter()
    calls = errors = 0
    for load in loads:
        calls, errors = calls + load.calls, errors + load.errors
        counts.update(load.latencies)
    shares = {f"p{share}_ms": round(1e3 * latency.percentile(counts, share / 100), 3) for share in (50, 90, 99)}
    return {"calls": calls, "errors": errors, **shares}


def _batches(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Of all replicas: sums, and means weighted by the number of batches."""
    count = sum(each["batches"] for each in found)
    sizes: Counter[str] = Counter()
    for each in found:
        sizes.update(each["sizes"])

    def mean(name: str) -> float:
        return sum(each[name] * each["batches"] for each in found) / max(1, count)

    return {
        "batches": count,
        "calls": sum(each["calls"] for each in found),
        "sizes": dict(sorted(sizes.items(), key=lambda item: int(item[0]))),
        **{name: mean(name) for name in ("mean_size", "occupancy", "mean_wait_ms")},
        "max_wait_ms": max(each["max_wait_ms"] for each in found),
        **({"together": sum(each["together"] for each in found)} if "together" in found[0] else {}),
    }
