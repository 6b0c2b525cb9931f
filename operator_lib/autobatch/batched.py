"""A function that runs on whole batches."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any

from operator_lib.autobatch import asked
from operator_lib.autobatch.arguments import Reader, example, gathered, results
from operator_lib.autobatch.backends.choice import Backend, chosen
from operator_lib.autobatch.errors import lane_error
from operator_lib.autobatch.instructions import TensorType, Type
from operator_lib.autobatch.quick import Quick
from operator_lib.autobatch.stats import Stats
from operator_lib.autobatch.typing.values import Const, Value, signature

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.context import Context

OWN_KEYWORDS = ("dry_run", "stackless", "max_stack_depth", "backend", "block_code_cache")
DEFAULT_DEPTH = 15
_single: ContextVar[bool] = ContextVar("autobatch_single", default=False)


def plainly(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    """The plain function for one example; batched functions that it calls are plain, too."""
    token = _single.set(True)
    try:
        return function(**given)
    finally:
        _single.reset(token)


class BatchedFunction:
    """Calls the function on every example of a batch; made by `Context.batch`.

    All arguments have one more axis in front, of equal size or 1; numbers are broadcast. So has the result. Keyword
    arguments besides the function's own: ``dry_run`` (run the plain function, example by example), ``stackless`` (run
    calls on Python's stack), ``max_stack_depth`` (frames of one lane, 15; None: no limit), ``backend``,
    ``block_code_cache`` (accepted; compiled code is kept in the context, and is shared safely).
    """

    def __init__(
        self,
        context: Context,
        function: types.FunctionType,
        type_inference: Callable[[list[Any]], Any] | None,
        taken: list[str],
        options: dict[str, Any] | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.context, self.single, self.type_inference = context, function, type_inference
        self._last: Stats | None = None
        self._quick = Quick()
        self._taken = frozenset(taken)
        self._options = options or {}
        self._signature = inspect.signature(function)

    def options(self, **defaults: Any) -> BatchedFunction:
        """The same function with other defaults for ``dry_run``, ``stackless``, ``max_stack_depth``, ``backend``,
        ``strategy``, ``lanes`` and ``schedule``; also the way for a function with a parameter of one of these names."""
        known = {*OWN_KEYWORDS, "strategy", "lanes", "schedule"}
        unknown = sorted(set(defaults) - known)
        if unknown:
            raise TypeError(f"unknown option {unknown[0]!r}; there are {', '.join(sorted(known))}")
        for name, value in defaults.items():
            asked.check(name, value)
        merged = {**self._options, **defaults}
        return BatchedFunction(self.context, self.single, self.type_inference, list(self._taken), merged)

    @property
    def last_stats(self) -> Stats | None:
        """What the last call did; None before the first."""
        took = self._quick.took
        if took is not None:
            self._last, self._quick.took = Stats(*took), None
        return self._last

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if _single.get():
            return self.single(*args, **keywords)
        if not keywords:
            found = self._quick.run(args)
            if found is not None:
                return found
        simple = not keywords
        option = dict(self._options)
        for name in OWN_KEYWORDS:
            if name in keywords and name not in self._taken:
                option[name] = keywords.pop(name)
                asked.check(name, option[name])
        bound = self._bound(args, keywords)
        if option.get("dry_run"):
            return self._dry(bound)
        reader = Reader()
        given = {name: reader.read(value, name) for name, value in bound.items()}
        values = self._ordered({**given, **self._defaults(bound)})
        backend = chosen(option.get("backend") or self.context.backend, [leaf.array for leaf in reader.leaves])
        with backend.scope(reader.leaves):
            key = tuple(signature(value) for value in values.values())
            compiled = self.context.compiled(self, values, key, backend)
            return self._run(compiled, reader, backend, option, simple=simple)

    def _bound(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        return dict(self._signature.bind(*args, **keywords).arguments)

    def _defaults(self, bound: dict[str, Any]) -> dict[str, Value]:
        parameters = self._signature.parameters.values()
        return {p.name: Const(p.default) for p in parameters if p.name not in bound}

    def _ordered(self, values: dict[str, Value]) -> dict[str, Value]:
        return {name: values[name] for name in self._signature.parameters}

    def _run(
        self, compiled: Compiled, reader: Reader, backend: Backend, option: dict[str, Any], *, simple: bool
    ) -> Any:
        from operator_lib.autobatch.compiled import listings
        from operator_lib.autobatch.running import run

        count = reader.count()
        started = perf_counter()
        outcome = run(self.context, compiled, reader.leaves, count, backend, option)
        seconds = perf_counter() - started
        if simple and outcome.settled and outcome.strategy in ("native", "loop"):
            first = list(self._signature.parameters)[: len(reader.leaves)]
            if [leaf.path for leaf in reader.leaves] == first:
                limit = option.get("max_stack_depth", DEFAULT_DEPTH)
                free = option.get("strategy", self.context.strategy) == "auto" and backend.name != "native"
                self._quick.keep(compiled, reader.leaves, count, outcome.strategy, limit, free=free)
        shown = listings(compiled) if outcome.blocks else ()
        frames = (outcome.peak_frames, outcome.live_frames)
        self._quick.took = None
        self._last = Stats(outcome.strategy, backend.name, count, seconds, outcome.blocks, *frames, shown)
        assert compiled.main.result is not None
        found = results(compiled.main.result, iter(outcome.columns), lambda value: outcome.full(value, count))
        if outcome.failed:
            raise lane_error(outcome.failed, found)
        return found

    def _dry(self, bound: dict[str, Any]) -> Any:
        """The plain function, one example after the other."""
        reader = Reader()
        for name, value in bound.items():
            reader.read(value, name)
        token = _single.set(True)
        found: list[Any] = []
        try:
            for place in range(reader.count()):
                found.append(self.single(**{name: example(value, place) for name, value in bound.items()}))
        finally:
            _single.reset(token)
        if not found:
            raise ValueError("dry_run of an empty batch: there is no example to run")
        return gathered(found)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<batched {self.single.__qualname__}>"

    # ---- looking inside ------------------------------------------------------------------------------------------

    def compiled_for(self, *args: Any, **keywords: Any) -> Compiled:
        """The program for arguments like these."""
        bound = self._bound(args, keywords)
        reader = Reader()
        values = self._ordered({**{n: reader.read(v, n) for n, v in bound.items()}, **self._defaults(bound)})
        backend = chosen(self._options.get("backend") or self.context.backend, [leaf.array for leaf in reader.leaves])
        with backend.scope(reader.leaves):
            return self.context.compiled(self, values, tuple(signature(v) for v in values.values()), backend)

    def explain(self, *args: Any, **keywords: Any) -> str:
        """The program for arguments like these, as text: blocks, variables, where they live, source lines."""
        from operator_lib.autobatch.explain import explained

        return explained(self.compiled_for(*args, **keywords))

    def tune(self, *args: Any, seconds: float = 2.0) -> float:
        """`Context.tune` for this function."""
        return self.context.tune(self.single.__name__, *args, seconds=seconds)

    def check_types(self, arguments: dict[str, Value], compiled: Compiled) -> None:
        """What `type_inference` says must be what was inferred; TypeError when it is not."""
        if self.type_inference is None:
            return
        from operator_lib.autobatch.public import pattern_of

        said = self.type_inference([pattern_of(value) for value in arguments.values() if not isinstance(value, Const)])
        assert compiled.main.result is not None
        _same_types(self.single.__name__, said, pattern_of(compiled.main.result), "")


def _same_types(name: str, said: Any, found: Any, path: str) -> None:
    if isinstance(said, TensorType):
        if isinstance(found, TensorType) and said.shape == found.shape and _agree(said, found):
            return
        raise TypeError(f"type_inference of {name} says{path} {said}, but the function returns {_words(found)}")
    if isinstance(said, Type):
        _same_types(name, said.tensors, found, path)
        return
    if isinstance(said, list) and len(said) == 1 and isinstance(found, TensorType):
        said = said[0]  # a list of what is returned, as the types of arguments are
        _same_types(name, said, found, path)
        return
    if isinstance(said, tuple | list):
        if not isinstance(found, tuple | list) or len(said) != len(found):
            raise TypeError(f"type_inference of {name} says{path} {len(said)} values, not {_words(found)}")
        for number, (one, two) in enumerate(zip(said, found, strict=True)):
            _same_types(name, one, two, f"{path} [{number}]")
        return
    raise TypeError(f"type_inference of {name} must return TensorType, or tuples of them, got {said!r}")


def _agree(said: TensorType, found: TensorType) -> bool:
    """Truth values are numbers, as they are in Python; Python's own numbers have no size."""
    said_kind, kind = said.dtype.kind, found.dtype.kind
    return said.dtype == found.dtype or (found.weak and said_kind == kind) or (kind == "b" and said_kind in "iu")


def _words(found: Any) -> str:
    return str(found) if isinstance(found, TensorType) else f"{len(found)} values" if found is not None else "nothing"
