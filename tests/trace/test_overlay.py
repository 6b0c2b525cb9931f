"""A run over its graph: every node reaches the state that fits what happened."""

import pytest

from operator_lib.trace.draw.terminal import render
from operator_lib.trace.overlay import overlay

SOURCE = """
from operator_lib import Operator

class Leaf(Operator):
    def forward(self, x):
        return x

class Mid(Operator):
    def __init__(self):
        self.leaf = Leaf()
    def forward(self, x):
        return self.leaf(x)

class P(Operator):
    def __init__(self):
        self.one, self.mid, self.never = Leaf(), Mid(), Leaf()
        self.kids = [Leaf(), Leaf()]
    def forward(self, x):
        y = self.one(x)
        if y:
            z = self.mid(y)
        else:
            z = self.never(y)
        for k in self.kids:
            z = k(z)
        return z
"""


class Log:
    """Events of a run, written down by the paths of the operators."""

    def __init__(self, dag):
        self.dag, self.events, self.open, self.number, self.now = dag, [], [], 0, 100.0

    def start(self, path):
        node = self.dag.node(path)
        self.number += 1
        self.now += 1
        parent = self.open[-1][0] if self.open else 0
        self.open.append((self.number, node, self.now))
        self._add("start", self.number, parent, node)
        return self

    def end(self, phase="end"):
        number, node, began = self.open.pop()
        self.now += 1
        self._add(phase, number, self.open[-1][0] if self.open else 0, node, dur=self.now - began)
        return self

    def status(self, status):
        self.events.append({"kind": "status", "status": status})
        return self

    def _add(self, phase, call, parent, node, **more):
        place = {"path": node.operator, "file": node.file, "line": node.line, "col": node.col}
        self.events.append(
            {"kind": "node", "phase": phase, "call": call, "parent": parent, "t": self.now, **place, **more}
        )


@pytest.fixture
def dag(write):
    return write(SOURCE).P().dag()


def states(dag):
    return {n.operator: n.status for n in dag.nodes if n.operator}


def test_before_anything_all_is_pending(dag):
    assert {n.status for n in overlay(dag, []).nodes} == {"pending"}


def test_half_way(dag):
    log = Log(dag).start("one").end().start("mid").start("mid.leaf")
    now = overlay(dag, log.events)
    assert states(now) == {
        "one": "done", "mid": "running", "mid.leaf": "running", "never": "skipped",
        "kids.0": "pending", "kids.1": "pending",
    }  # fmt: skip
    branch = next(n for n in now.nodes if n.kind == "branch" and n.parent is None)
    assert branch.status == "running"
    assert now.node("one").duration == 1.0
    assert now.node("one").started == 101.0


def finished(dag, status="COMPLETED"):
    log = Log(dag).start("one").end().start("mid").start("mid.leaf").end().end()
    return log.start("kids.0").end().start("kids.1").end().status(status)


def test_at_the_end_every_node_is_in_a_final_state(dag):
    end = overlay(dag, finished(dag).events)
    assert states(end) == {
        "one": "done", "mid": "done", "mid.leaf": "done", "never": "skipped", "kids.0": "done", "kids.1": "done",
    }  # fmt: skip
    assert {n.status for n in end.nodes} == {"done", "skipped"}
    arms = {n.name: n.status for n in end.nodes if n.kind == "branch" and n.parent is not None}
    assert arms == {"if y": "done", "else": "skipped"}


def test_a_failure_stops_everything_behind_it(dag):
    log = Log(dag).start("one").end().start("mid").start("mid.leaf").end("error").end("error").status("FAILED")
    end = states(overlay(dag, log.events))
    assert end == {
        "one": "done", "mid": "failed", "mid.leaf": "failed", "never": "skipped", "kids.0": "skipped",
        "kids.1": "skipped",
    }  # fmt: skip


def test_what_was_running_when_the_process_died_is_lost(dag):
    log = Log(dag).start("one").end().start("mid").start("mid.leaf").status("FAILED")
    end = states(overlay(dag, log.events))
    assert (end["mid"], end["mid.leaf"], end["kids.0"]) == ("lost", "lost", "skipped")


def test_calls_are_counted_and_times_summed(dag):
    log = Log(dag)
    for _ in range(3):
        log.start("one").end()
    node = overlay(dag, log.events).node("one")
    assert (node.count, node.duration, node.status) == (3, 3.0, "done")


def test_a_retry_makes_a_failed_node_done(dag):
    log = Log(dag).start("one").end("error").status("RUNNING").start("one").end()
    assert overlay(dag, log.events).node("one").status == "done"


def test_the_picture_shows_it(dag):
    text = render(overlay(dag, finished(dag).events), status=True)
    assert "✔ one: Leaf" in text
    assert "– never: Leaf" in text
