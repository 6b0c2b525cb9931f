"""Every way to run a program on a batch: what makes a function from columns to results of it."""

from __future__ import annotations

import importlib.util
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.lanes import by_hand
from benchmarks.peers import lanes

Run = Callable[..., Any]
PROGRAMS = (lanes.fib, lanes.collatz, lanes.newton, lanes.mandelbrot)
SIZES = (1, 10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Way:
    """`make` gives None for a program that cannot be run so."""

    name: str
    make: Callable[[Callable[..., Any]], Run | None]
    needs: str = ""

    def missing(self) -> bool:
        return bool(self.needs) and importlib.util.find_spec(self.needs) is None


def _plain(function: Callable[..., Any]) -> Run:
    return lambda *columns: lanes.plain(function, columns)


def _vectorized(function: Callable[..., Any]) -> Run:
    return np.vectorize(function)


def _masked(function: Callable[..., Any]) -> Run | None:
    return getattr(by_hand, function.__name__, None)


def _numba(function: Callable[..., Any]) -> Run:
    import numba

    names = dict(function.__globals__)
    one = names[function.__name__] = numba.njit(types.FunctionType(function.__code__, names, function.__name__))
    kind = np.float64 if function is lanes.newton else np.int64

    @numba.njit
    def of_one(x: Any) -> Any:
        out = np.empty(len(x), kind)
        for place in range(len(x)):
            out[place] = one(x[place])
        return out

    @numba.njit
    def of_two(x: Any, y: Any) -> Any:
        out = np.empty(len(x), kind)
        for place in range(len(x)):
            out[place] = one(x[place], y[place])
        return out

    return of_two if function is lanes.mandelbrot else of_one


def _vmapped(function: Callable[..., Any]) -> Run | None:
    import jax

    made = by_hand.for_jax().get(function.__name__)
    if made is None:
        return None
    run = jax.jit(jax.vmap(made))

    def wide(*columns: Any) -> Any:
        with jax.enable_x64(True):
            return np.asarray(run(*columns))

    return wide


def _ours(**options: Any) -> Callable[[Callable[..., Any]], Run]:
    def make(function: Callable[..., Any]) -> Run:
        from operator_lib.autobatch import Context

        return Context(**options).batch(function)

    return make


def _without_numba(function: Callable[..., Any]) -> Run:
    from operator_lib.autobatch import Context, NumpyBackend

    return Context(backend=NumpyBackend()).batch(function)


def _on_jax(function: Callable[..., Any]) -> Run:
    from operator_lib.autobatch import Context, JaxBackend

    batched = Context(backend=JaxBackend()).batch(function)
    return lambda *columns: np.asarray(batched(*columns))


WAYS = (
    Way("plain Python loop", _plain),
    Way("`np.vectorize`", _vectorized),
    Way("masked by hand, NumPy", _masked),
    Way("`numba.njit` by hand", _numba, "numba"),
    Way("`jax.vmap`, loops by hand", _vmapped, "jax"),
    Way("**`auto`**", _ours(), "numba"),
    Way("**`auto`**, no Numba", _without_numba),
    Way("`program_counter`", _ours(strategy="program_counter")),
    Way("`stackless`", _ours(strategy="stackless")),
    Way("`loop`", _ours(strategy="loop")),
    Way("`JaxBackend()`", _on_jax, "jax"),
)
