"""Workflows whose nodes follow one another: a request over HTTP is handed from node to node, and that is all.

The engine has nothing to do then: nothing runs side by side, and the arguments of an attempt are copies anyway, as each
node has processes of its own. Where somebody listens (a trace), or options act on the workflow, it does as ever.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib import options
from operator_lib.engine import record
from operator_lib.engine.scope import ACTING
from operator_lib.errors import RequestError
from operator_lib.frontends.torchserve.node import Node
from operator_lib.frontends.torchserve.step import Step

if TYPE_CHECKING:
    from operator_lib.frontends.torchserve.workflow import Workflow


def straight(workflow: Workflow) -> Callable[[Any], Any]:
    """What answers a request: for a workflow of one line that is not the workflow itself."""
    order = workflow._operator_checked().order
    follows = all(after in workflow.spec.edges.get(before, ()) for before, after in itertools.pairwise(order))
    if not follows or any(getattr(options.of(workflow), name, None) for name in ACTING):
        return workflow
    steps = (workflow.functions[name] for name in order)
    nodes = [step.node for step in steps if isinstance(step, Step)]

    def handed_on(value: Any) -> Any:
        if record.here() is not None:
            return workflow(value)
        answers: dict[str, Any] = {}
        answer: Any = None
        for node in nodes:
            values = tuple(answers[name] for name in node.parents) or (value,)
            answer = answers[node.name] = _attempted(node, values)
        return answer

    return handed_on


def _attempted(node: Node, values: tuple[Any, ...]) -> Any:
    """The answer of a node, after as many attempts as it has."""
    for _ in range(node.settings.retry_attempts):
        try:
            return node.answer(values)
        except RequestError:
            raise
        except Exception:  # the last attempt tells
            continue
    return node.answer(values)
