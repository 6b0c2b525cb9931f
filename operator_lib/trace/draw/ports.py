"""Where on the borders of its boxes a line begins and ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from operator_lib.trace.draw.order import Grid
from operator_lib.trace.draw.picture import Arrow

CROWD = 250
"""More lines than this in one box are bundled."""
_STEP, _RIM, _NEAR = 18.0, 14.0, 9.0


def bundles(arrows: Sequence[Arrow]) -> list[Hashable]:
    """What has the same key runs in the same lanes: the same variables of one box, and if there are very many lines
    all that leave, or all that enter, one box."""
    if len(arrows) <= CROWD:
        return [(a.source, a.kind, a.names, a.assumed) for a in arrows]
    leaving, entering = Counter(a.source for a in arrows), Counter(a.target for a in arrows)
    return [(a.source, "") if leaving[a.source] >= entering[a.target] else ("", a.target) for a in arrows]


def spread(grid: Grid, arrows: Sequence[Arrow], widths: Sequence[float]) -> tuple[list[float], list[float]]:
    """For each line how far from the middle of its boxes it begins and ends.

    The same variables leave a box at one point; every line that arrives has a place of its own.
    """
    leaving: dict[int, dict[object, list[int]]] = {}
    arriving: dict[int, list[int]] = {}
    for i, (chain, arrow) in enumerate(zip(grid.chains, arrows, strict=True)):
        leaving.setdefault(chain[0], {}).setdefault((arrow.kind, arrow.names, arrow.assumed), []).append(i)
        arriving.setdefault(chain[-1], []).append(i)
    tails, heads = [0.0] * len(arrows), [0.0] * len(arrows)
    for box, groups in leaving.items():
        places = {key: sum(grid.at[grid.chains[i][1]] for i in lines) / len(lines) for key, lines in groups.items()}
        for offset, key in zip(_offsets(len(groups), widths[box]), sorted(groups, key=places.__getitem__), strict=True):
            for i in groups[key]:
                tails[i] = offset
    for box, lines in arriving.items():
        lines.sort(key=lambda i: (grid.at[grid.chains[i][-2]], tails[i] if len(grid.chains[i]) == 2 else 0.0))
        for offset, i in zip(_offsets(len(lines), widths[box]), lines, strict=True):
            heads[i] = offset
    return tails, heads


def _offsets(count: int, width: float) -> list[float]:
    step = min(_STEP, (width - 2 * _RIM) / max(1, count - 1))
    return [(i - (count - 1) / 2) * step for i in range(count)]


def straighten(grid: Grid, x: Sequence[float], widths: Sequence[float], tails: list[float], heads: list[float]) -> None:
    """A line that is almost straight becomes straight."""
    used: dict[tuple[int, float], int] = {}
    for chain, tail in zip(grid.chains, tails, strict=True):
        used[chain[0], tail] = used.get((chain[0], tail), 0) + 1
    for i, chain in enumerate(grid.chains):
        if len(chain) > 2:
            continue
        source, target = chain
        beside = x[source] + tails[i] - x[target] - heads[i]
        if abs(beside) >= _NEAR or beside == 0:
            continue
        if used[source, tails[i]] == 1 and abs(tails[i] - beside) <= widths[source] / 2 - _RIM:
            tails[i] -= beside
        elif abs(heads[i] + beside) <= widths[target] / 2 - _RIM:
            heads[i] += beside
