"""Colours, line styles and signs of the SVG picture. Status has a colour, a sign and a word: it works in grey, too."""

from __future__ import annotations

# Plain colours, not CSS variables: many viewers know no variables. The status colours are told apart by readers who
# see no red or no green (after Okabe and Ito), and differ in lightness.
_LIGHT = {
    "ink": "#1c2230", "dim": "#5d6675", "line": "#6f7a8c", "quiet": "#b3bac6", "paper": "#ffffff", "call": "#edf3fd",
    "call_line": "#5b82c9", "block": "#f6f7f9", "block_line": "#c9ced8", "nested": "#fafbfe", "io": "#eef3f0",
    "io_line": "#8aa396", "bad": "#fff3ee", "effect": "#8a5a9e",
    "done": "#00795a", "done_fill": "#e6f5ef", "running": "#a86a00", "running_fill": "#fff4d6", "failed": "#c23b00",
    "failed_fill": "#fde6dc", "cached": "#2477ad", "cached_fill": "#e4f2fb", "lost": "#8f3f73", "lost_fill": "#f8e8f1",
}  # fmt: skip
_DARK = {
    "ink": "#e8ebf1", "dim": "#a3acbb", "line": "#8f9aac", "quiet": "#4c5566", "paper": "#14171d", "call": "#1e2b45",
    "call_line": "#7d9fe0", "block": "#1b1f27", "block_line": "#3d4553", "nested": "#171c26", "io": "#1d2a25",
    "io_line": "#6d8f7e", "bad": "#332019", "effect": "#c79adb",
    "done": "#3fc79b", "done_fill": "#12352a", "running": "#f0b429", "running_fill": "#3d2f0b", "failed": "#ff8352",
    "failed_fill": "#47200f", "cached": "#68b8ec", "cached_fill": "#12324a", "lost": "#e08fc0", "lost_fill": "#411f35",
}  # fmt: skip
_STATUSES = ("done", "running", "failed", "cached", "lost")

_SHAPE = """svg.@{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","DejaVu Sans",
Arial,sans-serif;font-size:13px}
.@ .small{font-size:11px}.@ .head{font-size:15px;font-weight:600}.@ .title{font-weight:600}.@ .kind{font-weight:400}
.@ .edge{fill:none;stroke-width:1.3}.@ .effect{stroke-dasharray:.1 4;stroke-linecap:round;stroke-width:2}
.@ .assumed{stroke-dasharray:7 3 2 3}.@ .control{stroke-dasharray:4 3;stroke-width:1}.@ .box{stroke-width:1.2}
.@ .may>.box{stroke-dasharray:6 3}.@ .opaque>.box{stroke-dasharray:.1 4;stroke-linecap:round;stroke-width:2.2}
.@ .running>.box,.@ .failed>.box,.@ .lost>.box{stroke-width:2.4}.@ .skipped>.box{stroke-dasharray:2 4}
.@ .sign{fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}"""
_COLOURS = """.@ .paper,.@ .plate{fill:%(paper)s}.@ text{fill:%(ink)s}.@ .small,.@ .kind,.@ .quiet{fill:%(dim)s}
.@ .edge{stroke:%(line)s}.@ .tip{fill:%(line)s}
.@ .edge.control{stroke:%(quiet)s}.@ .tip.control{fill:%(quiet)s}
.@ .edge.effect{stroke:%(effect)s}.@ .tip.effect{fill:%(effect)s}
.@ .box,.@ .region>.plate{fill:%(block)s}.@ .box{stroke:%(block_line)s}
.@ .call>.box{fill:%(call)s;stroke:%(call_line)s}.@ .nest>.box,.@ .nest>.plate{fill:%(nested)s}
.@ .input>.box,.@ .return>.box{fill:%(io)s;stroke:%(io_line)s}
.@ .opaque>.box{fill:%(bad)s;stroke:%(failed)s}
.@ .sign{stroke:%(dim)s}.@ .badge{fill:%(block)s;stroke:%(call_line)s}"""
_STATUS = """.@ .call.%(s)s>.box{stroke:%(line)s}.@ .leaf.%(s)s>.box{fill:%(fill)s}
.@ .%(s)s>.disc>circle{fill:%(line)s;stroke:%(line)s}.@ .%(s)s>.disc>.sign{stroke:%(paper)s}"""
_SKIPPED = """.@ .skipped>.box{fill:%(paper)s;stroke:%(quiet)s}.@ .skipped>text,.@ .skipped>text .kind{fill:%(dim)s}
.@ .skipped>.disc>circle{fill:%(paper)s;stroke:%(dim)s}"""

# Drawn, not written: a font may lack them. In a square of 12 pixels around the origin.
SIGNS = {
    "done": "M-3.2,.2 L-1,2.6 L3.2,-2.4",
    "cached": "M-3.4,-2 H3.4 M-3.4,0 H3.4 M-3.4,2 H3.4",
    "running": "M-1.6,-2.8 L2.8,0 L-1.6,2.8 Z",
    "failed": "M-2.5,-2.5 L2.5,2.5 M2.5,-2.5 L-2.5,2.5",
    "skipped": "M-3,0 H3",
    "lost": "M-1.8,-1.6 C-1.6,-4 2.2,-3.6 1.8,-1.2 C1.6,0 0,-.1 0,1 M0,3.2 V3.3",
    "repeat": "M4.4,-1.8 A4.8,4.8 0 1 0 4.8,.6 M4.9,-4.8 L4.5,-1.6 L1.4,-2.2",
}


def style(scope: str) -> str:
    """The style sheet; its rules hold inside the picture of the class `scope` only."""
    text = f"{_SHAPE}{_sheet(_LIGHT)}@media (prefers-color-scheme:dark){{{_sheet(_DARK)}}}"
    return text.replace("\n", "").replace("@media", "\0").replace("@", scope).replace("\0", "@media")


def _sheet(colours: dict[str, str]) -> str:
    parts = [_COLOURS % colours, _SKIPPED % colours]
    parts += [
        _STATUS % {"s": s, "line": colours[s], "fill": colours[f"{s}_fill"], "paper": colours["paper"]}
        for s in _STATUSES
    ]
    return "".join(parts)
