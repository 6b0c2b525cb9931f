"""Programs on JAX arrays, in one `jit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import jax  # type: ignore[reportMissingImports]
import jax.numpy as jnp  # type: ignore[reportMissingImports]
import numpy as np

from operator_lib.autobatch.backends.choice import Backend
from operator_lib.autobatch.backends.jax_machine import JaxMachine
from operator_lib.autobatch.backends.jax_ops import jax_dtype, translated
from operator_lib.autobatch.errors import StackOverflow
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.stand_ins import StandIns

if TYPE_CHECKING:
    from operator_lib.autobatch.arguments import Leaf
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome, Plan

FIRST_DEPTH = 16
_WIDE = frozenset({"int64", "uint64", "float64", "complex128"})


class JaxStandIns(StandIns):
    """Types as JAX gives them to operations on single examples."""

    def make(self, kind: TensorType, number: int = 1) -> Any:
        if kind.weak:
            return super().make(kind, number)
        return jnp.full(kind.shape, number, jax_dtype(kind.dtype))

    def translated(self, function: Any, arguments: Any = (), keywords: Any = ()) -> Any:
        del arguments, keywords
        return translated(function)

    def elementwise_function(self, function: Any) -> bool:
        return isinstance(function, jnp.ufunc)


class JaxBackend(Backend):
    """JAX (``pip install 'operator_lib[autobatch-jax]'``): one compiled program; results stay on the device."""

    name = "jax"
    strategies = ("program_counter",)

    @property
    def key(self) -> Any:
        return (self.name, bool(jax.config.jax_enable_x64))

    def stand_ins(self) -> StandIns:
        return JaxStandIns()

    def scope(self, leaves: Sequence[Leaf]) -> AbstractContextManager[object]:
        """Arrays of NumPy keep their 64 bits, whatever JAX is set to; those of JAX have what it is set to."""
        own = any(isinstance(leaf.array, jax.Array) for leaf in leaves)
        wide = any(not leaf.type.weak and leaf.type.dtype.name in _WIDE for leaf in leaves)
        return jax.enable_x64(True) if wide and not own else nullcontext()

    def run(self, compiled: Compiled, leaves: Sequence[Leaf], count: int, plan: Plan, strategy: str) -> Outcome:
        """Run; gradients are taken through a replay of as many steps as the run had."""
        from operator_lib.autobatch.running import Outcome

        def full(value: Any, size: int) -> Any:
            return jnp.full((size, *np.shape(value)), value)

        columns = [_column(leaf.array, count) for leaf in leaves]
        machine = _machine(compiled)
        if not count:
            outs = [jnp.zeros((0, *leaf.type.shape), jax_dtype(leaf.type.dtype)) for leaf in machine.results]
            return Outcome("program_counter", outs, full=full)
        outs = _differentiable(compiled, machine, count, plan.limit)(*columns)
        return Outcome("program_counter", list(outs), full=full)


def _column(array: Any, count: int) -> Any:
    column = jnp.asarray(array)
    return column if column.shape[0] == count else jnp.repeat(column, count, 0)


def _machine(compiled: Compiled) -> JaxMachine:
    made = compiled.others.get("jax")
    if made is None:
        made = compiled.others["jax"] = JaxMachine(compiled.lowered(stackless=False))
    return made


def _differentiable(
    compiled: Compiled, machine: JaxMachine, count: int, limit: int | None
) -> Callable[..., tuple[Any, ...]]:
    """The run with its own rule for gradients: a loop of unknown length has none, one of known length has."""

    def plain(*columns: Any) -> tuple[Any, ...]:
        return _forward(compiled, machine, columns, count, limit)[0]

    def forward(*columns: Any) -> Any:
        outs, steps, depth = _forward(compiled, machine, columns, count, limit)
        return outs, (columns, steps, depth)

    def backward(kept: Any, cotangents: Any) -> Any:
        columns, steps, depth = kept
        replay = _replay(compiled, machine, count, _rounded(int(steps)), int(depth))
        _, pull = jax.vjp(replay, *columns)
        return pull(cotangents)

    run: Any = jax.custom_vjp(plain)
    run.defvjp(forward, backward)
    return run


def _forward(
    compiled: Compiled, machine: JaxMachine, columns: Sequence[Any], count: int, limit: int | None
) -> tuple[tuple[Any, ...], Any, int]:
    depth = FIRST_DEPTH if limit is None else limit
    while True:
        outs, steps, failed, deepest = _jitted(compiled, machine, depth)(*columns)
        traced = isinstance(steps, jax.core.Tracer)
        if not traced and int(deepest) >= depth:
            if limit is not None:
                raise StackOverflow(limit, None, None)
            depth *= 2
            continue
        if not traced and bool(failed.any()):
            _raise_for(compiled, columns, np.asarray(failed), outs)
        return tuple(outs), steps, depth


def _jitted(compiled: Compiled, machine: JaxMachine, depth: int) -> Callable[..., Any]:
    key = ("jax", depth)
    if key not in compiled.others:

        def run(*columns: Any) -> Any:
            state = machine.start(columns, columns[0].shape[0], depth)
            state = jax.lax.while_loop(machine.waits, machine.advance, state)
            return machine.finished(state), state["steps"], state["failed"], state["deepest"]

        compiled.others[key] = jax.jit(run)
    return compiled.others[key]


def _replay(compiled: Compiled, machine: JaxMachine, count: int, steps: int, depth: int) -> Callable[..., Any]:
    key = ("jax replay", steps, depth)
    if key not in compiled.others:

        def run(*columns: Any) -> Any:
            state = machine.start(columns, columns[0].shape[0], depth)
            state, _ = jax.lax.scan(lambda s, _: (machine.advance(s), None), state, None, length=steps)
            return tuple(machine.finished(state))

        compiled.others[key] = jax.jit(run)
    return compiled.others[key]


def _rounded(steps: int) -> int:
    """A power of two: there are not many of them to compile for."""
    return 1 << max(steps - 1, 0).bit_length()


def _raise_for(compiled: Compiled, columns: Sequence[Any], failed: Any, outs: Sequence[Any]) -> None:
    """The exceptions of the lanes that failed, from running them by themselves on NumPy."""
    from operator_lib.autobatch.arguments import results
    from operator_lib.autobatch.compiled import run_machine
    from operator_lib.autobatch.errors import LaneError, lane_error

    places = failed.nonzero()[0]
    some = [np.asarray(column)[places] for column in columns]
    found: dict[int, Any] = {}
    try:
        ran, _ = run_machine(compiled, some, len(places), stackless=False, limit=None, lanes=None, most_first=False)
        found = {int(places[at]): error for at, error in ran.failed.items()}
    except Exception as error:
        found = {int(place): (error, None) for place in places}
    if not found:
        found = {int(place): (LaneError("this example raised on JAX, but not on NumPy"), None) for place in places}
    assert compiled.main.result is not None
    raise lane_error(found, results(compiled.main.result, iter(outs), lambda value: value))
