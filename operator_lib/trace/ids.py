"""Names for nodes that survive comments, formatting, moved lines, and renamed locals."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operator_lib.trace.frame import Frame
    from operator_lib.trace.graph import Draft
    from operator_lib.trace.reader import Reader
    from operator_lib.trace.values import Function

_SKIPPED = frozenset(("ctx", "type_comment", "kind", "lineno", "col_offset", "end_lineno", "end_col_offset"))


def normal(tree: ast.AST | Iterable[ast.AST], local: set[str]) -> str:
    """The meaning of some source as text: no positions, no docstrings, locals numbered as they appear."""
    out: list[str] = []
    names: dict[str, str] = {}
    for part in (tree,) if isinstance(tree, ast.AST) else tree:
        _walk(part, local, names, out)
    return "".join(out)


def _walk(node: Any, local: set[str], names: dict[str, str], out: list[str]) -> None:
    kind = node.__class__
    if kind is ast.Name:
        out.append(_local(node.id, local, names))
    elif kind is ast.Constant:
        out.append(repr(node.value))
    elif kind is ast.arg:
        out.append(_local(node.arg, local, names))
    else:
        if kind in _BINDERS:
            local = local | _bound(node)
        out.append(kind.__name__)
        out.append("(")
        for field in kind._fields:
            if field in _SKIPPED:
                continue
            value: Any = getattr(node, field, None)
            if value.__class__ is list:
                _list(field, value, local, names, out)
            elif isinstance(value, ast.AST):
                _walk(value, local, names, out)
            elif isinstance(value, str) and field == "name" and value in local:
                out.append(_local(value, local, names))
            elif value is not None:
                out.append(repr(value))
            out.append(",")
        out.append(")")


def _list(field: str, values: list[Any], local: set[str], names: dict[str, str], out: list[str]) -> None:
    out.append("[")
    for i, part in enumerate(values):
        if isinstance(part, ast.AST):
            if i or field != "body" or not is_docstring(part):
                _walk(part, local, names, out)
        else:
            out.append(repr(part))
        out.append(",")
    out.append("]")


def is_docstring(node: ast.AST) -> bool:
    """A statement that is nothing but text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _local(name: str, local: set[str], names: dict[str, str]) -> str:
    return names.setdefault(name, f"${len(names)}") if name in local else name


_BINDERS = (
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef,
)  # fmt: skip


def _bound(node: ast.AST) -> set[str]:
    """Names that are bound somewhere inside."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        elif isinstance(part, ast.arg):
            found.add(part.arg)
        elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
            found.add(part.name)
    return found


def digest(*parts: object) -> str:
    """A short hash of strings and numbers."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:12]


def fingerprint(r: Reader, function: Function, frame: Frame) -> str:
    """Hash of a function and of every function of the project that it uses."""
    key = id(function.node)
    own = r.prints.get(key)
    if own is None:
        own = r.prints[key] = digest(normal(function.node, set()))
    used = sorted(place.rpartition(" ")[2] for place in frame.used.values())
    return digest(own, *used)[:8]


def name_all(drafts: list[Draft]) -> dict[Draft, str]:
    """The id of every draft: chain of the calls around it, kind, operator, normalised text, ordinal among equals."""
    chains: dict[Any, str] = {None: ""}
    seen: dict[tuple[str, ...], int] = {}
    found: dict[Draft, str] = {}
    texts: dict[Any, str] = {}
    for draft in drafts:
        call = draft.parent
        while call is not None and call.kind != "call":
            call = call.parent
        chain = chains.get(call, "")
        spot = (draft.kind, draft.file, draft.position, draft.name)
        text = texts.get(spot)
        if text is None or draft.kind == "input":
            text = texts[spot] = _text(draft)
        what = (chain, draft.kind, draft.operator or "", text)
        ordinal = seen[what] = seen.get(what, -1) + 1
        found[draft] = digest(*what, ordinal)
        if draft.kind == "call":
            step = (chain, "step", draft.operator if draft.operator is not None else draft.name)
            nth = seen[step] = seen.get(step, -1) + 1
            chains[draft] = digest(*step, nth)
    return found


def _text(draft: Draft) -> str:
    tree = draft.tree
    if draft.kind == "input":
        # A parameter of a forward is part of its interface; one of a helper is a local name.
        return draft.name if draft.parent is None or draft.parent.operator is not None else ""
    if isinstance(tree, list):
        return draft.kind + normal(tree, draft.frame.locals)
    if draft.kind in ("branch", "loop", "try", "with") and isinstance(tree, ast.AST):
        return _header(draft, tree)
    if tree is None:
        return draft.name
    return normal(tree, draft.frame.locals)


def _header(draft: Draft, tree: ast.AST) -> str:
    """The head of a compound statement: its body has nodes of its own."""
    parts: list[ast.AST] = []
    for name in ("test", "target", "iter", "subject", "type", "items", "generators"):
        value = getattr(tree, name, None)
        if isinstance(value, list):
            parts.extend(value)
        elif isinstance(value, ast.AST):
            parts.append(value)
    if parts:
        return type(tree).__name__ + normal(parts, draft.frame.locals)
    return draft.condition or draft.name
