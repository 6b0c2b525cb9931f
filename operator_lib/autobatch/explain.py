"""A compiled program as text for people."""

from __future__ import annotations

from operator_lib.autobatch.compiled import Compiled
from operator_lib.autobatch.machine.lower import Call, Step, TailCall
from operator_lib.autobatch.public import _instruction, _terminator


def explained(compiled: Compiled) -> str:
    """Blocks in the order in which they are preferred, with what lanes carry along and save."""
    lowered = compiled.lowered(stackless=False)
    lines = [f"{compiled.main.label}: {len(lowered.steps)} blocks"]
    order = compiled.order or tuple(lowered.steps)
    for name in order:
        step = lowered.steps[name]
        lines += ["", f"{name}  carries {_carried(step)}"]
        for op in step.ops:
            mark = "  (one example after the other)" if op.kind in ("each", "math") else ""
            lines.append(f"  {op.position.line:>5}  {_instruction(op)}{mark}")
        lines.append(f"         {_end(step)}")
    return "\n".join(lines)


def _carried(step: Step) -> str:
    return ", ".join(f"{lane.name}: {lane.type}" for lane in step.params) or "nothing"


def _end(step: Step) -> str:
    last = step.exit
    if isinstance(last, Call):
        saved = ", ".join(lane.name for lane in last.site.saved) or "nothing"
        return f"call {last.site.callee}, then {last.site.after}; saves {saved}"
    if isinstance(last, TailCall):
        return f"goto {last.callee} (tail call: nothing is saved)"
    return str(_terminator(last))
