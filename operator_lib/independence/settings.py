"""What the user allows, and what is known about the operators that are called."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import FunctionType
from typing import Any

from operator_lib import core, tree
from operator_lib.decorator import FunctionOperator
from operator_lib.engine import elsewhere
from operator_lib.independence.prover import Proof, definition_of, prove

# Steps that wait at the same time, unless the user says otherwise.
MOST = 32
# New proofs of an operator that keeps changing; then it is left alone.
TRIES = 4


class Settings:
    """The arguments of `optimize`, and the proofs that were made for it."""

    def __init__(self, root: Any, parallel: bool, dedupe: bool, workers: int | None, check: bool = False) -> None:
        self.parallel = parallel
        self.dedupe = dedupe
        self.workers = workers
        self.check = check
        self._apart: dict[int, tuple[Any, FunctionType, FunctionType]] = {}
        """Operators whose `forward` was taken apart: the operator, the function, the one that it was made from."""
        self._names = {key: f"self.{path}" for key, path in tree.paths(root).items() if path}
        self._proofs: dict[int, tuple[Any, Proof, int]] = {}

    def add(self, op: Any, function: FunctionType, original: FunctionType) -> None:
        """From now on calls of `op` from a flow run `function`."""
        self._apart[id(op)] = op, function, original

    def knows(self, op: Any) -> bool:
        """Whether something in `op` was taken apart."""
        return id(op) in self._apart

    def callee(self, op: Any) -> Callable[..., Any]:
        """What a flow calls for `op`."""
        found = self._function(op)
        if found is None:
            return op
        return found if core.intercept is None and not op._managed else functools.partial(self._recorded, op)

    def _function(self, op: Any) -> Callable[..., Any] | None:
        known = self._apart.get(id(op))
        if known is None or known[0] is not op:
            return None
        if definition_of(op) is not known[2] or "forward" in tree.state(op):
            return None
        return known[1] if isinstance(op, FunctionOperator) else functools.partial(known[1], op)

    def _recorded(self, op: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A call that somebody listens to, or whose options count."""
        token = elsewhere.instead.set(lambda inner: self._function(inner) or inner.forward)
        try:
            return op(*args, **kwargs)
        finally:
            elsewhere.instead.reset(token)

    @property
    def most(self) -> int:
        """Steps going on at the same time."""
        return self.workers or MOST

    @functools.cached_property
    def processes(self) -> int:
        """Processors for steps that compute."""
        return min(self.workers or 64, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)

    def known(self, op: Any) -> Proof:
        """What is known about calls of an operator, be it good or bad."""
        found = self._proofs.get(id(op))
        if found is None:
            found = self._proofs[id(op)] = op, self._prove(op), 1
        return found[1]

    def _prove(self, op: Any) -> Proof:
        return prove(op, self._names.get(id(op), ""))

    def proof(self, callee: Any) -> Proof | None:
        """The proof that calls of `callee` change nothing; None: there is none, or it does not hold any more."""
        found = self._proofs.get(id(callee))
        if found is None:
            if not tree.is_operator(callee):
                return None
            self.known(callee)
            found = self._proofs[id(callee)]
        proof = found[1]
        if not proof.obstacles and proof.holds():
            return proof
        if proof.holds() or found[2] >= TRIES:
            return None
        self._proofs[id(callee)] = callee, self._prove(callee), found[2] + 1
        return self.proof(callee)
