"""What flows along the edges, and what comes out."""

from __future__ import annotations

import pickle
import threading

import pytest
from functions import (
    Around,
    Power,
    awaited,
    both,
    count,
    diamond,
    drawn,
    even,
    fail_for_three,
    odd,
    parity,
    plus_one,
    recall,
    remember,
    routed,
    same,
    square,
    squares,
    times_ten,
    total,
    write_down,
)

from operator_lib import Graph, Map, Operator, Retries, RouteTo, errors, operator


def test_chain() -> None:
    graph = Graph("chain", plus_one).add_edge(plus_one, times_ten)
    assert graph(4) == 50
    assert graph(x=4) == 50


def test_edges_of_next_and_of_add_edge() -> None:
    assert list(squares.functions) == ["count", "square", "total"]
    assert squares.edges == {"count": ["square"], "square": ["total"]}
    again = Graph("again", count).add_edge(count, square)  # declared twice, followed once
    assert again(4) == 14


def test_plain_functions_go_by_their_names() -> None:
    def first(x: int) -> int:
        return x + 1

    def second(x: int) -> int:
        return x * 2

    graph = Graph("plain", first).add_edge(first, second).add_edge(second, abs)
    assert graph(-5) == 8
    assert list(graph.functions) == ["first", "second", "abs"]


def test_map_and_reduce() -> None:
    assert squares(5) == 30
    assert squares(0) == 0  # a reducer of nothing gives its zero value


def test_a_list_at_the_end_stays_a_list() -> None:
    assert Graph("seq", Operator.from_fn(lambda n: [1, 2, 3])).forward(0) == [1, 2, 3]
    assert Graph("mapped", count.with_options(next=plus_one))(3) == [1, 2, 3]
    assert Graph("mapped", count.with_options(next=plus_one))(0) == []


def test_nested_lists_map_again() -> None:
    pairs = operator(lambda n: [[i, -i] for i in range(n)], name="pairs")
    graph = Graph("nested", pairs).add_edge(pairs, same).add_edge(same, plus_one)
    assert graph(3) == [1, 1, 2, 0, 3, -1]


def test_map_says_what_a_list_says_and_a_generator_too() -> None:
    explicit = operator(lambda n: Map(i for i in range(n)), name="explicit")
    assert Graph("g", explicit).add_edge(explicit, plus_one)(3) == [1, 2, 3]
    assert Graph("g", drawn).add_edge(drawn, plus_one)(3) == [1, 2, 3]


def test_a_tuple_and_none_are_values() -> None:
    pair = operator(lambda x: (x, None), name="pair")
    nothing = operator(lambda x: None, name="nothing")
    assert Graph("g", pair).add_edge(pair, same)(1) == (1, None)
    assert Graph("g", nothing).add_edge(nothing, same).run(True, x=1).output("same") == [None]


def test_fan_out_gives_a_dict() -> None:
    graph = Graph("fan", same).add_edges(same, [plus_one, times_ten])
    assert graph(2) == {"plus_one": 3, "times_ten": 20}


def test_two_ways_meet_in_a_function_that_takes_both() -> None:
    assert diamond()(2) == (3, 20)


def test_ways_of_many_items_meet_one_by_one() -> None:
    graph = Graph("g", count.with_options(next=(plus_one, times_ten)))
    graph.add_edge(plus_one, both).add_edge(times_ten, both)
    assert graph(3) == [(1, 0), (2, 10), (3, 20)]


def test_a_single_output_meets_each_of_many() -> None:
    graph = Graph("g", same).add_edges(same, [count.with_options(next=()), plus_one])
    graph.add_edge("count", both).add_edge(plus_one, both)
    assert graph(3) == [(0, 4), (1, 4), (2, 4)]
    assert graph(0) == []


def test_ways_with_unlike_numbers_of_items_do_not_meet() -> None:
    longer = operator(lambda n: list(range(n + 1)), name="longer")
    graph = Graph("g", same).add_edges(same, [count.with_options(next=()), longer])
    graph.add_edge("count", both).add_edge(longer, both)
    with pytest.raises(ValueError, match=r"both joins .* 3 of count, 4 of longer"):
        graph(3)


def test_two_ways_into_a_function_of_one_argument_call_it_twice() -> None:
    graph = Graph("g", same).add_edges(same, [plus_one, times_ten])
    assert graph.add_edge(plus_one, even).add_edge(times_ten, even)(2) == ["3 is even", "20 is even"]


def test_routing() -> None:
    assert routed(4) == "4 is even"
    assert routed(3) == "3 is odd"
    assert routed(-1) is None
    run = routed.run(True, x=-1)
    assert (run.output("parity"), run.output("even"), run.output("odd")) == ([-1], [], [])


def test_routing_of_items() -> None:
    graph = Graph("g", count.with_options(next=parity))
    assert graph(4) == {"even": ["0 is even", "2 is even"], "odd": ["1 is odd", "3 is odd"]}


def test_routing_to_several_by_name() -> None:
    router = operator(lambda x: RouteTo(x, ["odd", even]), name="router")
    assert Graph("g", router).add_edges(router, [even, odd])(1) == {"even": "1 is even", "odd": "1 is odd"}


def test_routing_to_what_does_not_follow() -> None:
    router = operator(lambda x: RouteTo(x, plus_one), name="router")
    with pytest.raises(ValueError, match=r"router routes to 'plus_one', .* what follows: even, odd"):
        Graph("g", router).add_edges(router, [even, odd])(1)


def test_classes_objects_generators_and_coroutines() -> None:
    graph = Graph("g", Power).add_edge(Power, awaited)
    assert graph(2) == 108
    assert Graph("g", Power(exponent=5))(2) == 32
    assert graph.functions["Power"] is Graph.add_edge(graph, Power, awaited).functions["Power"]


def test_inside_an_event_loop() -> None:
    import asyncio

    async def main() -> int:
        return Graph("g", awaited).add_edge(awaited, plus_one)(1)

    assert asyncio.run(main()) == 102


def test_items_run_at_the_same_time() -> None:
    meet = threading.Barrier(3, timeout=20)
    wait = operator(lambda x: (meet.wait(), x)[1], name="wait")
    assert Graph("g", count.with_options(next=wait))(3) == [0, 1, 2]


def test_independent_functions_run_at_the_same_time() -> None:
    meet = threading.Barrier(2, timeout=20)
    one, other = (operator(lambda x: (meet.wait(), x)[1], name=name) for name in ("one", "other"))
    assert Graph("g", same).add_edges(same, [one, other])(7) == {"one": 7, "other": 7}


def test_items_go_on_before_others_are_done() -> None:
    through = threading.Event()
    hold = operator(lambda x: (through.wait(20), x)[1] if x == 0 else x, name="hold")
    tell = operator(lambda x: (through.set(), x)[1], name="tell")
    graph = Graph("g", count.with_options(next=hold)).add_edge(hold, tell)
    assert graph(2) == [0, 1]


def test_an_error_is_that_of_the_function_and_the_rest_is_left_out() -> None:
    after: list[int] = []
    note = operator(lambda x: after.append(x), name="note")
    graph = Graph("g", count.with_options(next=fail_for_three)).add_edge(fail_for_three, total).add_edge(total, note)
    with pytest.raises(ValueError, match="three is not wanted"):
        graph(5)
    assert after == []
    run = graph.run(True, n=4)
    assert run.status == "FAILED"
    assert graph.output(run, "count") == [[0, 1, 2, 3]]
    assert set(graph.output(run, fail_for_three)) <= {0, 1, 2}
    assert graph.output(run, "total") == []


def test_outputs_of_any_function() -> None:
    run = squares.run(n=4)
    assert run.result() == 14
    assert squares.output(run, "count") == [[0, 1, 2, 3]]
    assert squares.output(run, "square") == squares.output(run, square) == [0, 1, 4, 9]
    assert run.output() == run.output("squares") == [14]
    assert run.outputs() == {"": [14], "count": [[0, 1, 2, 3]], "square": [0, 1, 4, 9], "total": [14]}
    with pytest.raises(errors.NotFound, match=r"no function 'cube'; it has count, square, total"):
        squares.output(run, "cube")


def test_outputs_while_it_runs() -> None:
    go = threading.Event()
    slow = operator(lambda x: go.wait(20), name="slow")
    graph = Graph("g", slow)
    run = graph.run(x=1)
    with pytest.raises(errors.NotReady):
        graph.output(run, "slow")
    go.set()
    run.result()


def test_retries_of_the_graph_are_those_of_its_functions(tmp_path) -> None:
    patient = Graph("g", write_down, retries=Retries(2, initial_delay=0))
    assert patient(str(tmp_path / "a")) == "xxx"
    own = write_down.with_options(retries=0)
    with pytest.raises(RuntimeError):
        Graph("g", own, retries=Retries(2, initial_delay=0))(str(tmp_path / "b"))
    assert (tmp_path / "b").read_text() == "x"


def test_one_request_for_all_functions() -> None:
    graph = Graph("remembers", remember).add_edge(remember, recall)
    (seen, one, name), (_, other, _) = graph(5), graph(6)
    assert seen == 5
    assert name == "remembers"
    assert one != other


def test_functions_have_five_minutes_unless_something_else_is_said() -> None:
    from operator_lib.engine import scope

    limit = operator(lambda x: scope.here().options.timeout, name="limit")
    assert Graph("g", limit)(0) == 300
    assert Graph("g", limit.with_options(timeout=7))(0) == 7
    assert Graph("g", limit).with_options(timeout=60)(0) == 60
    assert Graph("g", limit).with_options(timeout=None)(0) is None


def test_streaming() -> None:
    events = list(Graph("g", remember).add_edge(remember, recall).stream(x=1))
    kinds = [(e["kind"], e.get("path"), e.get("phase")) for e in events]
    assert kinds.index(("node", "remember", "start")) < kinds.index(("progress", "remember", None))
    assert kinds.index(("progress", "remember", None)) < kinds.index(("node", "recall", "end"))
    assert events[-1]["status"] == "COMPLETED"
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))


def test_arguments_are_checked_before_anything_runs() -> None:
    with pytest.raises(TypeError, match=r"graph squares takes what count\(n\) takes: missing .* 'n'"):
        squares()
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'm'"):
        squares.run(n=1, m=3)
    with pytest.raises(TypeError, match="ctx|too many"):
        Graph("g", remember)(1, 2)


def test_map_submit_and_nesting() -> None:
    assert squares.map([0, 1, 2, 3, 4]) == [0, 0, 1, 5, 14]
    assert squares.submit(3).result() == 5
    assert Around()(4) == 14**2
    outer = Graph("outer", squares).add_edge(squares, plus_one)
    assert outer(4) == 15
    run = outer.run(True, n=3)
    assert run.output("squares") == [5]
    assert run.output("squares.square") == [0, 1, 4]


def test_children_go_by_the_names_of_the_functions() -> None:
    assert [path for path, _ in squares.named_operators()] == ["", "count", "square", "total"]
    assert [path for path, _ in Around().named_operators()][1:4] == ["graph", "graph.count", "graph.square"]


def test_it_travels() -> None:
    for graph in (squares, diamond(), routed):
        again = pickle.loads(pickle.dumps(graph))
        assert again(4) == graph(4)
        assert list(again.functions) == list(graph.functions)
    local = Graph("local", operator(lambda x: x + 1, name="step"))
    import cloudpickle

    assert cloudpickle.loads(cloudpickle.dumps(local))(1) == 2


def test_copies_have_edges_of_their_own() -> None:
    one = Graph("g", plus_one)
    other = one.with_options(retries=1)
    other.add_edge(plus_one, times_ten)
    assert (one(1), other(1)) == (2, 20)


def test_tell_where_it_is_wrong() -> None:
    circle = Graph("g", plus_one).add_edge(plus_one, times_ten).add_edge(times_ten, same).add_edge(same, times_ten)
    circle.add_node(even)
    for use in (lambda: circle(1), lambda: circle.run(x=1), circle.dag, circle.deploy):
        with pytest.raises(ValueError) as found:
            use()
        assert "cycle: same -> times_ten -> same" in str(found.value)
        assert "not reachable from the start node plus_one: even" in str(found.value)


def test_tell_what_cannot_be_part_of_it() -> None:
    graph = Graph("g", plus_one)
    with pytest.raises(ValueError, match="two functions called 'plus_one'"):
        graph.add_edge(plus_one, operator(lambda x: x, name="plus_one"))
    with pytest.raises(ValueError, match="has no function 'nowhere'; it has plus_one"):
        graph.add_edge(plus_one, "nowhere")
    with pytest.raises(TypeError, match="made of functions and operators, got 3"):
        graph.add_edge(plus_one, 3)

    @operator
    class Needy:
        def __init__(self, x: int) -> None: ...

        def forward(self, x: int) -> int: ...

    @operator
    class Idle:
        pass

    with pytest.raises(TypeError, match="Needy cannot be made without arguments"):
        graph.add_edge(plus_one, Needy)
    with pytest.raises(TypeError, match=r"Idle has no forward\(\)"):
        graph.add_edge(plus_one, Idle)
    with pytest.raises(errors.OptionError, match=r"Graph.name"):
        Graph("no spaces", plus_one)


def test_an_annotation_that_routes_elsewhere() -> None:
    def router(x):
        return RouteTo(x, even)

    router.__annotations__["return"] = RouteTo[int, odd]
    router = operator(router, next=even)
    with pytest.raises(ValueError, match="says that it routes to 'odd', which does not follow it; what follows: even"):
        Graph("g", router)(1)
    with pytest.raises(ValueError, match="says that it routes to 'odd'"):
        Graph("g", parity.with_options(next=even))(1)


def test_a_long_graph_needs_no_deep_stack() -> None:
    import sys

    steps = [operator(lambda x: x + 1, name=f"step{i}") for i in range(3000)]
    graph = Graph("long", steps[0])
    for one, other in zip(steps, steps[1:], strict=False):
        graph.add_edge(one, other)
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(300)
        assert graph(0) == 3000
    finally:
        sys.setrecursionlimit(limit)


def test_long_chains_of_next() -> None:
    step = operator(lambda x: x + 1, name="last")
    for i in range(2000):
        step = operator(lambda x: x + 1, name=f"s{i}", next=step)
    assert Graph("long", step)(0) == 2001
