"""What the functions of a graph have around them: the graph's request, its place in the recording, its defaults."""

from __future__ import annotations

import contextvars
import copy
from typing import TYPE_CHECKING, Any

from operator_lib import context, options
from operator_lib.engine import record, requests, scope
from operator_lib.engine.scope import Scope
from operator_lib.options import Options

if TYPE_CHECKING:
    from operator_lib.graph.graph import Graph

# Seconds for a function that, like everything around it, has no limit of its own.
TIMEOUT = 300

# Options around a graph, its own and its retries -> what its functions inherit. All are kept, so that ids stay theirs.
_inherited: dict[tuple[int, int, int], tuple[tuple[Any, ...], Options]] = {}
_KEEP = 1024


def surroundings(graph: Graph) -> contextvars.Context:
    """A context to copy for each call of a function."""
    made = contextvars.copy_context()
    made.run(_enter, graph)
    return made


def _enter(graph: Graph) -> None:
    outer = scope.here()
    around = outer.options if outer is not None else _NONE
    scope.current.set(Scope(inherited(around, options.of(graph), graph.retries), outer))
    context.current.set(_named(requests.here(), graph))
    frame = record.here()
    if frame is not None:
        record.current.set(frame.recorder.unasked(frame))


_NONE = Options()


def inherited(around: Options, own: Options | None, retries: Any) -> Options:
    """What functions inherit that say nothing themselves: from around the graph, from the graph, and its retries."""
    key = id(around), id(own), id(retries)
    found = _inherited.get(key)
    if found is None:
        if len(_inherited) >= _KEEP:
            _inherited.clear()
        values = dict(options.merge(around, own).__dict__)
        values.setdefault("timeout", TIMEOUT)
        if retries is not None:
            values["retries"] = retries
        found = _inherited[key] = (around, own, retries), Options._of_checked(values)
    return found[1]


def _named(request: context.RequestContext, graph: Graph) -> context.RequestContext:
    """A local request does not know yet which graph it is for."""
    if request.graph_name:
        return request
    named = copy.copy(request)
    named.graph_name, named.graph_version = graph.name, graph.version or ""
    return named
