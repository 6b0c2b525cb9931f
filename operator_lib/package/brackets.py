"""Bracket expressions of gitignore patterns, rewritten to the plain form that pathspec translates as git
means it.
"""

from __future__ import annotations

import string

_CLASSES = {
    "alpha": string.ascii_letters,
    "digit": string.digits,
    "alnum": string.ascii_letters + string.digits,
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "xdigit": string.hexdigits,
    "space": " \t\n\r\v\f",
    "blank": " \t",
    "punct": string.punctuation,
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "print": "".join(map(chr, range(32, 127))),
    "graph": "".join(map(chr, range(33, 127))),
}
_BYTES = frozenset(map(chr, range(1, 256)))


def in_bytes(text: str) -> str:
    """One character for each byte of its UTF-8 form: git matches bytes, so ``?`` is half an umlaut."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def plain_brackets(pattern: str) -> str | None:
    """`pattern` with each bracket expression written out as its members; None if git could never match it."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "[":
            parsed = _bracket(pattern, at + 1)
            if parsed is None:
                return None
            members, at = parsed
            if not members:
                return None
            out.append(_written(members))
            continue
        if char == "\\":
            at += 1
            if at == len(pattern):
                return None
            char = pattern[at]
            out.append(f"[{char}]" if char.isspace() else "\\" + char if char != "/" else "/")
        else:
            out.append(f"[{char}]" if char.isspace() else char)  # pathspec strips white space, git does not
        at += 1
    return "".join(out)


def _bracket(pattern: str, at: int) -> tuple[frozenset[str], int] | None:
    """The members of the expression whose inside starts at `at`, and the place after its ``]``."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    members: set[str] = set()
    first, before = True, ""
    while True:
        char = pattern[at : at + 1]
        if not char:
            return None
        if char == "]" and not first:
            break
        first = False
        if char == "-" and before and pattern[at + 1 : at + 2] not in ("", "]"):
            at += 2 if pattern[at + 1] == "\\" else 1
            last = pattern[at : at + 1]
            members.update(map(chr, range(ord(before), ord(last) + 1)) if last else ())
            before = ""
        elif char == "[" and pattern[at + 1 : at + 2] == ":":
            end = pattern.find("]", at + 2)
            if end < 0:
                return None
            if pattern[end - 1] == ":" and end - 1 > at + 1:
                name = pattern[at + 2 : end - 1]
                if name not in _CLASSES:
                    return None
                members.update(_CLASSES[name])
                at, before = end, ""
            else:
                members.add("[")
                before = "["
        else:
            if char == "\\":
                at += 1
                char = pattern[at : at + 1]
                if not char:
                    return None
            members.add(char)
            before = char
        at += 1
    chosen = _BYTES - members if negated else frozenset(members)
    return frozenset(chosen - {"/"}), at + 1


def _written(members: frozenset[str]) -> str:
    if len(members) == 1 and not (only := next(iter(members))).isspace():
        return "\\" + only
    # "]" means itself only in the first place, "-" only in the last; NUL, in no file name, keeps "^![" off
    # the first
    first = "]" if "]" in members else "\0"
    last = "-" if "-" in members else ""
    return "[" + first + "".join(sorted(members - set("]-"))) + last + "]"
