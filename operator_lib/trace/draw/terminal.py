"""The graph as a tree of text: plain for pipes and logs, coloured for a terminal."""

from __future__ import annotations

import os
import sys
import textwrap
import unicodedata
from typing import TYPE_CHECKING

from operator_lib.trace.dag import DAG
from operator_lib.trace.draw.captions import measured
from operator_lib.trace.draw.measure import drawable
from operator_lib.trace.draw.rows import Row, head, rows

if TYPE_CHECKING:
    from rich.text import Text

Piece = tuple[str, str]
"""Text and its role: head, dim, tree, call, region, may, opaque, source, status names."""

_ANSI = {
    "head": "1", "dim": "2", "tree": "2", "call": "1;36", "region": "35", "may": "33", "opaque": "1;31", "source": "32",
    "running": "1;33", "done": "32", "failed": "1;31", "skipped": "2", "cached": "36", "lost": "1;31", "pending": "2",
}  # fmt: skip
_RICH = {
    "head": "bold", "dim": "dim", "tree": "dim", "call": "bold cyan", "region": "magenta", "may": "yellow",
    "opaque": "bold red", "source": "green", "running": "bold yellow", "done": "green", "failed": "bold red",
    "skipped": "dim", "cached": "cyan", "lost": "bold red", "pending": "dim",
}  # fmt: skip
MARKS = {"pending": "○", "running": "●", "done": "✔", "failed": "✘", "skipped": "–", "cached": "✔", "lost": "?"}
# One column for one column, for terminals that know no better.
_ASCII = str.maketrans("├└│─◄○●✔✘–×…·⟳", "|`|-<o*+x-x~-@")


def render(dag: DAG, *, width: int | None = None, color: bool = False, status: bool = False) -> str:
    """The tree as text, at most `width` columns (default: the terminal's, 100 at most, 80 where there is none)."""
    lines = _writable(pieces(dag, width or _width(), status))
    if color:
        return "\n".join("".join(f"\x1b[{_ANSI[r]}m{t}\x1b[0m" if r in _ANSI else t for t, r in line) for line in lines)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def rich_text(dag: DAG, *, width: int | None = None, status: bool | None = None) -> Text:
    """The tree as a `rich` text."""
    from rich.text import Text

    shown = any(n.status != "pending" for n in dag.nodes) if status is None else status
    text = Text(no_wrap=True, overflow="ellipsis")
    for i, line in enumerate(_writable(pieces(dag, width or _width(), shown))):
        if i:
            text.append("\n")
        for part, role in line:
            text.append(part, style=_RICH.get(role, ""))
    return text


def _width() -> int:
    try:
        return min(100, max(60, os.get_terminal_size().columns))
    except OSError:
        return 80


def _writable(lines: list[list[Piece]]) -> list[list[Piece]]:
    """The lines, in ASCII where standard output cannot say them otherwise."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "".join(text for line in lines for text, _ in line).encode(encoding)
    except UnicodeEncodeError:
        return [
            [(text.translate(_ASCII).encode(encoding, "replace").decode(encoding), role) for text, role in line]
            for line in lines
        ]
    except LookupError:
        pass
    return lines


def pieces(dag: DAG, width: int, status: bool) -> list[list[Piece]]:
    """The lines, cut into pieces with roles."""
    title, summary = head(dag)
    gap = width - _len(title) - _len(summary)
    lines: list[list[Piece]] = [[(title, "head"), (" " * max(3, gap), ""), (summary, "dim")]]
    if gap < 3:
        # What it takes is said in full.
        wrapped = textwrap.wrap(title, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        lines = [*(_cut([(line, "head")], width) for line in wrapped), _cut([("  " + summary, "dim")], width)]
    found = list(rows(dag))
    left = [_left(row, status) for row in found]
    widest = max((sum(_len(t) for t, _ in part) for part in left), default=0)
    column = min(widest + 2, max(24, width * 11 // 20))
    for row, part in zip(found, left, strict=True):
        lines.append(_line(part, _right(row, dag, status), column, width))
    return lines


def _left(row: Row, status: bool) -> list[Piece]:
    node = row.node
    part: list[Piece] = [(row.prefix, "tree")]
    if status:
        part.append((MARKS.get(node.status, " ") + " ", node.status))
    role = "opaque" if node.certainty == "opaque" else "call" if node.kind == "call" else "region"
    part.append((row.label, role))
    for note in row.notes:
        if note == "may run" and not status:
            part.append(("  may run", "may"))
    return part


def _right(row: Row, dag: DAG, status: bool) -> list[Piece]:
    node = row.node
    place = f":{node.line}" if node.file == dag.file else drawable(f"{node.file}:{node.line}")
    part: list[Piece] = []
    if status:
        for text in measured(node):
            part += [("  " if part else "", ""), (text, node.status if text == node.status else "dim")]
        return part
    part.append((place.ljust(5), "dim"))
    if row.sources:
        part.append((" ◄ " + ", ".join(row.sources), "source"))
    for note in row.notes:
        if note != "may run":
            part.append(("  " + note, "opaque" if note.startswith("not followed") else "dim"))
    return part


def _line(left: list[Piece], right: list[Piece], column: int, width: int) -> list[Piece]:
    right_len = min(sum(_len(t) for t, _ in right), width // 2)
    left = _cut(left, max(20, min(width - 2 - min(right_len, 18), max(column - 1, width - right_len - 2))))
    used = sum(_len(t) for t, _ in left)
    pad = max(1, column - used)
    return [*left, (" " * pad, ""), *_cut(right, max(5, width - used - pad))]


def _cut(part: list[Piece], width: int) -> list[Piece]:
    made: list[Piece] = []
    for text, role in part:
        size = _len(text)
        if size > width:
            while text and _len(text) > width - 1:
                text = text[:-1]
            made.append((text + "…", role))
            return made
        made.append((text, role))
        width -= size
    return made


def _len(text: str) -> int:
    """Columns on a terminal."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)
