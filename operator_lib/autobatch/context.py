"""The functions that are batched together, and the programs made of them."""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from operator_lib.autobatch import asked
from operator_lib.autobatch.backends.choice import Backend
from operator_lib.autobatch.batched import OWN_KEYWORDS, BatchedFunction
from operator_lib.autobatch.compiled import Compiled
from operator_lib.autobatch.errors import CompileError
from operator_lib.autobatch.frontend.builder import Place
from operator_lib.autobatch.frontend.code import Code, translate
from operator_lib.autobatch.instructions import Function, Module, Program
from operator_lib.autobatch.public import compiled_program, lowered_program, untyped_function
from operator_lib.autobatch.typing.engine import Engine, WrittenOut
from operator_lib.autobatch.typing.ops import Typed
from operator_lib.autobatch.typing.values import Value

MOST_PROGRAMS = 256


class Context:
    """Functions that may call each other, recursively or not, and run on whole batches.

    Args:
        backend: where programs run: `NumpyBackend()`, ...; None follows the arguments.
        strategy: ``"auto"``, ``"program_counter"``, ``"stackless"``, ``"native"`` (lane by lane, compiled by Numba)
            or ``"loop"`` (lane by lane in Python).
        lanes: how many examples run at the same time; a finished one makes room for the next. None: all.
        schedule: which block runs next: ``"source"`` (first in the source) or ``"most"`` (most lanes wait).
        strict: integers that leave their type, and division by zero, raise and name lane and line.

    >>> import numpy as np
    >>> ctx = Context()
    >>> @ctx.batch
    ... def fib(n):
    ...     return n if n < 2 else fib(n - 1) + fib(n - 2)
    >>> fib(np.array([3, 9]))
    array([ 2, 34])
    """

    def __init__(
        self,
        *,
        backend: Backend | None = None,
        strategy: str = "auto",
        schedule: str = "source",
        lanes: int | None = None,
        strict: bool = False,
    ) -> None:
        for option, value in (("strategy", strategy), ("schedule", schedule), ("lanes", lanes)):
            asked.check(option, value)
        self.backend, self.strategy, self.schedule, self.lanes, self.strict = backend, strategy, schedule, lanes, strict
        self._functions: dict[str, BatchedFunction] = {}
        self._codes: dict[Any, Code] = {}
        self._programs: OrderedDict[Any, Compiled] = OrderedDict()
        self._lock = threading.RLock()

    def batch(self, function: Any = None, /, *, type_inference: Any = None) -> Any:
        """Decorate a function: ``@ctx.batch``, ``@ctx.batch()`` or ``@ctx.batch(type_inference=f)``.

        Args:
            type_inference: gets the list of argument types and says the type of the result. Not needed: types are
                inferred; what it says is checked. See `instructions.TensorType`.

        Raises:
            ValueError: the function cannot be batched (a `CompileError` says where), or its name is taken.
        """
        if function is not None and getattr(function, "__name__", "") != "<lambda>":
            return self.batch_uncurried(function, type_inference)
        # ctx.batch(lambda args: ...): the types, by position
        return functools.partial(self.batch_uncurried, type_inference=type_inference or function)

    def batch_uncurried(self, function: Any, type_inference: Any = None) -> BatchedFunction:
        """`batch` as a plain function of two arguments."""
        plain = _plain_function(function)
        if plain.__name__ in self._functions:
            raise ValueError(f"Cannot auto-batch the same-named function {plain.__name__} twice in the same `Context`.")
        code = self.translate(plain)
        taken = [name for name in OWN_KEYWORDS if name in code.signature.parameters]
        made = BatchedFunction(self, plain, type_inference, taken)
        with self._lock:
            self._functions[plain.__name__] = made
            self._programs.clear()
        return made

    def function_names(self) -> list[str]:
        """Names of the decorated functions, in the order of decoration."""
        return list(self._functions)

    def module(self) -> Module:
        """All decorated functions as blocks of instructions, without types."""
        functions: dict[str, Function] = {}
        for name, batched in self._functions.items():
            functions[name] = untyped_function(self.translate(batched.single), self, batched.type_inference)
        return Module(functions)

    def program(self, main: Any) -> Program:
        """The program that begins with `main` (name or function); ValueError when it was not decorated here."""
        return self.module().program(_name(main))

    def program_compiled(self, main: Any, sig: Sequence[Any] | None = None, backend: Backend | None = None) -> Program:
        """The program with types, for the stackless machine; without `sig` or `backend`, without types."""
        program = self.program(main)
        if sig is None or backend is None:
            return program
        return compiled_program(program, self._for_signature(program.main, sig, backend))

    def program_lowered(self, main: Any, sig: Sequence[Any] | None = None, backend: Backend | None = None) -> Program:
        """The program with types in which calls are jumps; without `sig` or `backend`, without types."""
        program = self.program(main)
        if sig is None or backend is None:
            return program
        return lowered_program(program, self._for_signature(program.main, sig, backend))

    def lowered_for_args(self, name: Any, args: Sequence[Any], backend: Backend) -> Program:
        """`program_lowered` for the types of these (batched) arguments."""
        from operator_lib.autobatch.public import signature_of

        return self.program_lowered(name, signature_of(args), backend)

    def tune(self, main: Any, *args: Any, seconds: float = 2.0) -> float:
        """Look for an order of blocks that needs fewer steps for examples like these, and keep it.

        Gives the steps that it needs over those in source order: 0.8 is a fifth less.
        """
        from operator_lib.autobatch.tuning import tune

        return tune(self._functions[_name(main)], args, seconds)

    # ---- for the functions ---------------------------------------------------------------------------------------

    def translate(self, function: types.FunctionType, rounds: Mapping[Place, int] | None = None) -> Code:
        """Source to blocks, once a function; again with loops written out."""
        with self._lock:
            key = (function, tuple((rounds or {}).items()))
            if key not in self._codes:
                self._codes[key] = translate(function, rounds or {})
            return self._codes[key]

    def registered(self, target: Any) -> types.FunctionType | None:
        """The plain function of what was decorated."""
        if isinstance(target, BatchedFunction):
            return target.single
        return None

    def compiled(self, batched: BatchedFunction, arguments: dict[str, Value], key: Any, backend: Backend) -> Compiled:
        """The program for these types; compiled when it is not known, or when a global that it uses has changed."""
        full = (batched.single, key, backend.key)
        with self._lock:
            found = self._programs.get(full)
            if found is not None and found.holds():
                self._programs.move_to_end(full)
                return found
            engine, main, functions = self._typed(batched.single, arguments, backend)
            made = Compiled(main, functions, engine, arguments)
            batched.check_types(arguments, made)
            self._programs[full] = made
            while len(self._programs) > MOST_PROGRAMS:
                self._programs.popitem(last=False)
            return made

    def _typed(
        self, function: types.FunctionType, arguments: dict[str, Value], backend: Backend
    ) -> tuple[Engine, Typed, list[Typed]]:
        rounds: dict[types.FunctionType, dict[Place, int]] = {}
        while True:
            engine = Engine(
                lambda found: self.translate(found, rounds.get(found)),
                backend.stand_ins(),
                self.registered,
                strict=self.strict,
            )
            try:
                return engine, *engine.program(function, arguments)
            except WrittenOut as loop:
                rounds.setdefault(loop.function, {})[loop.place] = loop.rounds

    def _for_signature(self, main: str, sig: Sequence[Any], backend: Backend) -> Compiled:
        from operator_lib.autobatch.public import values_of

        batched = self._functions[main]
        code = self.translate(batched.single)
        values = values_of(sig, code.parameters, code.signature)
        from operator_lib.autobatch.typing.values import signature

        key = tuple(signature(value) for value in values.values())
        return self.compiled(batched, values, key, backend)


def _plain_function(function: Any) -> types.FunctionType:
    if isinstance(function, BatchedFunction):
        function = function.single
    if not isinstance(function, types.FunctionType):
        raise CompileError(
            f"{function!r} is not a function defined with def",
            hint="Decorate a def; for an operator see operator_lib.autobatch.compile_forward.",
        )
    inspect.signature(function)
    return function


def _name(main: Any) -> str:
    return main if isinstance(main, str) else main.__name__
