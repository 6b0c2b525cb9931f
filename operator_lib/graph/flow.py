"""One call of a graph: every value goes on its way as soon as it is there, results keep the order of the inputs.

One thread looks after it, a pool of threads calls the functions. A call that has nothing beside it is made by the one
that looks after it, so that a chain costs no threads. Nothing here is recursive: a graph may be as deep as it likes.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from operator_lib.core import Operator
from operator_lib.engine import outputs, record
from operator_lib.engine.local import settle
from operator_lib.engine.map import DEFAULT_WORKERS
from operator_lib.graph.inside import surroundings
from operator_lib.graph.topology import Topology, name_of
from operator_lib.graph.values import Map, RouteTo

if TYPE_CHECKING:
    from operator_lib.graph.graph import Graph


class Call:
    """One call of one function."""

    __slots__ = ("args", "done", "held", "kwargs", "node", "output", "sent")

    def __init__(
        self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any], held: outputs.InProcess | None
    ) -> None:
        self.node = node
        self.args = args
        self.kwargs = kwargs
        self.output: Any = None
        self.done = False
        # By successor: the calls that its output led to; what waits for others is kept as values.
        self.sent: dict[str, Sequence[Any]] = {}
        # Outputs of the functions of a graph in it, until those of the calls before this one are there.
        self.held = held


class Node:
    """A function during one call of the graph."""

    __slots__ = ("barrier", "calls", "many", "mapped", "name", "op", "open", "waiting")

    def __init__(self, name: str, op: Operator, waiting: int, barrier: bool) -> None:
        self.name = name
        self.op = op
        self.waiting = waiting  # predecessors that may still send something
        self.barrier = barrier  # it starts when everything is there: a reducer, a join
        self.open = 0  # calls that are not done
        self.calls: list[Call] = []  # in the order of the inputs, once nothing more can come
        self.many = False  # it is called for the items of a list
        self.mapped: set[str] = set()  # successors that were sent the items of a list


class Flow:
    """One call of a graph."""

    def __init__(self, graph: Graph, topology: Topology) -> None:
        self.graph = graph
        self.topology = topology
        barriers = topology.reducers | topology.joins
        self.nodes = {
            name: Node(name, graph.functions[name], len(topology.before[name]), name in barriers)
            for name in topology.order
        }
        self.ready: deque[Call] = deque()
        self.finished: SimpleQueue[tuple[Call, Any, BaseException | None]] = SimpleQueue()
        self.failure: BaseException | None = None
        self.kept = outputs.Outputs(topology.order)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the start node, and what follows; what came out at the end."""
        first = self.nodes[self.topology.start]
        first.calls = [self._call(first, args, kwargs)]
        around = surroundings(self.graph)
        with record.listening(), ExitStack() as stack:
            try:
                self._drive(stack, around)
            finally:
                self._keep_rest()
        if self.failure is not None:
            raise self.failure
        return self._result()

    # --- calling -------------------------------------------------------------------------------------------------

    def _call(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        call = Call(node, args, kwargs, outputs.InProcess() if self.kept.wanted else None)
        node.open += 1
        self.ready.append(call)
        return call

    def _drive(self, stack: ExitStack, around: contextvars.Context) -> None:
        """Until nothing is left to do; after a failure nothing new is begun."""
        running, pool = 0, None
        alone = asyncio._get_running_loop() is None  # pyright: ignore[reportPrivateUsage]  # else: see `settle`
        while True:
            while self.ready and self.failure is None and running < 2 * DEFAULT_WORKERS:
                call = self.ready.popleft()
                if alone and not running and not self.ready:
                    self._take(*around.copy().run(_made, call))
                else:
                    pool = pool or stack.enter_context(ThreadPoolExecutor(DEFAULT_WORKERS, "operator-graph"))
                    pool.submit(around.copy().run, self._work, call)
                    running += 1
            if not running:
                return
            self._take(*self.finished.get())
            running -= 1

    def _work(self, call: Call) -> None:
        self.finished.put(_made(call))

    def _take(self, call: Call, output: Any, error: BaseException | None) -> None:
        """A call is over: its output goes on."""
        node, call.args, call.kwargs = call.node, (), {}
        if error is None:
            try:
                self._hand_on(call, output)
            except Exception as problem:
                error = problem
        if error is not None:
            self.failure = self.failure or error
            return
        node.open -= 1
        if not node.open and not node.waiting:
            self._shut(node)

    # --- along the edges -----------------------------------------------------------------------------------------

    def _hand_on(self, call: Call, output: Any) -> None:
        node = call.node
        targets: Sequence[str] = self.topology.after[node.name]
        if isinstance(output, RouteTo):
            targets, output = self._routed(node, output), output.value
        call.output, call.done = output.items if isinstance(output, Map) else output, True
        if not targets:
            return
        values, mapped = self.graph.spread(output)
        for name in targets:
            if mapped:
                node.mapped.add(name)
            target = self.nodes[name]
            if target.barrier:
                call.sent[name] = values
            else:
                call.sent[name] = [self._call(target, *self.graph.arguments(target.op, value)) for value in values]

    def _routed(self, node: Node, chosen: RouteTo[Any, Any]) -> list[str]:
        declared = self.topology.after[node.name]
        names = [target if isinstance(target, str) else name_of(target) for target in chosen.targets]
        for name in names:
            if name not in declared:
                known = ", ".join(declared) or "nothing"
                raise ValueError(
                    f"{node.name} routes to {name!r}, which does not follow it in graph {self.graph.name}; "
                    f"what follows: {known}. Name it in next= or add an edge"
                )
        return list(dict.fromkeys(names))

    def _shut(self, node: Node) -> None:
        """Nothing more can come to a node, nor from it: those that wait for that go on."""
        todo = [node]
        while todo:
            done = todo.pop()
            self._order(done)
            self._keep(done, done.calls)
            for name in self.topology.after[done.name]:
                target = self.nodes[name]
                target.waiting -= 1
                target.many = target.many or self._many(done.name, target)
                if not target.waiting:
                    if target.barrier:
                        self._gather(target)
                    if not target.open:
                        todo.append(target)

    def _order(self, node: Node) -> None:
        """Its calls, in the order of the inputs. That of the start node, and those of barriers, are known already."""
        if not node.barrier and not node.calls:
            node.calls = list(self._in_order(node))

    def _in_order(self, node: Node) -> Iterator[Any]:
        """What was sent to a node, in the order of the inputs: by predecessor, by its calls, by its items."""
        for name in self.topology.before[node.name]:
            yield from self._from(name, node)

    def _from(self, name: str, node: Node) -> Iterator[Any]:
        for call in self.nodes[name].calls:
            yield from call.sent.get(node.name, ())

    def _gather(self, node: Node) -> None:
        """Everything for a reducer or a join is there."""
        if node.name in self.topology.reducers:
            values = list(self._in_order(node))
            if node.many or values:
                node.calls = [self._call(node, (self.graph.items(values),), {})]
            node.many = False
            return
        node.calls = [self._call(node, row, {}) for row in self._joined(node)]

    def _joined(self, node: Node) -> list[tuple[Any, ...]]:
        """One output of each predecessor for every call; a single one is part of every call."""
        columns = {name: list(self._from(name, node)) for name in self.topology.before[node.name]}
        counts = {name: len(column) for name, column in columns.items() if len(column) > 1 or self._many(name, node)}
        if len(set(counts.values())) > 1:
            words = ", ".join(f"{count} of {name}" for name, count in counts.items())
            self.failure = self.failure or ValueError(
                f"{node.name} joins outputs one by one, and there are not equally many: {words}"
            )
            return []
        rounds = max(counts.values(), default=1)
        rows = [column if name in counts else column * rounds for name, column in columns.items()]
        return list(zip(*rows, strict=True)) if all(rows) else []

    def _many(self, name: str, node: Node) -> bool:
        """Whether a predecessor sends the items of lists."""
        sender = self.nodes[name]
        return sender.many or node.name in sender.mapped

    # --- the end -------------------------------------------------------------------------------------------------

    def _result(self) -> Any:
        found: dict[str, Any] = {}
        for name in self.topology.order:
            node = self.nodes[name]
            if self.topology.after[name]:
                continue
            values = [call.output for call in node.calls]
            if node.many or len(values) > 1:
                found[name] = values
            elif values:
                found[name] = values[0]
        return next(iter(found.values())) if len(found) == 1 else found or None

    def _keep_rest(self) -> None:
        """After a failure: what was finished of functions that were not."""
        if self.failure is None:
            return
        for name in self.topology.order:
            node = self.nodes[name]
            if node.open or node.waiting:
                self._order(node)
                self._keep(node, [call for call in node.calls if call.done or call.held])

    def _keep(self, node: Node, calls: list[Call]) -> None:
        """Outputs of some of the calls of a node, in the order of the inputs."""
        self.kept.put(node.name, [call.output for call in calls if call.done])
        for call in calls:
            if call.held is not None:
                self.kept.take_over(call.held)


def _made(call: Call) -> tuple[Call, Any, BaseException | None]:
    """Call the function; what a generator yields is a `Map`."""
    with outputs.kept_by(call.held) if call.held is not None else nullcontext():
        return _called(call)


def _called(call: Call) -> tuple[Call, Any, BaseException | None]:
    try:
        output = settle(call.node.op(*call.args, **call.kwargs))
        if inspect.isgenerator(output):
            output = Map(output)
        elif inspect.isasyncgen(output):
            output = settle(_collected(output))
    except BaseException as error:
        return call, None, error
    return call, output, None


async def _collected(items: Any) -> Map[Any]:
    return Map([item async for item in items])
