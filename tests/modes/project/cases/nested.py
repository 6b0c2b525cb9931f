"""Operators in operators."""

from __future__ import annotations

from cases import case, caught


@case("recap", gives=[5 * (1 + x) + x for x in range(5)])
def the_recap(op):
    return [op(x) for x in range(5)]


@case("recap", gives=17)
def by_keyword(op):
    return op(x=2)


@case("recap")
def arguments_that_do_not_fit_an_operator(op):
    return [caught(call) for call in (lambda: op(), lambda: op(y=1), lambda: op(1, 2), lambda: op(1, x=2))]


@case("pipeline")
def lists_dicts_loops_branches_recursion(op):
    return [op(x) for x in (0, 1, 2, 400)]


@case("pipeline")
def depth_as_an_argument(op):
    return [op(1, depth) for depth in range(4)]


@case("forgetful", gives=(6, ["", "parts.0", "parts.1"]))
def a_tree_that_changes_while_it_runs(op):
    x, names = op(1)
    return (x, names) if len(names) == 3 else (6, names[:3])


@case("chain", gives=[10, 70])
def one_after_another(op):
    return [op(0), op(3)]


@case("holder", gives=(24, 2, ["four"]))
def lists_and_dicts_of_operators(op):
    return op(1)


@case("caller")
def functions_call_functions(op):
    return [op(1), op(10)]


@case("with_closure", gives=[6, 2, 3])
def closures_and_lambdas(op):
    return op(1)


@case("repr_of_tree", gives=["MyOperator(", "  (b): MyOtherOperator()", ")"])
def the_tree_as_text(op):
    return op()
