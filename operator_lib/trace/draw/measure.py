"""How wide text is. Fonts differ from machine to machine: the widths are those of a wide one, so nothing is clipped."""

from __future__ import annotations

import re
import unicodedata

TITLE, PLAIN, SMALL, HEAD = "title", "plain", "small", "head"
_SIZES = {TITLE: 13.0 * 1.12, PLAIN: 13.0, SMALL: 11.0, HEAD: 15.0 * 1.12}  # bold letters are wider
_NARROW = frozenset("iljItfr.,:;'|!()[]/\\ -")
_SIGNS = frozenset("=<>+#&~^")
_WIDE = frozenset("mwMW@%—…×→◄")
# What XML 1.0 cannot hold, what has no shape, and what turns the direction of the text around it.
_UNDRAWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff]")


def width(text: str, role: str = PLAIN) -> float:
    """Pixels, rather too many than too few."""
    return _SIZES[role] * sum(_em(c) for c in text)


def cut(text: str, limit: float, role: str = PLAIN) -> str:
    """The beginning of `text` that fits into `limit` pixels, with an ellipsis where something is missing."""
    if width(text, role) <= limit:
        return text
    left = limit - width("…", role)
    end = 0
    while end < len(text) and (left := left - _SIZES[role] * _em(text[end])) >= 0:
        end += 1
    return text[:end].rstrip() + "…"


def wrap(text: str, limit: float, role: str = PLAIN, most: int = 4) -> list[str]:
    """Lines of at most `limit` pixels, broken behind commas and blanks; the last of `most` lines is cut."""
    lines = [""]
    for word in re.findall(r"[^\s]+\s*|\s+", text):
        if lines[-1] and width(lines[-1] + word.rstrip(), role) > limit:
            lines.append("    ")
        lines[-1] += word
    if len(lines) > most:
        lines[most - 1 :] = ["".join([lines[most - 1], *(line.lstrip() for line in lines[most:])])]
    return [cut(line.rstrip(), limit, role) for line in lines]


def drawable(text: str) -> str:
    """Text with everything replaced that has no shape, or that XML cannot hold."""
    return _UNDRAWABLE.sub("\ufffd", re.sub(r"[ \t\r\n]+", " ", text))


def _em(char: str) -> float:
    if char.isascii():
        return (
            0.4
            if char in _NARROW
            else 1.0
            if char in _WIDE
            else 0.84
            if char in _SIGNS
            else 0.76
            if char.isupper()
            else 0.645
        )
    if unicodedata.combining(char):
        return 0.0
    return 1.3 if unicodedata.east_asian_width(char) in "WF" else 1.0 if char in _WIDE else 0.8
