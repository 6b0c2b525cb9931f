"""The whole machine inside of one `jax.jit`: which block runs next is decided on the device.

All lanes run the block that is first in the source among those where lanes wait; lanes that wait elsewhere keep what
they have. They are given the values of a lane that does belong there, so that nothing that they would not do happens
to them, also not in a gradient. Stacks stay outside of the switch between blocks: a block says what it pushes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax  # type: ignore[reportMissingImports]
import jax.numpy as jnp  # type: ignore[reportMissingImports]
import numpy as np

from operator_lib.autobatch.backends.jax_ops import compute, jax_dtype, operand
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.machine.lower import Call, Lowered, Step, TailCall
from operator_lib.autobatch.typing.ops import Branch, Jump, Move, Raise, Return
from operator_lib.autobatch.typing.values import Lane, leaves

Array = Any
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Slots:
    """Places in a frame, shared by all call sites: one array of stacks for each."""

    kinds: tuple[tuple[Any, tuple[int, ...]], ...]
    of_site: dict[int, tuple[int, ...]]
    """Call site -> the slot of every variable that it saves."""


class JaxMachine:
    """A lowered program as functions that JAX traces."""

    def __init__(self, program: Lowered) -> None:
        self.program = program
        self.steps = list(program.steps.values())
        self.number = {step.name: number for number, step in enumerate(self.steps)}
        self.end = len(self.steps)
        self.slots = _slots(program)
        self.after = {site.after: site for site in program.sites}
        main = program.functions[program.main]
        self.parameters = main.parameters
        self.results = [] if main.result is None else list(leaves(main.result))
        self.blocks = [self._block(step) for step in self.steps]

    # ---- state ---------------------------------------------------------------------------------------------------

    def start(self, columns: Sequence[Array], count: int, depth: int) -> dict[str, Any]:
        """All lanes before the first block."""
        registers = {key: jnp.zeros((count, *shape), dtype) for key, (dtype, shape) in self._registers().items()}
        entry = self.program.entries[self.program.main]
        for param, column in zip(self.parameters, columns, strict=True):
            registers[(entry, param.name)] = jnp.asarray(column).astype(jax_dtype(param.type.dtype))
        frames = depth if self.program.sites else 1
        return {
            "registers": {_text(key): value for key, value in registers.items()},
            "pc": jnp.full(count, self.number[entry], jnp.int32),
            "sp": jnp.zeros(count, jnp.int32),
            "back": jnp.full((frames, count), self.end, jnp.int32),
            "stacks": [jnp.zeros((frames, count, *shape), dtype) for dtype, shape in self.slots.kinds],
            "failed": jnp.zeros(count, bool),
            "deepest": jnp.zeros((), jnp.int32),
            "steps": jnp.zeros((), jnp.int32),
        }

    def _registers(self) -> dict[Key, tuple[Any, tuple[int, ...]]]:
        found: dict[Key, tuple[Any, tuple[int, ...]]] = {}
        for step in self.steps:
            for param in step.params:
                found[(step.name, param.name)] = _kind(param.type)
        for typed in self.program.functions.values():
            for place, leaf in enumerate([] if typed.result is None else leaves(typed.result)):
                found[_result_key(place, leaf)] = _kind(leaf.type)
        return found

    def waits(self, state: dict[str, Any]) -> Array:
        """Whether there is anything left to do (and the stacks have held)."""
        return (jnp.min(state["pc"]) < self.end) & (state["deepest"] < max(state["back"].shape[0], 1))

    def advance(self, state: dict[str, Any]) -> dict[str, Any]:
        """Run the first block where lanes wait; nothing happens when there is none."""
        lanes = jnp.arange(state["pc"].shape[0])
        top = [stack[state["sp"], lanes] for stack in state["stacks"]]
        which = jnp.minimum(jnp.min(state["pc"]), self.end - 1)
        registers, pc, failed, push, saved, pop = jax.lax.switch(
            which, self.blocks, state["registers"], state["pc"], top, state["failed"]
        )
        sp, frames = state["sp"], state["back"].shape[0]
        pushed = push >= 0
        at = jnp.minimum(sp, frames - 1)
        back = state["back"].at[at, lanes].set(jnp.where(pushed, push, state["back"][at, lanes]))
        stacks = [
            stack.at[at, lanes].set(_where(pushed, value, stack[at, lanes]))
            for stack, value in zip(state["stacks"], saved, strict=True)
        ]
        below = jnp.maximum(sp - 1, 0)
        pc = jnp.where(pop, jnp.where(sp > 0, back[below, lanes], self.end), pc)
        sp = jnp.where(pop, below, jnp.where(pushed, sp + 1, sp))
        return {
            "registers": registers,
            "pc": pc,
            "sp": jnp.minimum(sp, frames - 1),
            "back": back,
            "stacks": stacks,
            "failed": failed,
            "deepest": jnp.maximum(state["deepest"], jnp.max(sp)),
            "steps": state["steps"] + 1,
        }

    def finished(self, state: dict[str, Any]) -> list[Array]:
        """The results of all lanes."""
        return [state["registers"][_text(_result_key(place, leaf))] for place, leaf in enumerate(self.results)]

    # ---- blocks --------------------------------------------------------------------------------------------------

    def _block(self, step: Step) -> Callable[..., Any]:
        """A block for all lanes: new registers and places, failures, what is pushed, who returns."""
        number = self.number[step.name]
        site = self.after.get(step.name)
        saved_names = (
            {}
            if site is None
            else dict(zip((lane.name for lane in site.saved), self.slots.of_site[site.number], strict=True))
        )
        results = [] if site is None else [p for p in step.params if p.name not in saved_names]

        def one(lane: Array, *values: Array) -> tuple[Any, Array]:
            del lane
            env = {param.name: value for param, value in zip(step.params, values, strict=True)}
            failed = jnp.full((), isinstance(step.exit, Raise))
            for op in step.ops:
                failed = failed | compute(op, env)
            return self._leaving(step, env), failed

        def run(registers: dict[str, Array], pc: Array, top: list[Array], failed: Array) -> Any:
            here = pc == number
            somebody = jnp.argmax(here)
            given: list[Array] = []
            for param in step.params:
                if param.name in saved_names:
                    value = top[saved_names[param.name]].astype(jax_dtype(param.type.dtype))
                elif site is not None:
                    value = registers[_text(_result_key(results.index(param), param))]
                else:
                    value = registers[_text((step.name, param.name))]
                given.append(_where(here, value, value[somebody]))
            (written, target, push, saved, pop), bad = jax.vmap(one)(jnp.arange(len(pc)), *given)
            good = here & ~bad
            updated = dict(registers)
            for key, value in written.items():
                updated[key] = _where(good & _goes(key, target, self), value, registers[key])
            pc = jnp.where(good, target, jnp.where(here, self.end, pc))
            slots = [
                saved.get(str(slot), jnp.zeros((len(pc), *shape), dtype)).astype(dtype)
                for slot, (dtype, shape) in enumerate(self.slots.kinds)
            ]
            return updated, pc, failed | (here & bad), jnp.where(good, push, -1), slots, good & pop

        return run

    def _leaving(self, step: Step, env: dict[str, Array]) -> Any:
        """What a lane writes, where it goes, what it pushes, whether it returns."""
        last = step.exit
        none, no = jnp.full((), -1, jnp.int32), jnp.zeros((), bool)
        if isinstance(last, Jump):
            return self._written(last, env), self._to(last.block), none, {}, no
        if isinstance(last, Branch):
            one, two = self._written(last.true, env), self._written(last.false, env)
            condition = env[last.condition.name]
            both = {key: _choice(condition, one.get(key), two.get(key)) for key in {**one, **two}}
            return both, jnp.where(condition, self._to(last.true.block), self._to(last.false.block)), none, {}, no
        if isinstance(last, Return):
            kinds = leaves(self.program.functions[step.function].result)  # type: ignore[reportArgumentType]
            written = {
                _text(_result_key(place, leaf)): operand(value, env, leaf.type)
                for place, (value, leaf) in enumerate(zip(last.values, kinds, strict=True))
            }
            return written, jnp.full((), self.end, jnp.int32), none, {}, ~no
        if isinstance(last, Raise):
            return {}, jnp.full((), self.end, jnp.int32), none, {}, no
        callee = last.site.callee if isinstance(last, Call) else last.callee
        entry = self.program.entries[callee]
        params = self.program.functions[callee].parameters
        moves = tuple(Move(param, value) for param, value in zip(params, last.args, strict=True))
        written = self._written(Jump(entry, moves), env)
        if isinstance(last, TailCall):
            return written, self._to(entry), none, {}, no
        slots = self.slots.of_site[last.site.number]
        saved = {
            str(slot): operand(value, env, lane.type)
            for slot, value, lane in zip(slots, last.saved, last.site.saved, strict=True)
        }
        return written, self._to(entry), self._to(last.site.after), saved, no

    def _written(self, jump: Jump, env: dict[str, Array]) -> dict[str, Array]:
        wanted = {param.name for param in self.program.steps[jump.block].params}
        return {
            _text((jump.block, move.target.name)): operand(move.value, env, move.target.type)
            for move in jump.moves
            if move.target.name in wanted
        }

    def _to(self, block: str) -> Array:
        return jnp.full((), self.number[block], jnp.int32)


def _goes(key: str, target: Array, machine: JaxMachine) -> Array | bool:
    """Only lanes that go to a block write what it reads."""
    block = key.rpartition("|")[0]
    return target == machine.number[block] if block in machine.number else True


def _choice(condition: Array, one: Array | None, two: Array | None) -> Array:
    if one is None or two is None:
        found = one if one is not None else two
        assert found is not None
        return found
    return jnp.where(condition, one, two)


def _where(mask: Array, one: Array, two: Array) -> Array:
    return jnp.where(mask.reshape(mask.shape + (1,) * (one.ndim - mask.ndim)), one, two)


def _kind(kind: TensorType) -> tuple[Any, tuple[int, ...]]:
    return jax_dtype(kind.dtype), kind.shape


def _result_key(place: int, leaf: Lane) -> Key:
    return ("result", place, str(np.dtype(jax_dtype(leaf.type.dtype))), str(leaf.type.shape))


def _text(key: Key) -> str:
    return "|".join(map(str, key))


def _slots(program: Lowered) -> Slots:
    kinds: list[tuple[Any, tuple[int, ...]]] = []
    of_site: dict[int, tuple[int, ...]] = {}
    for site in program.sites:
        taken: list[int] = []
        for lane in site.saved:
            kind = _kind(lane.type)
            free = [slot for slot, other in enumerate(kinds) if other == kind and slot not in taken]
            if not free:
                kinds.append(kind)
                free = [len(kinds) - 1]
            taken.append(free[0])
        of_site[site.number] = tuple(taken)
    return Slots(tuple(kinds), of_site)
