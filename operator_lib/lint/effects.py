"""OP501, OP502: effects of operators that are cached or tried again."""

from __future__ import annotations

from collections.abc import Iterator

from operator_lib import options as option_rules
from operator_lib import tree
from operator_lib.independence.prover import obstacles_of
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Program

_EFFECTS = ("writes ", "changes ", "deletes ", "sets ")
# What functions do that nobody reads, by the beginning of their names.
_OUTSIDE = (
    "requests.post", "requests.put", "requests.delete", "requests.patch", "os.remove", "os.unlink", "os.rename",
    "os.makedirs", "os.mkdir", "os.system", "os.replace", "shutil.", "subprocess.", "smtplib.",
    "httpx.post", "httpx.put",
)  # fmt: skip


def check(program: Program) -> Iterator[Finding]:
    """What `forward` changes, where its options say that it may not run, or run more than once."""
    for path, op in program.operators.items():
        own, merged = option_rules.of(op), program.options(path)
        cached = own is not None and own.cacheable
        retried = merged is not None and merged.retries is not None and merged.retries.max_retries > 0
        if not (cached or retried):
            continue
        name = path or tree.name_of(op)
        for found in obstacles_of(op):
            if not _is_effect(found.does, cached):
                continue
            words = found.does.replace(", which is not known", "")
            file = program.shown(found.file)
            if cached:
                fix = "move the effect to an operator that is not cached, or take cacheable away"
                yield Finding("OP501", f"{name} is cached, and {words}", file, found.line, fix)
            else:
                fix = "move the effect to an operator without retries, behind this one, or make it safe to repeat"
                yield Finding("OP502", f"{name} is tried again after a failure, and {words}", file, found.line, fix)


def _is_effect(does: str, cached: bool) -> bool:
    if does.startswith(_EFFECTS):
        return True
    if does.endswith("which prints"):
        return cached  # printed twice does no harm
    return does.startswith("calls ") and does.removeprefix("calls ").startswith(_OUTSIDE)
