"""What stays from call to call."""

from __future__ import annotations

from cases import case


@case("tally", lives=True)
def a_live_object_remembers(op):
    first, seen = op(1)
    second, later = op(2)
    return second - first, len(later) - len(seen), later[-2:]


@case("loaded", gives=["called"], afar=["loaded", "called"])
def the_hook_runs_on_a_worker_only(op):
    return op()[:2]


@case("loaded_tree", gives=[[], "called"], afar=[["root before children: []"], "loaded"])
def the_hook_runs_parent_first_and_shared_children_once(op):
    log, inner = op()
    assert inner.count("loaded") <= 1
    return [log, inner[0]]


@case("remember", lives=True)
def modules_remember(op):
    before = len(op("a"))
    return len(op("b")) - before
