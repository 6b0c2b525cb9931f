"""Names for nodes that survive comments, formatting, moved lines, and renamed locals."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from operator_lib.trace.normal import normal

if TYPE_CHECKING:
    from operator_lib.trace.frame import Frame
    from operator_lib.trace.graph import Draft


def digest(*parts: object) -> str:
    """A short hash of strings and numbers."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:12]


def name_all(drafts: list[Draft]) -> dict[Draft, str]:
    """The id of every draft: chain of the calls around it, kind, operator, normalised text, ordinal among equals."""
    chains: dict[Any, str] = {None: ""}
    seen: dict[tuple[str, ...], int] = {}
    found: dict[Draft, str] = {}
    texts: dict[Any, str] = {}
    scopes: dict[Frame, Collection[str]] = {}
    for draft in drafts:
        call = draft.parent
        while call is not None and call.kind != "call":
            call = call.parent
        chain = chains.get(call, "")
        tree = draft.tree
        # One piece of source may be read many times: for every operator of a class, in every round of a loop.
        spot = (draft.kind, *map(id, tree)) if isinstance(tree, list) else (draft.kind, id(tree))
        text = texts.get(spot)
        if text is None or tree is None or draft.kind == "input":
            text = texts[spot] = _text(draft, scopes)
        what = (chain, draft.kind, draft.operator or "", text)
        ordinal = seen[what] = seen.get(what, -1) + 1
        found[draft] = digest(*what, ordinal)
        if draft.kind == "call":
            step = (chain, "step", draft.operator if draft.operator is not None else _callee(draft, scopes))
            nth = seen[step] = seen.get(step, -1) + 1
            chains[draft] = digest(*step, nth)
    return found


def _text(draft: Draft, scopes: dict[Frame, Collection[str]]) -> str:
    tree = draft.tree
    if draft.kind == "input":
        # A parameter of a forward is part of its interface; one of a helper is a local name.
        return draft.name if draft.parent is None or draft.parent.operator is not None else ""
    if isinstance(tree, list):
        return draft.kind + _normal(draft, tree, scopes)
    if draft.kind in ("branch", "loop", "try", "with") and isinstance(tree, ast.AST):
        return _header(draft, tree, scopes)
    if tree is None:
        return draft.name
    return _normal(draft, tree, scopes)


def _callee(draft: Draft, scopes: dict[Frame, Collection[str]]) -> str:
    """What is called, where that is no operator of the tree."""
    tree = draft.tree
    return _normal(draft, tree.func, scopes) if isinstance(tree, ast.Call) else draft.name


def _normal(draft: Draft, tree: ast.AST | list[ast.AST], scopes: dict[Frame, Collection[str]]) -> str:
    frame = draft.frame
    local = scopes.get(frame)
    if local is None:
        local = scopes[frame] = _locals(frame)
    return normal(tree, local, frame.file.imports)


def _locals(frame: Frame) -> Collection[str]:
    """The names of a function, and of those that it stands in."""
    home = frame.function.home if frame.function is not None else None
    live = frame.function.live if frame.function is not None else None
    found = frame.locals.union(live.__code__.co_freevars) if live is not None else frame.locals
    while home is not None:
        found = found | home.locals
        home = home.function.home if home.function is not None else None
    return found


def _header(draft: Draft, tree: ast.AST, scopes: dict[Frame, Collection[str]]) -> str:
    """The head of a compound statement: its body has nodes of its own."""
    parts: list[ast.AST] = []
    for name in ("test", "target", "iter", "subject", "type", "items", "generators"):
        value = getattr(tree, name, None)
        if isinstance(value, list):
            parts.extend(value)
        elif isinstance(value, ast.AST):
            parts.append(value)
    if parts:
        return type(tree).__name__ + _normal(draft, parts, scopes)
    return draft.name
