"""Our side of a row: the graph of a model beside what the model did."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.models.compared import compare
from benchmarks.models.observed import observe
from operator_lib.trace import build, cache, source


def traced(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Run it, draw it cold (nothing parsed, nothing kept), compare."""
    calls = observe(model, inputs)
    build(model)  # imports of our own modules are not part of it
    cache.clear()
    source.clear()
    start = time.perf_counter()
    dag = build(model)
    taken = time.perf_counter() - start
    found = compare(dag, calls)
    return {
        "modules": len({c.path for c in calls}) - 1,
        "calls": found.calls,
        "missing": found.missing,
        "wrong": found.wrong,
        "coverage": dag.coverage,
        "nodes": len(dag.nodes),
        "opaque": [f"{n.file}:{n.line} {n.reason}" for n in dag.nodes if n.certainty == "opaque"],
        "ms": taken * 1000,
    }
