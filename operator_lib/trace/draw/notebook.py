"""What a notebook shows for an operator, a DAG and a run."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from typing import Any

from operator_lib.trace.dag import DAG

_REFRESH = 0.5  # seconds between two looks at a run that goes on


def dag_bundle(dag: DAG) -> dict[str, str]:
    """MIME type to text for a DAG."""
    return {"text/plain": str(dag), "image/svg+xml": dag.to_svg()}


def operator_bundle(op: Any) -> dict[str, str]:
    """MIME type to text for an operator: its tree, and the picture of its graph."""
    from operator_lib.trace import build

    return {"text/plain": repr(op), "image/svg+xml": build(op).to_svg()}


def run_bundle(run: Any) -> dict[str, str]:
    """MIME type to text for a run: how far it has come. Without a graph, its name and status."""
    from operator_lib.trace.draw.terminal import render

    dag = _graph(run)
    if dag is None:
        return {"text/plain": repr(run)}
    return {"text/plain": f"{run!r}\n{render(dag, status=True)}", "image/svg+xml": dag.to_svg()}


def show_run(run: Any) -> None:
    """Display a run in a notebook; while it goes on, a thread keeps what is shown up to date."""
    from IPython.display import display

    handle = display(run_bundle(run), raw=True, display_id=True)
    if handle is not None and not run.done():
        threading.Thread(target=_keep, args=(run, handle), name=f"show {run.id}", daemon=True).start()


def _keep(run: Any, handle: Any) -> None:
    shown: object = None
    while True:
        last = run.done()
        bundle = run_bundle(run)
        if bundle != shown:
            handle.update(bundle, raw=True)
            shown = bundle
        if last:
            return
        concurrent.futures.wait([run], timeout=_REFRESH)


def _graph(run: Any) -> DAG | None:
    """A worker may be out of reach: a display never raises."""
    with contextlib.suppress(Exception):
        return run.dag()
    return None
