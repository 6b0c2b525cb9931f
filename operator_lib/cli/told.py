"""The decisions of a run on a terminal: equal ones together, the last ones where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from operator_lib.cli import output

if TYPE_CHECKING:
    from operator_lib.decisions import Decision

# Lines shown; ``--json`` has all.
MOST = 20


def lines(decisions: Sequence[Decision], title: str) -> list[str]:
    """A heading and a line for each, with its operator; how often, where the same comes again."""
    grouped = [(key, len(list(same))) for key, same in groupby((one.operator, str(one)) for one in decisions)]
    left = len(grouped) - MOST
    found = [output.paint(title, "bold") + (f"  (the last {MOST} of {len(grouped):,})" if left > 0 else "")]
    width = max(len(operator) for (operator, _), _ in grouped[-MOST:])
    for (operator, text), times in grouped[-MOST:]:
        again = output.paint(f"  {times} times", "dim") if times > 1 else ""
        found.append(f"  {output.paint(operator.ljust(width), 'dim')}{'  ' if width else ''}{text}{again}")
    return found
