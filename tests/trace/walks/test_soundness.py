"""Random programs: what runs is a walk of what was drawn, and every textual call of an operator is in the graph.

``OPERATOR_PROGRAMS=2000`` asks for more of them.
The programs are written from a seed that hypothesis chooses: its own choices, one for every branch of the writer, take
twenty times as long and repeat themselves. A program that fails is made small by `walks.shrink`.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from walks.checks import wrong
from walks.program import write
from walks.shrink import shrink

# A program that is stopped leaves coroutines behind.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine", "ignore::SyntaxWarning")
PARTS = 4
EXAMPLES = int(os.environ.get("OPERATOR_PROGRAMS", "300")) // PARTS
# Bit by bit: integers would also be chosen among those that the loaded modules contain.
seeds = st.lists(st.booleans(), min_size=40, max_size=40).map(lambda bits: sum(bit << i for i, bit in enumerate(bits)))


def examples(part: int, count: int):
    """Run a check for `count` seeds, the same ones every time, others for every part."""
    chosen = settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    return lambda check: seed(part)(chosen(given(seeds)(check)))


@pytest.mark.parametrize("part", range(PARTS))
def test_what_runs_is_a_walk_of_what_was_drawn(folder, part):
    @examples(part, EXAMPLES)
    def check(number):
        text = write(random.Random(number))
        if problems := wrong(folder, text):
            small = shrink(text, lambda t: fails(folder, t, problems[0]))
            pytest.fail(
                f"seed {number}: {problems}\n{small}\n{folder.walk(small).dag}\n{wrong(folder, small)}", pytrace=False
            )

    check()


def fails(folder, text: str, problem: str) -> bool:
    """Whether a smaller program fails in the same way."""
    try:
        return any(p.split(":")[0] == problem.split(":")[0] for p in wrong(folder, text))
    except Exception:
        return False


def test_the_programs_are_worth_running(folder):
    """They differ, most run to their end, they call many operators, and hardly anything in them is opaque."""
    outcomes = []
    texts = set()

    @examples(99, 60)
    def collect(number):
        text = write(random.Random(number))
        texts.add(text)
        outcomes.append(folder.walk(text))

    collect()
    ran = [sum(1 for _ in o.root.walk()) for o in outcomes]
    nodes = [n for o in outcomes for n in o.dag.nodes]
    assert len(texts) == 60
    assert sum(o.root.outcome == "returned" for o in outcomes) > 30
    assert sum(n > 1 for n in ran) > 50
    assert sum(ran) > 6 * len(ran)
    assert sum(n.certainty == "opaque" for n in nodes) < len(nodes) / 200
    assert {"branch", "loop", "try", "with", "call", "return", "code", "input"} == {n.kind for n in nodes}
