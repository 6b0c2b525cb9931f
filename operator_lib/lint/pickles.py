"""OP602: what cannot travel."""

from __future__ import annotations

from collections.abc import Iterator

from operator_lib import tree
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Program
from operator_lib.package import preflight
from operator_lib.package.modules import Modules


def check(program: Program) -> Iterator[Finding]:
    """As a deploy would find out."""
    modules = Modules(program.project, [])
    if preflight.failure(program.op, modules) is None:
        return
    first = program.methods[0] if program.methods else None
    for line in preflight.offenders(program.op, tree.name_of(program.op), modules):
        words, _, advice = line.partition("; ")
        file, at = (first.file, first.node.lineno) if first is not None else (str(program.project.file or ""), 0)
        yield Finding("OP602", words, file, at, advice or "build it in __remote_init__")
