"""What the user allows, and what is known about the operators that are called."""

from __future__ import annotations

import os
from typing import Any

from operator_lib import tree
from operator_lib.independence.prover import Proof, prove

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
        self._names = {key: f"self.{path}" for key, path in tree.paths(root).items() if path}
        self._proofs: dict[int, tuple[Any, Proof, int]] = {}

    @property
    def most(self) -> int:
        """Steps going on at the same time."""
        return self.workers or MOST

    @property
    def processes(self) -> int:
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
