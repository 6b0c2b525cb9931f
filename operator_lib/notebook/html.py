"""Pieces of HTML for light and dark notebooks: text and lines take the notebook's colours, badges bring their own.

Styles are inline: notebooks remove style sheets from outputs that they do not trust.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape

# White text on each has a contrast of 4.5 or more.
_BADGES = {
    **dict.fromkeys(("COMPLETED", "ready", "live", "done"), "#00795a"),
    **dict.fromkeys(("RUNNING", "starting", "draining", "changes", "PENDING"), "#8f5a00"),
    **dict.fromkeys(("FAILED", "TIMEOUT", "failed", "degraded", "problems"), "#b83600"),
}
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = f"text-align:left;vertical-align:top;padding:3px 14px 3px 0;border:0;border-bottom:{_LINE};"
_TEXT = "max-width:60em;white-space:pre-wrap;overflow-wrap:anywhere"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.92em"


def card(*parts: str) -> str:
    """A framed block."""
    body = "".join(part for part in parts if part)
    return f'<div style="border:{_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:100%">{body}</div>'


def headline(kind: str, name: str, *rest: str) -> str:
    """The first line of a card: what it is, its name, then HTML such as badges."""
    items = "".join(f"<span>{part}</span>" for part in (quiet(kind), f"<b>{escape(name)}</b>", *rest) if part)
    style = "display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline;margin-bottom:4px"
    return f'<div style="{style}">{items}</div>'


def badge(word: str) -> str:
    """A state, as a word on a colour."""
    colour = _BADGES.get(word, "#5d6675")
    return (
        f'<span style="background:{colour};color:#fff;border-radius:9px;padding:1px 8px;font-size:.85em">'
        f"{escape(word)}</span>"
    )


def mono(text: str) -> str:
    """Code."""
    return f'<span style="{_MONO}">{escape(text)}</span>'


def quiet(text: str) -> str:
    """Of less weight."""
    return f'<span style="opacity:.7">{escape(text)}</span>'


def bad(text: str) -> str:
    """An error, in words."""
    return f'<span style="border-left:3px solid #d9531e;padding-left:7px;{_MONO}">{escape(text)}</span>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Label and HTML, one a line."""
    body = "".join(
        f'<tr style="background:none"><td style="{_CELL}border-bottom:0;opacity:.7">{escape(label)}</td>'
        f'<td style="{_CELL}border-bottom:0;{_TEXT}">{value}</td></tr>'
        for label, value in rows
        if value
    )
    return f'<table style="border-collapse:collapse;margin:0;font-size:.95em">{body}</table>' if body else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML."""
    head = "".join(f'<th style="{_CELL}opacity:.7;font-weight:600">{escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr style="background:none">{"".join(f"""<td style="{_CELL}{_TEXT}">{cell}</td>""" for cell in row)}</tr>'
        for row in rows
    )
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:2px 0;font-size:.95em">'
        f'<thead><tr style="background:none">{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def folded(title: str, body: str) -> str:
    """Opened by a click."""
    return f'<details style="margin-top:6px"><summary style="cursor:pointer">{escape(title)}</summary>{body}</details>'


def block(lines: Iterable[str]) -> str:
    """Lines of text as they are."""
    text = escape("\n".join(lines))
    style = f"{_MONO};margin:6px 0 0;padding:0;background:none;white-space:pre-wrap"
    return f'<pre style="{style}">{text}</pre>' if text else ""


def scrolled(svg: str) -> str:
    """A picture that may be larger than its place."""
    return f'<div style="overflow:auto;max-height:40em;margin-top:6px">{svg}</div>'


def when(seconds: float | None) -> str:
    """A moment, by the clock of the one who looks."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""


def lasted(seconds: float) -> str:
    """A duration."""
    if seconds < 1:
        return f"{1e3 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clipped(text: str, most: int = 200) -> str:
    """At most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
