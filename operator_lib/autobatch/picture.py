"""A run drawn over the source: for every line how often it ran, and how many of the lanes took part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import count

from operator_lib.autobatch.stats import BlockStats, Listing

ROW = 18
BAR = 72
SOURCE_AT = 200
CHARACTER = 7.25
_numbers = count(1)

_STYLE = """
.{c} text{{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1c2230;white-space:pre}}
.{c} .dim{{fill:#5d6675}} .{c} .head{{font-weight:600}} .{c} .paper{{fill:#ffffff}} .{c} .room{{fill:#e3e7ee}}
.{c} .used{{fill:#2477ad}} .{c} .row{{fill:#edf3fd}}
@media (prefers-color-scheme:dark){{.{c} text{{fill:#e8ebf1}} .{c} .dim{{fill:#a3acbb}} .{c} .paper{{fill:#14171d}}
.{c} .room{{fill:#3d4553}} .{c} .used{{fill:#68b8ec}} .{c} .row{{fill:#1e2b45}}}}"""


@dataclass(slots=True)
class Share:
    """Of one line: all blocks that have something of it."""

    steps: int = 0
    active: int = 0
    issued: int = 0

    def add(self, block: BlockStats) -> None:
        self.steps += block.steps
        self.active += block.active
        self.issued += block.issued

    @property
    def utilisation(self) -> float:
        return self.active / self.issued if self.issued else 0.0


def shares(blocks: Iterable[BlockStats]) -> dict[tuple[str, int], Share]:
    """By file and line. A line that several blocks have something of counts each of them."""
    found: dict[tuple[str, int], Share] = {}
    for block in blocks:
        if block.steps:
            for place in block.lines:
                found.setdefault(place, Share()).add(block)
    return found


def drawn(head: str, listings: Iterable[Listing], blocks: Iterable[BlockStats]) -> str:
    """The picture as SVG: it needs nothing else, and follows the reader's light or dark."""
    known = shares(blocks)
    scope = f"lanes{next(_numbers)}"
    rows = [_text(12, 1, head, "head"), _legend(2)]
    at, widest = 3, len(head)
    for listing in listings:
        at += 1
        rows.append(_text(12, at, f"{listing.name}  {listing.file.rpartition('/')[2]}", "dim"))
        for number, line in enumerate(listing.lines, listing.first):
            at += 1
            rows.append(_row(at, number, line, known.get((listing.file, number))))
            widest = max(widest, len(line) + int(SOURCE_AT / CHARACTER))
        at += 1
    width, height = int(widest * CHARACTER) + 24, (at + 1) * ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" role="img" aria-label="{escape(head)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"><style>{_STYLE.format(c=scope)}</style>'
        f'<rect class="paper" width="{width}" height="{height}"/>{"".join(rows)}</svg>'
    )


def _legend(at: int) -> str:
    return _text(12, at, "bar: lanes that took part, of all lanes; number: how often the line ran", "dim")


def _row(at: int, number: int, line: str, share: Share | None) -> str:
    found = _text(12, at, f"{number:>4}", "dim") + _text(SOURCE_AT, at, line.rstrip("\n"))
    if share is None:
        return found
    top = at * ROW - 11
    told = f"line {number}: {share.utilisation:.0%} of lanes, {share.steps} steps"
    return (
        f'<g><title>{told}</title><rect class="row" x="8" y="{top - 3}" width="{SOURCE_AT - 14}" height="{ROW}"/>'
        f'<rect class="room" x="48" y="{top}" width="{BAR}" height="10"/>'
        f'<rect class="used" x="48" y="{top}" width="{max(1, round(BAR * share.utilisation))}" height="10"/>'
        f"{_text(128, at, f'{share.steps:>8}', 'dim')}{found}</g>"
    )


def _text(x: float, row: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{row * ROW}"{named} xml:space="preserve">{escape(text)}</text>'
