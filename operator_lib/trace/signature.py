"""Two signatures compared from the side of those who call: what still works, and what does not."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from operator_lib import syntax

_POSITIONAL, _EITHER, _KEYWORD = "positional only", "positional or keyword", "keyword only"


@dataclass(frozen=True, slots=True)
class SignatureChange:
    """What callers see of a change; false when they see nothing."""

    before: str = ""
    after: str = ""
    breaks: tuple[str, ...] = ()
    """Why calls that worked may fail now: ``x is gone``, ``y is required``, ..."""
    compatible: tuple[str, ...] = ()
    """What changed without that."""

    def __bool__(self) -> bool:
        return bool(self.breaks or self.compatible)

    def __str__(self) -> str:
        return "\n".join([*(f"breaks callers: {b}" for b in self.breaks), *self.compatible])


@dataclass(frozen=True, slots=True)
class _Parameter:
    kind: str
    position: int
    default: str | None
    annotation: str


@dataclass(slots=True)
class _Signature:
    parameters: dict[str, _Parameter] = field(default_factory=dict[str, _Parameter])
    rest: bool = False
    keywords: bool = False
    returns: str = ""


def compare(before: str, after: str) -> SignatureChange:
    """Compare ``Digits(x: Path) -> Report`` with what it was; no difference where one of them is not known."""
    old, new = _parsed(before), _parsed(after)
    if old is None or new is None:
        return SignatureChange(before, after)
    breaks: list[str] = []
    fine: list[str] = []
    renamed = _renamed(old, new)
    for name, was in old.parameters.items():
        now = new.parameters.get(renamed.get(name, name))
        if now is None:
            _gone(name, was, new, breaks, fine)
            continue
        if name in renamed:
            (fine if was.kind == now.kind == _POSITIONAL else breaks).append(f"{name} is called {renamed[name]}")
        _same(renamed.get(name, name), was, now, breaks, fine)
    for name, now in new.parameters.items():
        if name not in old.parameters and name not in renamed.values():
            taken = now.kind == _KEYWORD and old.keywords
            (breaks if now.default is None and not taken else fine).append(
                f"{name} is new" + (" and required" if now.default is None else "")
            )
    for what, had, has in (("*args", old.rest, new.rest), ("**kwargs", old.keywords, new.keywords)):
        if had != has:
            (breaks if had else fine).append(f"{what} is {'gone' if had else 'new'}")
    if old.returns != new.returns:
        fine.append(f"returns {new.returns or 'anything'}, was {old.returns or 'anything'}")
    return SignatureChange(before, after, tuple(breaks), tuple(fine))


def _renamed(old: _Signature, new: _Signature) -> dict[str, str]:
    """Parameters that only got another name: in the same position, alike otherwise."""
    found: dict[str, str] = {}
    for name, was in old.parameters.items():
        if name in new.parameters or was.kind == _KEYWORD:
            continue
        for other, now in new.parameters.items():
            alike = (now.position, now.kind, now.default) == (was.position, was.kind, was.default)
            if alike and other not in old.parameters:
                found[name] = other
    return found


def _gone(name: str, was: _Parameter, new: _Signature, breaks: list[str], fine: list[str]) -> None:
    caught = (was.kind == _KEYWORD and new.keywords) or (was.kind == _POSITIONAL and new.rest)
    (fine if caught else breaks).append(f"{name} is gone")


def _same(name: str, was: _Parameter, now: _Parameter, breaks: list[str], fine: list[str]) -> None:
    if was.default is not None and now.default is None:
        breaks.append(f"{name} is required")
    elif was.default != now.default:
        fine.append(f"{name} is {now.default} by default" + (f", was {was.default}" if was.default else ""))
    if was.kind != now.kind:
        (fine if now.kind == _EITHER else breaks).append(f"{name} is {now.kind}")
    elif was.position != now.position and was.kind != _KEYWORD:
        breaks.append(f"{name} has another position")
    if was.annotation != now.annotation:
        fine.append(f"{name} is {now.annotation or 'anything'}, was {was.annotation or 'anything'}")


def _parsed(text: str) -> _Signature | None:
    start = text.find("(")
    if start < 0:
        return None
    try:
        (node,) = syntax.parse(f"def _{text[start:]}: pass").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.FunctionDef):
        return None
    spec = node.args
    made = _Signature(rest=spec.vararg is not None, keywords=spec.kwarg is not None, returns=_text(node.returns) or "")
    positional = [*spec.posonlyargs, *spec.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(spec.defaults))
    for i, (arg, default) in enumerate(zip(positional, [*defaults, *spec.defaults], strict=True)):
        kind = _POSITIONAL if i < len(spec.posonlyargs) else _EITHER
        made.parameters[arg.arg] = _Parameter(kind, i, _text(default), _text(arg.annotation) or "")
    for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        made.parameters[arg.arg] = _Parameter(_KEYWORD, 0, _text(default), _text(arg.annotation) or "")
    return made


def _text(node: ast.expr | None) -> str | None:
    return ast.unparse(node) if node is not None else None
