"""What a handle of a job or a serving shows: what it is called with, what it has done, its graph."""

from __future__ import annotations

import contextlib
from html import escape
from typing import Any

from operator_lib.notebook import html, tables
from operator_lib.trace.dag import DAG

_RUNS = 5


def job_bundle(handle: Any) -> dict[str, str]:
    """MIME type to text for a job. Its name alone when the worker is out of reach."""
    plain = {"text/plain": repr(handle)}
    try:
        found = handle.job.info()
        runs = handle.runs(limit=_RUNS)
        parts = [
            _head("job", found),
            html.facts([("call", _signature(handle._schema, "")), _about(handle), ("worker", _at(handle))]),
            tables.runs(runs) if runs else html.quiet("no runs yet"),
            _graph(found.dag_json),
        ]
    except Exception:
        return plain
    return {**plain, "text/html": html.card(*parts)}


def serving_bundle(handle: Any) -> dict[str, str]:
    """The same for a serving; its own token tells less than that of its worker."""
    found: Any = None
    stats: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        found = handle.serving.info()
        stats = handle.serving.stats()
    parts = [
        _head("serving", found) if found else html.headline("serving", handle._name),
        html.facts([("url", html.mono(handle.url)), _about(handle), ("so far", _done(stats))]),
        _methods(handle._schema, stats.get("methods", {})),
        _graph(found.dag_json) if found else "",
    ]
    return {"text/plain": repr(handle), "text/html": html.card(*parts)}


def _head(kind: str, found: Any) -> str:
    return html.headline(kind, found.name, html.badge(found.status), html.quiet(f"version {found.version}"))


def _about(handle: Any) -> tuple[str, str]:
    return "about", escape(handle._schema.doc.partition("\n\n")[0])


def _at(handle: Any) -> str:
    return html.mono(handle._connection.address)


def _done(stats: dict[str, Any]) -> str:
    if not stats:
        return ""
    live = len(stats["replicas"])
    said = [f"{live} replica{'' if live == 1 else 's'}", f"{stats['calls']} calls"]
    if stats["errors"]:
        said.append(f"{stats['errors']} failed")
    if stats["calls"]:
        said.append(f"median {stats['p50_ms']:g} ms")
    if stats["waiting"]:
        said.append(f"{stats['waiting']} waiting")
    return escape(", ".join(said))


def _methods(schema: Any, stats: dict[str, Any]) -> str:
    rows: list[list[str]] = []
    for name, method in schema.methods.items():
        if name == "forward" and "" in schema.methods:
            continue
        calls = stats.get(name, {}).get("calls", 0)
        about = method.doc.partition("\n")[0]
        rows.append([_signature(schema, name), escape(about), str(calls or "")])
    return html.table(["method", "", "calls"], rows) if rows else ""


def _signature(schema: Any, name: str) -> str:
    method = schema.methods.get(name)
    if method is None:
        return ""
    returns = f" -> {method.returns}" if method.returns else ""
    return html.mono(f"{name}({', '.join(_param(param) for param in method.params)}){returns}")


def _param(param: Any) -> str:
    stars = {"var_positional": "*", "var_keyword": "**"}.get(param.kind, "")
    hint = f": {param.annotation}" if param.annotation else ""
    if param.required or stars:
        return f"{stars}{param.name}{hint}"
    equals = " = " if hint else "="
    return f"{param.name}{hint}{equals}{html.clipped(repr(param.value()), 30)}"


def _graph(text: str) -> str:
    if not text:
        return ""
    dag = DAG.from_json(text)
    calls = sum(node.kind == "call" for node in dag.nodes)
    return html.folded(f"graph: {calls} calls", html.scrolled(dag.to_svg())) if calls else ""
