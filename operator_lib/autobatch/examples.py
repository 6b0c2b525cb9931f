"""Calls of one example each, run together: what callers give → columns of lanes → what each of them gets."""

from __future__ import annotations

import enum
import inspect
import sys
import threading
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from operator_lib.autobatch.arguments import WEAK, Leaf, Reader
from operator_lib.autobatch.backends.choice import Backend, chosen
from operator_lib.autobatch.compiled import Compiled
from operator_lib.autobatch.context import Context
from operator_lib.autobatch.errors import CompileError
from operator_lib.autobatch.forward import single_function
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.running import prepared, run
from operator_lib.autobatch.typing.joins import dtype_name
from operator_lib.autobatch.typing.values import Const, Lane, Rec, Tup, Value, filled, leaves, signature

# Sets of texts and other constants for which programs are made; text that is another in each call is not worth it.
MOST_CONSTANTS = 32
Columns = tuple[Sequence[Sequence[Any]], Mapping[str, Sequence[Any]]]


class NotBatched(UserWarning):
    """Calls of a kind are carried out one by one; the message says why."""


class Examples:
    """An operator's function for one example, carried out for several calls at a time.

    What a call gets is what it would have got alone. Where batches cannot promise that, calls are left to be carried
    out by themselves: those that raise, those whose whole numbers leave 64 bits, arguments that are no numbers.

    Raises:
        CompileError: the source of the function cannot be batched at all.
    """

    def __init__(self, operator: Any) -> None:
        function, bound = single_function(operator)
        self._first = (Const(operator),) if bound else ()
        self._batched = Context(strict=True).batch_uncurried(function)
        self._signature = inspect.signature(function)
        self._constants: set[Hashable] = set()
        self._apart: set[Hashable] = set()
        self._ready: set[Hashable] = set()
        self._lock = threading.Lock()

    def kind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
        """Calls of the same kind are carried out together; None for those that are not."""
        try:
            found = tuple(map(_form, args)), tuple((name, _form(kwargs[name])) for name in sorted(kwargs))
        except _Apart:
            return None
        with self._lock:
            if found in self._apart:
                return None
            constants = tuple(_constants(found))
            if constants and constants not in self._constants:
                if len(self._constants) >= MOST_CONSTANTS:
                    return None
                self._constants.add(constants)
        return found

    def prepare(self, kind: Hashable, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Compile for calls of that kind, which may take seconds; whether they can go together. `args`: of one call."""
        if kind is None or kind in self._apart:
            return False
        if kind in self._ready:
            return True
        try:
            compiled, _, backend = self._program(([[value] for value in args], {n: [v] for n, v in kwargs.items()}))
            _check_result(compiled)
            prepared(compiled, backend)
        except Exception as error:  # stand-ins run what the user wrote
            with self._lock:
                self._apart.add(kind)
            warnings.warn(f"calls are carried out one by one: {error}", NotBatched, stacklevel=2)
            return False
        with self._lock:
            self._ready.add(kind)
        return True

    def __call__(self, *args: Sequence[Any], **kwargs: Sequence[Any]) -> list[Any]:
        """What each call gets; an exception for one that is to be carried out by itself.

        Args are lists with what each call gave, all of one `kind`.
        """
        compiled, reader, backend = self._program((args, kwargs))
        count = len(args[0] if args else next(iter(kwargs.values())))
        # As deep as Python would go; what goes deeper is found by carrying it out alone.
        option = {"max_stack_depth": sys.getrecursionlimit()}
        outcome = run(self._batched.context, compiled, reader.leaves, count, backend, option)
        assert compiled.main.result is not None
        kinds = leaves(compiled.main.result)
        cells = [_cells(column, lane.type) for column, lane in zip(outcome.columns, kinds, strict=True)]
        return [
            outcome.failed[place][0]
            if place in outcome.failed
            else filled(compiled.main.result, iter([cell[place] for cell in cells]))
            for place in range(count)
        ]

    def _program(self, columns: Columns) -> tuple[Compiled, Reader, Backend]:
        args, kwargs = columns
        bound = self._signature.bind(*self._first, *args, **kwargs).arguments
        reader = Reader()
        values: dict[str, Value] = {}
        for parameter in self._signature.parameters.values():
            given: Any = bound.get(parameter.name, Const(parameter.default))
            values[parameter.name] = given if isinstance(given, Const) else _joined(reader, given, parameter.name)
        backend = chosen(None, [leaf.array for leaf in reader.leaves])
        key = tuple(signature(value) for value in values.values())
        return self._batched.context.compiled(self._batched, values, key, backend), reader, backend


class _Apart(Exception):
    """The arguments cannot be joined with those of other calls."""


def _form(value: Any) -> Hashable:
    """What two calls must share to be joined."""
    kind = type(value)
    if kind is int and value.bit_length() > 63:
        raise _Apart
    if kind in WEAK:
        return kind
    if isinstance(value, tuple):
        return (kind, *map(_form, value))
    if kind is dict:
        return ("dict", *((key, _form(item)) for key, item in value.items()))
    if value is None or isinstance(value, str | enum.Enum):
        return ("constant", kind, value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None or dtype_name(dtype).kind not in "biufc":
        raise _Apart
    return (kind, str(dtype), tuple(shape))


def _constants(form: Any) -> Iterator[Hashable]:
    if isinstance(form, tuple):
        if form and form[0] == "constant":
            yield form
        for item in form:
            yield from _constants(item)


def _joined(reader: Reader, values: Sequence[Any], path: str) -> Value:
    """Values of one form as one value with a batch axis."""
    first = values[0]
    kind = type(first)
    if kind in WEAK:
        return _leaf(reader, path, np.array(values, WEAK[kind].dtype), WEAK[kind])
    if isinstance(first, tuple):
        items = [_joined(reader, [v[n] for v in values], f"{path}[{n}]") for n in range(len(first))]
        return Tup(tuple(items), kind)
    if kind is dict:
        pairs = [(key, _joined(reader, [v[key] for v in values], f"{path}[{key!r}]")) for key in first]
        return Rec(tuple(pairs))
    if not hasattr(first, "dtype"):
        return Const(first)
    module: Any = np if isinstance(first, np.generic | np.ndarray) else sys.modules[kind.__module__.partition(".")[0]]
    array = module.stack(values)
    return _leaf(reader, path, array, TensorType(dtype_name(array.dtype), tuple(map(int, array.shape[1:]))))


def _leaf(reader: Reader, path: str, array: Any, kind: TensorType) -> Lane:
    reader.leaves.append(Leaf(path, array, kind))
    return Lane(kind, path)


def _cells(column: Any, kind: TensorType) -> Sequence[Any]:
    """Its rows as the function would have returned them, each with memory of its own."""
    if kind.weak and not kind.shape:
        return column.tolist()
    if not kind.shape and isinstance(column, np.ndarray):
        return list(column)
    return [
        row.copy() if isinstance(row, np.ndarray) else row.clone() if hasattr(row, "clone") else row for row in column
    ]


def _check_result(compiled: Compiled) -> None:
    """CompileError when the result is nothing that can be handed to each caller."""

    def known(value: Value) -> bool:
        if isinstance(value, Tup):
            return (value.kind in (tuple, list) or hasattr(value.kind, "_fields")) and all(map(known, value.items))
        if isinstance(value, Rec):
            return all(known(item) for _, item in value.items)
        return isinstance(value, Lane | Const)

    if compiled.main.result is None or not known(compiled.main.result):
        raise CompileError(f"{compiled.main.code.name} returns what has no rows: a view, or a method")
