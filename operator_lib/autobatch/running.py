"""One call: the strategy is chosen, the machine is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.arguments import Leaf
from operator_lib.autobatch.backends.choice import Backend
from operator_lib.autobatch.choosing import Chooser
from operator_lib.autobatch.compiled import Compiled, run_machine
from operator_lib.autobatch.errors import Position
from operator_lib.autobatch.stats import BlockStats

if TYPE_CHECKING:
    from operator_lib.autobatch.context import Context

DEFAULT_DEPTH = 15


@dataclass(slots=True)
class Outcome:
    """What a run gave, as columns of lanes."""

    strategy: str
    columns: list[Any]
    failed: dict[int, tuple[BaseException, Position | None]] = field(
        default_factory=dict[int, "tuple[BaseException, Position | None]"]
    )
    blocks: tuple[BlockStats, ...] = ()
    peak_frames: int = 0
    live_frames: int = 0
    full: Callable[[Any, int], Any] = lambda value, count: np.full((count, *np.shape(value)), value)
    settled: bool = False
    """Whether the next call would be run the same way."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a call is to be run."""

    limit: int | None
    lanes: int | None
    most_first: bool


def run(
    context: Context, compiled: Compiled, leaves: Sequence[Leaf], count: int, backend: Backend, option: dict[str, Any]
) -> Outcome:
    """Run a compiled program on columns."""
    other = getattr(backend, "run", None)
    plan = Plan(
        option.get("max_stack_depth", DEFAULT_DEPTH),
        option.get("lanes", context.lanes),
        option.get("schedule", context.schedule) == "most",
    )
    strategy = "stackless" if option.get("stackless") else option.get("strategy", context.strategy)
    if other is not None:
        return other(compiled, leaves, count, plan, strategy)
    columns = [column(np.asarray(leaf.array), count) for leaf in leaves]
    if backend.name == "native":
        strategy = "native"
    if strategy != "auto":
        return replace(run_as(strategy, compiled, columns, count, plan), settled=True)
    if plan.lanes is not None or plan.most_first or compiled.order is not None:
        return run_as("program_counter", compiled, columns, count, plan)
    chooser = chooser_of(compiled)
    name, learn = chooser.choose(count, native=(option.get("backend") or context.backend) is None)
    if not learn:
        return replace(run_as(name, compiled, columns, count, plan), settled=True)
    started = time.perf_counter()
    outcome = run_as(name, compiled, columns, count, plan)
    chooser.learn(outcome.strategy, name, count, time.perf_counter() - started)
    return outcome


def prepared(compiled: Compiled, backend: Backend) -> None:
    """Do now what the first run would do first: compile for the strategies that there are."""
    if getattr(backend, "run", None) is None:
        chooser_of(compiled)


def chooser_of(compiled: Compiled) -> Chooser:
    """What ``strategy="auto"`` knows about the program."""
    if compiled.chooser is None:
        compiled.chooser = Chooser(compiled)
    return compiled.chooser


def run_as(strategy: str, compiled: Compiled, columns: Sequence[Any], count: int, plan: Plan) -> Outcome:
    """Run with one strategy on NumPy columns."""
    if strategy == "native":
        from operator_lib.autobatch.native.run import run_native

        found = run_native(compiled, columns, count, plan.limit)
        return found if found is not None else run_as("program_counter", compiled, columns, count, plan)
    if strategy == "loop":
        from operator_lib.autobatch.looping import run_loop

        found = run_loop(compiled, columns, count, plan.limit)
        return found if found is not None else run_as("program_counter", compiled, columns, count, plan)
    ran, blocks = run_machine(
        compiled,
        columns,
        count,
        stackless=strategy == "stackless",
        limit=plan.limit,
        lanes=plan.lanes,
        most_first=plan.most_first,
    )
    return Outcome(strategy, ran.out, ran.failed, blocks, ran.peak_frames, ran.peak_live)


def column(array: Any, count: int) -> Any:
    """A row for each lane: what has one row is the same for all."""
    if len(array) == count:
        return array
    return np.repeat(array, count, axis=0)
