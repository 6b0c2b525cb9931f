"""Exceptions arrive as they left."""

from __future__ import annotations

from cases import case, caught

ORDINARY = (
    "value", "bare", "key", "opened", "decoded", "unicode text", "tuple argument", "index", "assertion", "os",
    "not_implemented",
)  # fmt: skip


@case("boom")
def builtin_exceptions(op):
    return [caught(lambda kind=kind: op(kind)) for kind in ORDINARY[:7]]


@case("boom")
def stop_iteration_is_an_exception_like_others(op):
    return caught(lambda: op("stop"))


@case("boom")
def notes(op):
    return caught(lambda: op("noted"))


@case("boom")
def causes_and_contexts(op):
    return [caught(lambda kind=kind: op(kind)) for kind in ("chained", "in_context", "suppressed")]


@case("boom")
def groups(op):
    return caught(lambda: op("group"))


@case("boom")
def part_of_a_group(op):
    seen = []
    try:
        op("group")
    except* KeyError as some:
        seen.append(["keys", some])
    except* ValueError as some:
        seen.append(["values", some])
    return seen


@case("boom")
def exceptions_of_the_users_own(op, lib):
    refused = caught(lambda: op("refused"))
    assert isinstance(refused, lib("Refused"))
    return refused, refused.code, refused.reason


@case("boom")
def exceptions_with_text_of_their_own(op, lib):
    quiet = caught(lambda: op("quiet"))
    return quiet, isinstance(quiet, lib("Quiet")), isinstance(quiet, ValueError)


@case("boom")
def groups_of_the_users_own(op, lib):
    error = caught(lambda: op("user group"))
    match, rest = error.split(lib("Refused"))
    return error, match, rest


@case("returned_errors")
def exceptions_as_values(op):
    return op(*ORDINARY, "noted")


@case("returned_errors")
def exceptions_of_the_users_own_as_values(op, lib):
    return op("refused", "quiet")


@case("divide", gives=[2.0, "ZeroDivisionError", "division by zero", 0.5])
def life_goes_on_after_an_exception(op):
    first = op(4, 2)
    error = caught(lambda: op(1, 0))
    return [first, type(error).__name__, str(error), op(1, 2)]


@case("boom_later")
async def exceptions_of_coroutines(op):
    try:
        await op("noted")
    except ValueError as error:
        return error


@case("boom_later")
async def exceptions_of_the_users_own_out_of_coroutines(op, lib):
    try:
        await op("refused")
    except lib("Refused") as error:
        return error


@case("guarded")
def exceptions_between_operators(op):
    return op(1), op(-1)
