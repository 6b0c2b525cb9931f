"""Plain data as YAML, the little of it that manifests need: mappings, lists, texts, numbers, truth values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# What needs no quotes, and is read as a text by YAML 1.1 and 1.2 alike.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9 ._/=-]*[A-Za-z0-9/=]|[A-Za-z]")
_WORDS = frozenset("y n yes no on off true false null".split())  # noqa: SIM905


def document(value: Mapping[str, Any]) -> str:
    """One document, without the line of dashes before it."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _entry(f"{_scalar(key)}:", inside, "" if _is_list(inside) else "  ")
    else:
        for inside in value:
            first, *rest = _lines(inside) if _is_nested(inside) else [_scalar(inside)]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)


def _entry(head: str, inside: Any, indent: str) -> Iterator[str]:
    if _is_nested(inside):
        yield head
        yield from (f"{indent}{line}" for line in _lines(inside))
    else:
        yield f"{head} {_scalar(inside)}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_nested(value: Any) -> bool:
    return bool(value) and (isinstance(value, Mapping) or _is_list(value))


def _scalar(value: Any) -> str:
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return str(value) if plain else json.dumps(value)
