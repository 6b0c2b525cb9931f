"""What a notebook shows for an operator and a DAG."""

from __future__ import annotations

from typing import Any

from operator_lib.trace.dag import DAG


def dag_bundle(dag: DAG) -> dict[str, str]:
    """MIME type to text for a DAG."""
    return {"text/plain": str(dag), "image/svg+xml": dag.to_svg()}


def operator_bundle(op: Any) -> dict[str, str]:
    """MIME type to text for an operator: its tree, and the picture of its graph."""
    from operator_lib.trace import build

    return {"text/plain": repr(op), "image/svg+xml": build(op).to_svg()}
