"""Options that act on a call: retries, context, reducing."""

from __future__ import annotations

from cases import case, caught


@case("inherits", gives=([["given", "tried"]] * 3, 1))
def a_child_is_tried_again_with_fresh_arguments(op):
    return op()


@case("inherits")
def what_can_never_succeed_is_tried_once(op):
    error = caught(lambda: op(give_up=True))
    return type(error).__name__, str(error)


@case("in_context", gives=(3, True, 2, False))
def the_context_is_no_argument_of_callers(op):
    return op(3)


@case("in_context", gives=["TypeError", "TypeError", (1, True, 2, False)])
def arguments_are_bound_without_the_context(op):
    wrong = [type(caught(call)).__name__ for call in (lambda: op(), lambda: op(None, 1))]
    return [*wrong, op(value=1, key="other")]


@case("reversed_list", gives=[[3, 2, 1], [], ["c", "b", "a"]])
def a_reducer_folds_in_order(op):
    return [op([1, 2, 3]), op([]), op("abc")]


@case("summed", gives=[6, "-1 after 3"])
def a_reducer_that_fails(op):
    return [op(items=[1, 2, 3]), str(caught(lambda: op([1, 2, -1, 4])))]
