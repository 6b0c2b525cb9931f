"""Operators that are latched on: a call of one is a node, what is inside of it is on a worker and not looked at."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from operator_lib.trace.args import Args
from operator_lib.trace.frame import Frame
from operator_lib.trace.live import live_class
from operator_lib.trace.reader import Reader
from operator_lib.trace.values import Const, FunctionOperator, Instance, Remote, Value

_SIEVE = "operator_lib.frontends.sieve"
_TENSORLAKE = "operator_lib.frontends.tensorlake"
# Functions that latch on, by the names under which they are called: what they give, see `Remote`, and the argument that
# says on to what.
LATCHES: Mapping[str, tuple[str, str]] = {
    **{f"{package}Operator.from_job": ("job", "job_name") for package in ("operator_lib.", "operator_lib.core.", "")},
    **{
        f"{package}Operator.from_serving": ("serving", "url") for package in ("operator_lib.", "operator_lib.core.", "")
    },
    # A decorator of Sieve's that is imported by its name is taken for ours where the source is only read.
    **{
        f"{name}.get": ("front", "name")
        for name in (
            f"{_SIEVE}.function",
            f"{_SIEVE}.Model",
            f"{_SIEVE}.functions.Decorator()",
            "operator_lib.operator",
        )
    },
    **{f"{_SIEVE}{module}.Reference": ("front", "text") for module in ("", ".reference")},
    **{
        f"{_TENSORLAKE}{module}.RemoteGraph{by}": ("front", "name")
        for module in ("", ".remote")
        for by in ("", ".by_name")
    },
}
# Ways to call a handle, besides the methods of what it is latched on to.
_WAYS = {
    "job": frozenset(("submit", "map", "forward", "__call__", "job.trigger")),
    "serving": frozenset(("submit", "map", "forward", "__call__")),
    "front": frozenset(("run", "push", "call", "stream", "__call__")),
}
# What the handle of a serving has of its own, none of which runs what is deployed.
_OWN = frozenset(
    """
    apply children dag deploy named_children named_operators operators propagate rollback serving thaw token url
    versions
    """.split()  # noqa: SIM905
)


def latched(r: Reader, f: Frame, name: str, args: Args, node: ast.Call) -> Value:
    """What ``Operator.from_job(...)`` and the like give."""
    face, word = LATCHES[name]
    given = args.positional[0] if args.positional else args.keywords.get(word) or args.keywords.get("job_id")
    said = given.what.value if given is not None and isinstance(given.what, Const) else None
    title = _title(said) if isinstance(said, str) else f.file.segment(node.func)
    return Value(args.deps, handle(r, f, node, title, face))


def deployed(r: Reader, f: Frame, what: Instance, args: Args, node: ast.Call) -> Remote:
    """What ``op.deploy(...)`` gives."""
    said = args.keywords.get("deployment_type") or (args.positional[1] if len(args.positional) > 1 else None)
    face = said.what.value if said is not None and isinstance(said.what, Const) else None
    usual = "job" if isinstance(what, FunctionOperator) else "serving"
    return handle(r, f, node, what.title, face if face in ("job", "serving") else usual)


def handle(r: Reader, f: Frame, node: ast.Call, title: str, face: str) -> Remote:
    """What latches on at a place in the source."""
    made = Remote(live_class(sys.modules["operator_lib.core"].Operator, r.world), title, face)
    if r.made is None:
        return made
    known = r.made.setdefault((id(node), id(f.file), "latched"), made)  # in the body of a loop that is read again
    assert isinstance(known, Remote)
    return known


def _title(said: str) -> str:
    """The name of a deployment in its URL, or in ``owner/name:version``."""
    path = urlsplit(said).path.strip("/") if "://" in said else said
    return path.rpartition("/")[2].partition(":")[0] or said


def called(what: Remote, name: str) -> str | None:
    """What ``handle.name(...)`` is a call of, as it is shown; None: it runs nothing of what is deployed."""
    if name in _WAYS[what.face]:
        return what.title
    if what.face != "serving" or name.partition(".")[0] in _OWN:
        return None
    method, _, way = name.rpartition(".")
    return f"{what.title}.{method if method and way in ('submit', 'map') else name}"
