"""`Graph`: functions whose outputs are handed to other functions."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

from operator_lib import options, tree
from operator_lib.core import Operator
from operator_lib.errors import NotFound
from operator_lib.graph.flow import Flow
from operator_lib.graph.topology import OfOperator, Topology, as_operator, name_of, signature
from operator_lib.graph.values import Map

if TYPE_CHECKING:
    from operator_lib.engine.events import Event
    from operator_lib.engine.run import Run


class Graph(Operator):
    """Functions strung together: every output goes to the functions that come next.

    >>> from operator_lib import operator
    >>> @operator(accumulate=int)
    ... def add(total: int, x: int) -> int:
    ...     return total + x
    >>> @operator(next=add)
    ... def square(x: int) -> int:
    ...     return x * x
    >>> @operator(next=square)
    ... def count(n: int) -> list[int]:
    ...     return list(range(n))
    >>> Graph("squares", start_node=count)(4)
    14

    Edges come from the option ``next`` of the functions and from `add_edge`. See docs/guides/graphs.md for what happens
    along them.

    Args:
        name: of the graph: letters, digits and ``!_-.*'()``.
        start_node: the function that is called with what the graph is called with.
        tags: words to words, for people.
        version: in words, for people; the worker numbers versions itself.
        retries: for the functions that say nothing about retries themselves.

    Raises:
        OptionError: the name or the retries are none.
        TypeError: something is not a function.
        ValueError: two functions have one name.
    """

    def __init__(
        self,
        name: str,
        start_node: Any,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        version: str | None = None,
        retries: Any = None,
    ) -> None:
        said = options.Options.parse("Graph", name=name, description=description, retries=retries)
        self.name = name
        self.description = said.description
        self.tags = dict(tags or {})
        self.version = version
        self.retries = said.retries
        self.functions: dict[str, Operator] = {}
        self._edges: dict[tuple[str, str], None] = {}  # in the order of declaration
        self.__dict__["__name__"] = name  # what messages and pictures call it
        self._given: dict[int, tuple[Any, str]] = {}  # classes and functions that operators were made of
        self._topology: Topology | None = None
        self.start = self._add(start_node)

    @property
    def edges(self) -> dict[str, list[str]]:
        """What follows each function that something follows."""
        found: dict[str, list[str]] = {}
        for source, target in self._edges:
            found.setdefault(source, []).append(target)
        return found

    # --- building ------------------------------------------------------------------------------------------------

    def add_node(self, function: Any) -> Graph:
        """Take a function in, and those that its `next` names. Returns self."""
        self._add(function)
        return self

    def add_edge(self, source: Any, target: Any) -> Graph:
        """Outputs of `source` go to `target`, too. Returns self."""
        return self.add_edges(source, [target])

    def add_edges(self, source: Any, targets: Sequence[Any]) -> Graph:
        """Outputs of `source` go to each of `targets`, too. Returns self."""
        name = self._add(source)
        for target in targets:
            self._connect(name, self._add(target))
        return self

    def _connect(self, source: str, target: str) -> None:
        self._edges[source, target] = None
        self._topology = None

    def _add(self, function: Any) -> str:
        """The name of a function in this graph, which holds it from now on, with all that follows it."""
        name = self._known(function)
        if name is not None:
            return name
        name = self._take(function)
        todo = [name]
        while todo:  # no recursion: a chain may be long
            source = todo.pop()
            for successor in getattr(options.of(self.functions[source]), "next", ()):
                target = self._known(successor)
                if target is None:
                    target = self._take(successor)
                    todo.append(target)
                self._connect(source, target)
        return name

    def _known(self, function: Any) -> str | None:
        if isinstance(function, str):
            if function not in self.functions:
                raise ValueError(f"graph {self.name} has no function {function!r}; it has {', '.join(self.functions)}")
            return function
        name = name_of(function)
        taken = self.functions.get(name) is function or self._given.get(id(function), (None, ""))[1] == name
        return name if taken else None

    def _take(self, function: Any) -> str:
        op, name = self._made(function), name_of(function)
        if name in self.functions:
            raise ValueError(
                f"graph {self.name} has two functions called {name!r}; give one another name, as with "
                f"operator(name=...) or with_options(name=...)"
            )
        self.functions[name] = op
        if op is not function:
            self._given[id(function)] = function, name
        self._topology = None
        return name

    def _made(self, function: Any) -> Operator:
        """The operator that stands in this graph for what was given."""
        return as_operator(function)

    def check(self) -> Topology:
        """Make sure that it can run.

        Raises:
            ValueError: a cycle, or functions that cannot be reached; all mistakes at once.
        """
        if self._topology is None:
            try:
                facts = {name: OfOperator(op) for name, op in self.functions.items()}
                self._topology = Topology(facts, list(self._edges), self.start)
            except ValueError as problem:
                raise ValueError(f"graph {self.name}: {problem}") from None
        return self._topology

    def _operator_checked(self) -> Topology:
        """`check`, for the library itself: the name is the user's in a subclass."""
        return Graph.check(self)

    def __getstate__(self) -> dict[str, Any]:
        apart = {"functions": dict(self.functions), "_edges": dict(self._edges)}
        return {**self.__dict__, **apart, "_topology": None, "_given": {}}

    # --- calling -------------------------------------------------------------------------------------------------

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run it on the arguments of the start node.

        Returns:
            What came out at the end, of the functions that nothing follows: the output of the one that ran; a list of
            its outputs, in the order of the inputs, when it ran for the items of a list or more than once; a dict by
            function when several ran; None when none did.
        """
        topology = self._operator_checked()
        self.bind(args, kwargs)
        return Flow(self, topology).run(args, kwargs)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        """The arguments as the start node takes them.

        Raises:
            TypeError: they do not fit.
        """
        taken = signature(self.functions[self.start])
        try:
            return taken.bind(*args, **kwargs)
        except TypeError as problem:
            names = ", ".join(str(p.replace(annotation=p.empty)) for p in taken.parameters.values())
            raise TypeError(f"graph {self.name} takes what {self.start}({names}) takes: {problem}") from None

    def submit(self, /, *args: Any, **kwargs: Any) -> Run:
        """`Operator.submit`; the arguments are checked before anything starts."""
        self._operator_checked()
        self.bind(args, kwargs)
        return super().submit(*args, **kwargs)

    def run(self, block_until_done: bool = False, **inputs: Any) -> Run:
        """Start a run on the arguments of the start node; with `block_until_done` it has ended when this returns."""
        run = self.submit(**inputs)
        if block_until_done:
            wait([run])
        return run

    def output(self, run: Run, function: Any) -> list[Any]:
        """The outputs of one function in a run, one for each time it was called, in the order of the inputs.

        Raises:
            NotFound: the graph has no such function.
            NotReady: the run has not ended.
        """
        name = function if isinstance(function, str) else name_of(function)
        if name not in self.functions:
            raise NotFound(f"graph {self.name} has no function {name!r}; it has {', '.join(self.functions)}")
        return run.output(name)

    def stream(self, **inputs: Any) -> Generator[Event, None, Run]:
        """Start a run and follow what happens in it, see `Run.events`. The generator returns the run."""
        run = self.submit(**inputs)
        yield from run.events()
        return run

    def deploy(self, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # of an instance only
        """`Operator.deploy`; a graph that cannot run is refused here."""
        self._operator_checked()
        return super().deploy(*args, **kwargs)

    def dag(self) -> Any:  # type: ignore[override]  # of an instance only
        self._operator_checked()
        return super().dag()

    def _operator_named(self) -> Mapping[str, Operator]:
        """Its children in the tree: they go by the names of the functions."""
        return self.functions

    def _operator_start(self) -> Operator:
        """Where the user's code begins: that file's folder travels, and files are named from there."""
        return self.functions[self.start]

    def _operator_called(self) -> Callable[..., Any]:
        """A function with the signature that callers of this graph see: that of the start node."""
        op = self.functions[self.start]
        function = tree.called(op)

        @functools.wraps(function)
        def start_node(*args: Any, **kwargs: Any) -> Any:
            return self(*args, **kwargs)

        seen = signature(op).replace(return_annotation=inspect.Signature.empty)
        start_node.__signature__ = seen  # type: ignore[attr-defined]
        start_node.__annotations__ = {
            name: hint for name, hint in inspect.get_annotations(function).items() if name in seen.parameters
        }
        return start_node

    # --- what flows along the edges ------------------------------------------------------------------------------

    def spread(self, output: Any) -> tuple[list[Any], bool]:
        """The values that the successors are called with, and whether they are the items of one output."""
        if isinstance(output, Map):
            return output.items, True
        return (output, True) if isinstance(output, list) else ([output], False)

    def items(self, values: list[Any]) -> list[Any]:
        """What a reducer is called with for values."""
        return values

    def arguments(self, op: Operator, value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """With which arguments a function is called for a value."""
        return (value,), {}
