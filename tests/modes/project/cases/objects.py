"""Objects from afar: attributes, items, iteration, names."""

from __future__ import annotations

from cases import case, caught


@case("Bar", gives=[2, 3, 4])
def methods_change_attributes(op):
    start = op.x
    seen = []
    for _ in range(3):
        op.inc()
        seen.append(op.x - start + 1)
    assert op.getvalue() == op.x
    return seen


@case("Bar", gives=(str, str))
def any_name_through_getattr(op):
    return op.jj_guverner, op.another


@case("Store")
def attributes(op):
    op.reset()
    seen = [op.owner, op.limit, op.kind, op.full, op.items]
    op.owner = "me"
    op.extra = [1, {"two"}]
    seen += [op.owner, op.owner_of(), op.extra]
    del op.extra
    return [*seen, caught(lambda: op.extra).args]


@case("Store")
def properties(op):
    op.reset()
    op.doubled = 20
    seen = [op.limit, op.doubled]
    return [*seen, caught(lambda: op.broken)]


@case("Store")
def setting_what_cannot_be_set(op):
    def put():
        op.full = True

    def remove():
        del op.full

    return type(caught(put)).__name__, type(caught(remove)).__name__


@case("Store")
def methods(op):
    op.reset()
    return [op.add("a", 1), op.add(key="b", value=2), op.owner_of(), op.version(), op.describe(), op.describe("!")]


@case("Store")
def methods_with_wrong_arguments(op):
    return [
        caught(call)
        for call in (
            lambda: op.add(),
            lambda: op.add("a"),
            lambda: op.owner_of(owner="x"),
            lambda: op.put("a", 1, overwrite=True, more=1),
            lambda: op(),
            lambda: op(1, 2, 3),
            lambda: op.add("a", 1, 2),
            lambda: op.owner_of(1),
        )
    ]


@case("Store", gives=2)
def methods_in_a_row(op):
    op.reset()
    return op.put("a").put("b", value=[1]).add("b", 2)


@case("Store")
def a_method_kept_for_later(op):
    op.reset()
    add = op.add
    add("x", 1)
    return add("y", 2), add.__name__, callable(add)


@case("Store", gives=70)
def a_callable_that_is_no_method(op):
    return op.times_ten(7)


@case("Store")
def items_by_key(op):
    op.reset()
    op["a"] = [1]
    op[("tuple", 2)] = None
    seen = [op["a"], op[("tuple", 2)], len(op), "a" in op, "z" in op]
    del op["a"]
    return [*seen, len(op), caught(lambda: op["a"])]


@case("Store")
def iteration(op):
    op.reset()
    empty = list(op)
    for key in "cab":
        op[key] = key
    return empty, list(op), sorted(op, reverse=True), [key for key in op if key in op], tuple(iter(op))


@case("Store", gives=[False, True])
def truth_by_length(op):
    op.reset()
    before = bool(op)
    op["a"] = 1
    return [before, bool(op)]


@case("Falsy", gives=[False, True])
def truth_by_its_own_method(op):
    op.set(False)
    before = bool(op)
    op.set(True)
    return [before, bool(op)]


@case("Bar", gives=True)
def truth_of_an_ordinary_object(op):
    return bool(op)


@case("Store")
def calling_the_object(op):
    op.reset()
    return op(1), op(1, y=2), op(x=0)


@case("Store")
async def a_coroutine_method(op):
    op.reset()
    return await op.slowly(1), [await pending for pending in [op.slowly(2), op.slowly(3)]]


@case("Countdown", gives=([2, 1, 0], 1, 0, "StopIteration", "done"))
def an_object_that_is_an_iterator(op):
    op.restart(3)
    every = list(op)
    op.restart(2)
    return every, next(op), next(op), type(caught(lambda: next(op))).__name__, next(op, "done")


@case("Countdown")
def what_it_cannot_do_is_refused_as_by_python(op):
    def put():
        op["a"] = 1

    def remove():
        del op["a"]

    errors = [caught(call) for call in (lambda: len(op), lambda: op["a"], put, remove, lambda: op(1))]
    return [type(error).__name__ for error in errors]


@case("Countdown")
def a_name_that_does_not_exist(op):
    error = caught(lambda: op.absent)
    return type(error).__name__, "absent" in str(error), hasattr(op, "absent"), getattr(op, "absent", "default")


@case("Clash", gives=[["a", "b"], 5, "my dag", ["my propagate", 1], "my operators", 3, "my map", [6]])
def the_users_names_win(op):
    return [
        op.children,
        op.apply,
        op.dag(),
        op.propagate(1),
        op.operators(),
        op.named_children(2),
        op.map(),
        op.submit(6),
    ]


@case("Clash")
def the_users_attributes_are_set_whatever_their_names(op):
    op.children = [3]
    op.nodes = "my nodes"
    seen = [op.children, op.nodes]
    del op.nodes
    op.children = ["a", "b"]
    return seen
