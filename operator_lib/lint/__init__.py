"""What will go wrong with a program, seen before it runs: `lint`. One rule a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from operator_lib.lint import children, effects, imports, loops, pickles, secrets, sharing
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Program

RULES: tuple[Callable[[Program], Iterator[Finding]], ...] = (
    children.check,
    loops.check,
    sharing.check,
    effects.check,
    imports.check,
    pickles.check,
    secrets.check,
)


def lint(op: Any) -> list[Finding]:
    """What is found in an operator and the tree below it, in the order of files and lines. Nothing of it is called."""
    program = Program(op)
    found = {finding for rule in RULES for finding in rule(program)}
    return sorted(found, key=lambda one: (one.file, one.line, one.code, one.message))
