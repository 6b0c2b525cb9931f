"""Watching a run: a live tree on a terminal, a line for each thing that happens elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from operator_lib.cli import output
from operator_lib.cli.story import TERMINAL, Story

if TYPE_CHECKING:
    from rich.text import Text

    from operator_lib.engine.events import Event

REFRESH = 8  # pictures a second
_STYLES = {"running": "cyan", "done": "green", "cached": "green", "failed": "red", "lost": "red"}


def watch(events: Iterable[Event], story: Story, *, indent: int = 0) -> str:
    """Show a run until it has ended; its status."""
    if sys.stdout.isatty():
        return _live(events, story, indent)
    for event in events:
        story.add(event)
        if (text := line(event, story)) is not None:
            print(" " * indent + text, flush=True)
    return story.status


def _live(events: Iterable[Event], story: Story, indent: int) -> str:
    from rich.console import Console
    from rich.live import Live
    from rich.padding import Padding

    console = Console(highlight=False)

    def now() -> Padding:
        return Padding(picture(story, console.width - indent), (0, 0, 0, indent))

    with Live(get_renderable=now, console=console, refresh_per_second=REFRESH):
        for event in events:
            story.add(event)
    return story.status


def line(event: Event, story: Story) -> str | None:
    """One event as a line of text."""
    kind, place = event.get("kind"), event.get("path") or story.name
    if kind == "status":
        text = str(event["status"]) + (f"  {event['cause']}" if event.get("cause") else "")
    elif kind == "log":
        text = f"{place} | {event['text']}"
    elif kind == "node" and event["phase"] == "start":
        text = f"{place} started"
    elif kind == "node" and event["phase"] != "more":
        word = {"end": "done", "cached": "cached"}.get(event["phase"]) or f"failed: {event.get('error', '')}"
        text = f"{place} {word} ({output.seconds(event.get('dur'))})"
    else:
        return None
    return f"{story.since(event):6.2f} s  {text}"


def picture(story: Story, width: int) -> Text:
    """The run as a tree: what is done, what runs, for how long, and what it says."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"run {story.run_id}  ", "dim")
    text.append(story.status, output.STATE_COLOURS.get(story.status, ""))
    text.append(f"  {_clock(story.elapsed)}")
    if story.cause:
        text.append(f"  {story.cause}", "dim")
    for row in _rows(story, width):
        text.append("\n")
        text.append_text(row)
    return text


def _rows(story: Story, width: int) -> Iterator[Text]:
    from rich.text import Text

    from operator_lib.trace.draw.rows import rows
    from operator_lib.trace.draw.terminal import MARKS

    dag = story.dag()
    if dag is None:
        return
    found = list(rows(dag))
    column = min(max((len(r.prefix) + len(r.label) + 4 for r in found), default=0), width // 2)
    for row in found:
        node = row.node
        text = Text(row.prefix, "dim")
        if node.kind == "call" or node.status != "pending":
            text.append(MARKS.get(node.status, " ") + " ", _STYLES.get(node.status, "dim"))
        text.append(row.label, "" if node.status in ("running", "done", "failed", "cached") else "dim")
        text.truncate(column - 1, overflow="ellipsis")
        text.append(" " * (column - text.cell_len))
        text.append_text(_right(node, story))
        text.truncate(width, overflow="ellipsis")
        yield text


def _right(node: Any, story: Story) -> Text:
    """What there is to say of a node: how often, how long, its last line."""
    from rich.text import Text

    text = Text()
    if node.kind != "call":
        return text
    if node.status == "cached":
        text.append("cached ", "dim")
    elif node.status == "running" and node.started is not None and story.status not in TERMINAL:
        text.append(output.seconds(max(0.0, time.time() - node.started)).rjust(7), "cyan")
    elif node.duration is not None:
        text.append(output.seconds(node.duration).rjust(7))
    elif node.certainty == "may" and story.status not in TERMINAL:
        text.append("may run", "dim")
    if node.count > 1:
        text.append(f" × {node.count}", "dim")
    if node.iteration and node.status == "running":
        text.append(f"  round {node.iteration}", "dim")
    said = story.last_line.get(node.operator or "")
    if said and node.operator:
        text.append(f"  {said}", "dim")
    return text


def _clock(elapsed: float) -> str:
    minutes, rest = divmod(int(elapsed), 60)
    return f"{minutes:02}:{rest:02}"
