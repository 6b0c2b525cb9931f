"""An order of blocks with fewer steps, found by replaying the ways that lanes took."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.machine.program import Machine

if TYPE_CHECKING:
    from operator_lib.autobatch.batched import BatchedFunction


def tune(batched: BatchedFunction, args: tuple[Any, ...], seconds: float) -> float:
    """Swap blocks in the order of preference for as long as it is worth it; keeps the best order."""
    from operator_lib.autobatch.arguments import Reader

    compiled = batched.compiled_for(*args)
    reader = Reader()
    for name, value in zip(batched._signature.parameters, args, strict=False):
        reader.read(value, name)
    count = reader.count()
    columns = [leaf.array if len(leaf.array) == count else np.repeat(leaf.array, count, 0) for leaf in reader.leaves]
    program = compiled.lowered(stackless=False)
    names = list(program.steps)

    def steps(order: list[str]) -> int:
        machine = Machine(program, stackless=False, order=order, drain=False)
        return sum(machine.run(columns, count, limit=None).steps)

    first = best = steps(names)
    order = names
    rng = random.Random(0)
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(names) > 1:
        candidate = list(order)
        one, two = rng.sample(range(len(names)), 2)
        candidate.insert(two, candidate.pop(one))
        found = steps(candidate)
        if found <= best:
            best, order = found, candidate
    compiled.order = tuple(order)
    return best / first
