"""Operators that tell where in a cluster they are, and wait for the word to go on."""

import time
from pathlib import Path

from operator_lib import Operator, RequestContext, operator


def node() -> str:
    """The home of the node that this process is on."""
    return str(Path.cwd()).partition("/nodes/")[2].partition("/")[0]


class Where(Operator):
    def __init__(self, marks: str):
        self.marks = marks

    def forward(self, number: int) -> tuple:
        time.sleep(0.005)
        Path(self.marks, str(number)).touch()
        return number, node()


@operator
def mark(marks: str) -> int:
    """How often it has been called."""
    there = len(list(Path(marks).glob("called-*")))
    Path(marks, f"called-{there}-{node()}").touch()
    return there


class Patient(Operator):
    def __init__(self):
        self.mark = mark

    def forward(self, marks: str) -> tuple:
        first = self.mark(marks)
        context = RequestContext.get()
        context.state.set("seen", [*context.state.get("seen", []), node()])
        print("ready", node(), flush=True)
        while not Path(marks, "go").exists():
            time.sleep(0.01)
        return first, context.attempt, context.state.get("seen")


@operator
def occupy() -> None:
    print("ready", flush=True)
    time.sleep(1000)
