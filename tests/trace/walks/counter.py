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
    classes = {m.group(1): m for m in _CLASS.finditer(source)}
    found: set[tuple[int, int]] = set()
    for name in classes:
        if name in _reached(source, classes):
            for start, text in _methods(source, classes, name):
                found |= _calls(start, text)
    return found


def _reached(source: str, classes: dict[str, re.Match[str]]) -> set[str]:
    """`Program`, its bases where it calls ``super()``, and the operators of the program that are called."""
    found = {"Program"}
    text = "".join(text for _, text in _methods(source, classes, "Program"))
    if "super().forward(" in text and "Middle" in classes:
        found.add("Middle")
        text += "".join(text for _, text in _methods(source, classes, "Middle"))
    found |= {"Inner"} & set(classes) if "self.n(" in text else set()
    found |= {"Stream"} & set(classes) if "self.stream(" in text else set()
    return found


def _methods(source: str, classes: dict[str, re.Match[str]], name: str) -> list[tuple[int, str]]:
    """First line and text of `forward` and of the methods of the class that it names, and those that they name."""
    whole = classes[name]
    own = {m.group(1): m for m in _METHOD.finditer(source, whole.start(), whole.end())}
    reached = ["forward"]
    for method in reached:
        reached += [n for n in own if n not in reached and f"self.{n}" in own[method].group()]
    return [(source.count("\n", 0, own[m].start()) + 1, own[m].group()) for m in reached]


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
