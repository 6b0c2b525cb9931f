"""The graph as plain data: what JSON carries, read back with care for what other versions and other tools write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, cast

from operator_lib.trace.dag import DAG, FORMAT, Edge, Node

_DEFAULTS = {kind: {f.name: f.default for f in fields(kind)} for kind in (Node, Edge)}
_HEAD = ("name", "signature", "doc", "file", "line")
_NEEDED = {Node: ("id", "index", "kind", "name"), Edge: ("source", "target")}
_NUMBERS = ("index", "line", "end_line", "col", "end_col", "count", "iteration")
_LISTS = ("inputs", "outputs", "uses")
_SECONDS = ("started", "duration")


def to_dict(dag: DAG) -> dict[str, Any]:
    """`DAG.to_dict`."""
    data: dict[str, Any] = {**dag.extra, "format": FORMAT, "name": dag.name}
    data |= {k: v for k in _HEAD[1:] if (v := getattr(dag, k))}
    data["nodes"] = [_plain(node) for node in dag.nodes]
    data["edges"] = [_plain(edge) for edge in dag.edges]
    return data


def _plain(item: Node | Edge) -> dict[str, Any]:
    defaults = _DEFAULTS[type(item)]
    plain = {k: v for k, default in defaults.items() if k != "extra" and (v := getattr(item, k)) != default}
    return {**item.extra, **plain} if item.extra else plain


def from_json(text: str | bytes) -> DAG:
    """`DAG.from_json`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"this is not the JSON of a DAG: {problem}") from None
    return from_dict(data)


def from_dict(data: Any) -> DAG:
    """`DAG.from_dict`."""
    if not isinstance(data, Mapping):
        raise ValueError(f"a DAG is a JSON object, not {_kind(data)}")
    given = cast("Mapping[str, Any]", data)
    written = given.get("format", FORMAT)
    if type(written) is not int or written < 1:
        raise ValueError(f"DAG format {written!r} is not known; this version reads {FORMAT}")
    if written > FORMAT:
        raise ValueError(f"DAG format {written} is newer than this version reads ({FORMAT}); upgrade operator_lib")
    for key in _HEAD:
        if key in given and not _fits(key, given[key]):
            raise ValueError(f"a DAG with a wrong {key}: {given[key]!r}")
    return checked(
        DAG(
            nodes=tuple(_made(Node, "node", i, node) for i, node in enumerate(_list(given, "nodes"))),
            edges=tuple(_made(Edge, "edge", i, edge) for i, edge in enumerate(_list(given, "edges"))),
            extra={k: v for k, v in given.items() if k not in (*_HEAD, "format", "nodes", "edges")},
            **{k: given[k] for k in _HEAD if k in given},
        )
    )


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    found: Any = data.get(key)
    if not isinstance(found, list):
        raise ValueError(f"a DAG has a list of {key}, not {_kind(found)}")
    return cast("list[Any]", found)


def _made(kind: Any, what: str, number: int, data: Any) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{what} {number} of the DAG is no object, but {_kind(data)}")
    given = cast("dict[str, Any]", data)
    known = _DEFAULTS[kind]
    missing = [k for k in _NEEDED[kind] if k not in given]
    if missing:
        raise ValueError(f"{what} {number} of the DAG has no {' and no '.join(missing)}")
    made: dict[str, Any] = {}
    newer: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known or key == "extra":
            newer[key] = value
        elif not _fits(key, value):
            raise ValueError(f"{what} {number} of the DAG has a wrong {key}: {value!r}")
        else:
            made[key] = tuple(value) if key in _LISTS else value
    return kind(**made, extra=newer) if newer else kind(**made)


def _fits(key: str, value: Any) -> bool:
    """Whether a known field has a value of its type. The words of kinds, statuses, ... may be those of any version."""
    if key in _NUMBERS:
        return type(value) is int
    if key in _LISTS:
        return isinstance(value, list | tuple) and all(isinstance(v, str) for v in cast("list[Any]", value))
    if key in _SECONDS:
        return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return isinstance(value, str) or (value is None and key in ("operator", "parent"))


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def checked(dag: DAG) -> DAG:
    """`dag`, if every id is there once and nothing points at a node that is not.

    Raises:
        ValueError: says what is wrong.
    """
    ids = {node.id for node in dag.nodes}
    if len(ids) != len(dag.nodes):
        raise ValueError(f"two nodes of the DAG have the id {_twice(node.id for node in dag.nodes)!r}")
    for node in dag.nodes:
        if node.parent is not None and node.parent not in ids:
            raise ValueError(f"node {node.id!r} of the DAG is inside {node.parent!r}, which is no node of it")
    for edge in dag.edges:
        for end in (edge.source, edge.target):
            if end not in ids:
                raise ValueError(
                    f"the edge {edge.source!r} to {edge.target!r} of the DAG ends at {end!r}, which is no node"
                )
    return dag


def _twice(ids: Iterable[str]) -> str:
    seen: set[str] = set()
    return next(id for id in ids if id in seen or seen.add(id))
