"""What goes over its limits, or ends its process, is the same exception with the same cause everywhere."""

from __future__ import annotations

import re

from cases import case, caught


def told(error):
    """Type and cause; before that stands whose: a run, a call, an input."""
    cause = str(error).split(": ", 1)[1]
    return type(error).__name__, re.sub(r"ran for 1\.\d s", "ran for a moment more", cause)


TOO_LONG = ("OperatorTimeout", "ran for a moment more, the limit is 1 s")


@case("naps", gives=(0, TOO_LONG, 0), apart=True)
def a_call_that_takes_too_long(op):
    first = op.submit(0).result(30)
    error = caught(lambda: op.submit(60).result(30))
    assert isinstance(error, TimeoutError)
    return first, told(error), op.submit(0).result(30)


@case("naps_later", gives=TOO_LONG, apart=True)
def a_coroutine_that_takes_too_long(op):
    return told(caught(lambda: op.submit(60).result(30)))


@case("patient", gives=("OperatorTimeout", "napper ran for a moment more, the limit is 1 s"), apart=True)
def a_child_that_takes_too_long(op):
    return told(caught(lambda: op.submit(60).result(30)))


@case("naps", gives=[0, TOO_LONG, 0.01, 0.02], apart=True)
def one_of_many_that_takes_too_long(op):
    found = op.map([0, 60, 0.01, 0.02], return_exceptions=True)
    return [told(item) if isinstance(item, Exception) else item for item in found]


@case("hoards", gives=(1, ("OutOfMemory", "killed: out of memory (limit 256 MiB)"), 1), apart=True)
def a_call_that_takes_too_much_memory(op):
    first = op.submit(1).result(30)
    return first, told(caught(lambda: op.submit(900).result(60))), op.submit(1).result(30)


@case("leaves", gives=[0, ("WorkerDied", "exit 3"), 0], apart=True)
def one_of_many_that_ends_its_process(op):
    found = op.map([0, 3, 0], return_exceptions=True)
    return [told(item) if isinstance(item, Exception) else item for item in found]


@case("naps", gives=("RunCancelled", "CANCELLED"), apart=True, cancels=True)
def a_run_that_is_cancelled(op):
    run = op.submit(0.9)
    assert run.cancel()
    return type(caught(lambda: run.result(30))).__name__, run.status
