"""`Operator.thaw`: recorded nodes hung on the live tree."""

from __future__ import annotations

import json
import warnings
from typing import Any

from operator_lib import core, tree


def thaw(op: Any, recorded: Any) -> Any:
    """Give every operator of the tree the nodes that call it, in program order, as ``op.nodes``.

    Args:
        recorded: a DAG, its JSON (text or object), or a `Run`.
    """
    dag_type = core.reach("trace.dag", "DAG")
    if isinstance(recorded, dag_type):
        dag = recorded
    elif hasattr(recorded, "dag"):
        dag = recorded.dag()
    else:
        dag = dag_type.from_json(recorded if isinstance(recorded, str) else json.dumps(recorded))
    by_path: dict[str, list[Any]] = {}
    for node in dag.nodes:
        if node.kind == "call" and node.operator is not None:
            by_path.setdefault(node.operator, []).append(node)
    hung: dict[int, list[Any]] = {}
    for path, live in tree.named_operators(op, remove_duplicate=False):
        found = hung.setdefault(id(live), [])  # a shared operator has several paths
        found += by_path.pop(path, [])
        live.__dict__["_operator_nodes"] = tuple(found)
    if by_path:
        warnings.warn(f"the tree has no operator at {', '.join(sorted(by_path))}", stacklevel=3)
    return op
