"""Recording the decisions of random programs: they do the same, and what was noted gives the same decisions again."""

import asyncio
import inspect
import random
import sys
import traceback
from collections import Counter

import pytest
from walks.program import write

from operator_lib import record

pytestmark = pytest.mark.filterwarnings("ignore:coroutine", "ignore::SyntaxWarning", "ignore::RuntimeWarning")


def outcome(op):
    """Result, or exception with the lines of the program that it came through."""
    try:
        found = op(1)
        found = asyncio.run(found) if inspect.iscoroutine(found) else found
        return list(found) if inspect.isgenerator(found) else found
    except RecursionError as error:  # sooner or later, as calls under a recorder take more of the stack
        return type(error)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        return type(error), error.args, [(f.name, f.lineno) for f in frames if "walk" in f.filename]


def plain(found):
    return repr(found) if " at 0x" not in repr(found) else type(found)


def test_programs_do_the_same_and_decisions_can_be_replayed(folder):
    kinds, replayed, kept = Counter(), 0, 0
    for number in range(80):
        module = folder.load(write(random.Random(number)))
        expected = outcome(module.Program())
        with record() as seen:
            assert plain(outcome(module.Program())) == plain(expected), number
        del sys.modules[module.__name__]
        for decision in seen.decisions:
            kinds[decision.what] += 1
            if isinstance(decision.outcome, bool):
                again = decision.replay()
                assert again in (None, decision.outcome), (number, str(decision))
                replayed += again is not None
                kept += 1
    assert {"if", "while", "ternary", "for", "except", "match", "comprehension"} <= set(kinds), kinds
    assert replayed > 0.9 * kept > 90
