"""What the commands print: JSON for machines, aligned text for people, colour only where it is wanted."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import IO, Any

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
# Colours of the states of runs, deployments and nodes.
STATE_COLOURS = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "PENDING": "yellow",
    "FAILED": "red",
    "TIMEOUT": "red",
    "CANCELLED": "yellow",
    "ready": "green",
    "starting": "yellow",
    "degraded": "red",
    "failed": "red",
}


def document(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)


def json_line(value: Any) -> None:
    """One line of JSON of a stream."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def colourful(stream: IO[str] | None = None) -> bool:
    """Whether colours belong on `stream` (standard output): a terminal, and https://no-color.org is not asked for."""
    chosen: Any = stream or sys.stdout
    return chosen.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, *styles: str, stream: IO[str] | None = None) -> str:
    """`text` in a style such as ``"bold"`` or ``"red"``, where colours are wanted."""
    codes = ";".join(_CODES[style] for style in styles if style)
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and colourful(stream) else text


def state(text: str, width: int = 0) -> str:
    """A state in its colour, padded to `width`."""
    return paint(text.ljust(width), STATE_COLOURS.get(text, ""))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], states: str = "STATUS") -> None:
    """Columns aligned by spaces; the last one is left ragged, and cut where a terminal ends. The column called
    `states` is coloured."""
    widths = [max(len(str(row[i])) for row in [headers, *rows]) for i in range(len(headers))]
    widths[-1] = 0
    room = _room(sum(widths) + 2 * len(widths) - 2)
    print(paint("  ".join(h.ljust(w) for h, w in zip(headers, widths, strict=True)).rstrip(), "dim"))
    for row in rows:
        cells = [
            state(text, width) if header == states else text.ljust(width)
            for header, text, width in zip(headers, (*row[:-1], shortened(row[-1], room)), widths, strict=True)
        ]
        print("  ".join(cells).rstrip())


def _room(taken: int) -> int | None:
    """Characters left in a line of the terminal, enough for a word at least; None when there is no terminal."""
    return max(12, shutil.get_terminal_size().columns - taken) if sys.stdout.isatty() else None


def shortened(text: str, width: int | None) -> str:
    """`text` in at most `width` characters."""
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def fields(rows: Sequence[tuple[str, str]]) -> None:
    """Labels and values, one pair a line."""
    width = max((len(label) for label, _ in rows), default=0)
    for label, text in rows:
        print(f"{paint(label.ljust(width), 'dim')}  {text}")


def seconds(duration: float | None) -> str:
    """A length of time for people: ``0.4 s``, ``1:05``, ``2:00:10``."""
    if duration is None:
        return ""
    if duration < 0.0995:
        return f"{duration * 1000:.0f} ms"
    if duration < 60:
        return f"{duration:.1f} s"
    minutes, rest = divmod(int(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ago(moment: float | None) -> str:
    """How long ago something was: ``3 s``, ``5 min``, ``2 h``, ``4 d``."""
    if moment is None:
        return ""
    past = max(0.0, time.time() - moment)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if past >= size:
            return f"{int(past // size)} {unit} ago"
    return f"{int(past)} s ago"


def value(found: Any) -> None:
    """A result for people: text as it is, everything else as Python shows it."""
    if found is not None:
        print(found if isinstance(found, str) else repr(found), flush=True)


@contextmanager
def stdout_as_stderr() -> Generator[None]:
    """Whatever is printed in this block, by subprocesses too, goes to standard error: stdout keeps the JSON alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def moment(when: float) -> str:
    """A point in time, in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
