"""The textual calls of operators in a program, counted by the names under which the generator reaches operators.

It reads text with the standard tokenizer and knows nothing of scopes, types or flow; so it cannot make the tracer's
mistakes. What it counts is where a call of an operator starts, in every method that the forward reaches by its name.
"""

from __future__ import annotations

import io
import re
import tokenize

from walks.program import ALIASES, CHILDREN, CONTAINERS

_NESTED = ("n", "echo", "stream", "u", "v", "memory")
_CALL = re.compile(
    r"(?<![\w.])(?:"
    rf"self\.(?:{'|'.join((*CHILDREN, *_NESTED))})(?:\.submit|\.map)?"
    rf"|self\.(?:{'|'.join(CONTAINERS)})\[[^][]*\]"
    rf"|{'|'.join(ALIASES)}|glob|getattr\(self, (?:'a'|self\.which)\)"
    r")\("
)
_METHOD = re.compile(r"^    (?:async )?def (\w+)\(.*\n(?:(?: {8}.*)?\n)*", re.MULTILINE)
_CLASS = re.compile(r"^class (\w+)(?:\((.*)\))?:\n(?:(?: {4}.*)?\n)*", re.MULTILINE)


def calls(source: str) -> set[tuple[int, int]]:
    """Line and column of every call of an operator that `Program` can reach."""
    classes = {m.group(1): _methods(source, m) for m in _CLASS.finditer(source)}
    program = classes["Program"]
    middle = classes.get("Middle", {})
    inherited = {**classes.get("Mixin", {}), **middle, **program, "super().forward": middle.get("forward", (0, ""))}
    reached = _reached(inherited)
    text = "".join(text for _, text in reached)
    for name in ("Inner", "Stream"):
        if f"self.{'n' if name == 'Inner' else 'stream'}(" in text:
            reached += _reached(classes[name])
    return {place for start, text in reached for place in _calls(start, text)}


def _methods(source: str, cls: re.Match[str]) -> dict[str, tuple[int, str]]:
    """First line and text of the methods of a class."""
    found = _METHOD.finditer(source, cls.start(), cls.end())
    return {m.group(1): (source.count("\n", 0, m.start()) + 1, m.group()) for m in found}


def _reached(methods: dict[str, tuple[int, str]]) -> list[tuple[int, str]]:
    """`forward`, the methods that it names, and those that they name."""
    reached = ["forward"]
    for method in reached:
        text = methods[method][1]
        reached += [n for n in methods if n not in reached and (n if "." in n else f"self.{n}") in text]
    return [methods[m] for m in reached]


def _calls(start: int, text: str) -> set[tuple[int, int]]:
    lines = text.splitlines()
    quoted = _quoted(text)
    return {
        (start + number, match.start())
        for number, line in enumerate(lines)
        for match in _CALL.finditer(line)
        if not line.lstrip().startswith("def ") and (number + 1, match.start()) not in quoted
    }


def _quoted(text: str) -> set[tuple[int, int]]:
    """Places inside strings: an f-string has calls too, at positions that are not those of the text."""
    lines = "if 1:\n" + text
    found: set[tuple[int, int]] = set()
    for token in tokenize.generate_tokens(io.StringIO(lines).readline):
        if token.type == tokenize.STRING:
            found |= {(token.start[0] - 1, col) for col in range(token.start[1], token.end[1])}
    return found
