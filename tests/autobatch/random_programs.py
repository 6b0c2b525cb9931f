"""Random programs: what hypothesis draws, as source text."""

from __future__ import annotations

import importlib.util
import itertools
import re
from pathlib import Path
from types import ModuleType

from hypothesis import strategies as st

NAMES = ("a", "b", "c")
_files = itertools.count()

numbers = st.integers(-3, 5).map(lambda n: f"({n})")


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    """A whole number between -10**9 and 10**9."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.one_of(st.sampled_from(NAMES), numbers))
    one, two = (draw(expressions(depth=depth - 1)) for _ in range(2))
    form = draw(
        st.sampled_from(
            [
                "({0} + {1}) % 1000",
                "({0} - {1}) % 997",
                "({0} * {1}) % 1009",
                "{0} // (abs({1}) + 1)",
                "{0} % (abs({1}) + 2)",
                "max({0}, {1})",
                "min({0}, -{1})",
                "({0} if {1} > 1 else {1})",
                "({0} and {1})",
                "({0} or {1})",
                "(1 if 0 < {0} <= {1} else 2)",
                "(row[{0} % 4] + {1})",
                "helper({0} % 50, {1} % 50)",
                "(0 if not {0} else {1} & 7)",
                "helper(*({0} % 40, {1} % 40))",
            ]
        )
    )
    return "(" + form.format(one, two) + ")"


@st.composite
def bodies(draw: st.DrawFn, depth: int, in_loop: bool) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(
            st.sampled_from(
                ["=", "+=", "pair", "star", "store", "part", "choose", "if", "for", "while", "leave", "return", "call"]
            )
        )
        name, value = draw(st.sampled_from(NAMES)), draw(expressions())
        if kind == "=":
            lines.append(f"{name} = {value}")
        elif kind == "+=":
            lines.append(f"{name} += {value} % 100")
        elif kind == "pair":
            lines.append(f"{name}, (c, b) = {value}, (a % 1000, {draw(expressions(depth=1))})")
        elif kind == "star":
            lines += [f"{name}, *others = ({value}, *(b, c), 1)", "c = others[0] + len(others)"]
        elif kind == "store":
            lines.append(f"row[{value} % 4] = {draw(expressions(depth=1))} % 100")
        elif kind == "part":
            lines.append(f"row[1:] += {value} % 10 + row[:3]")
        elif kind == "choose":
            form = draw(st.sampled_from(["(row, other)[{0} % 2]", "row if {0} > 0 else other"]))
            lines.append(f"picked = {form.format(value)}")
            lines.append(f"picked[{draw(expressions(depth=1))} % 4] = picked[0] % 50 + 1")
        elif kind == "call":
            lines.append(f"{name} = recurse({value} % 5, row)")
        elif kind == "return" and draw(st.booleans()):
            lines += [f"if {value} > 3:", f"    return {name}, row, other"]
        elif kind == "leave" and in_loop:
            lines += [f"if {value} > 2:", f"    {draw(st.sampled_from(['break', 'continue']))}"]
        elif depth and kind == "if":
            lines += [f"if {value} > 0:", *_indented(draw(bodies(depth - 1, in_loop)))]
            if draw(st.booleans()):
                lines += ["else:", *_indented(draw(bodies(depth - 1, in_loop)))]
        elif depth and kind in ("for", "while"):
            if kind == "for":
                head = [f"for {name} in range({value} % 4):"]
                inside = draw(bodies(depth - 1, True))
            else:
                counter = f"left{draw(st.integers(0, 999))}"
                head = [f"{counter} = 3", f"while {counter} > 0 and {value} != 1:"]
                inside = [f"{counter} -= 1", *draw(bodies(depth - 1, True))]
            lines += [*head, *_indented(inside)]
            if draw(st.booleans()):
                lines += ["else:", f"    {name} = {draw(expressions(depth=1))}"]
    return lines or ["pass"]


@st.composite
def sources(draw: st.DrawFn) -> str:
    """A module with a function ``program(a, b, row)``, a helper, and a recursive function that writes to the array."""
    lines = [
        "def helper(x, y=2):",
        "    return x if x > y else y - x",
        "",
        "",
        "def recurse(n, row):",
        "    if n <= 0:",
        "        return row[0]",
        "    row[n % 4] += 1",
        "    return (recurse(n - 1, row) + recurse(n - 2, row) + n) % 100",
        "",
        "",
        "def program(a, b, row):",
        "    c = 1",
        "    other = row % 7 + 1",
        *_indented(draw(bodies(2, False))),
        "    return a + b + c, row, other",
    ]
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """The same program without its array: numbers only."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.lstrip()
        if bare.startswith(("picked", "other =", "row[1:]")):
            line = line.replace(bare, "c = c + 0")
        if bare.startswith("row[") and " += " in bare:
            line = line.replace(bare, "n = n + 0")
        elif bare.startswith("row["):
            line = line.replace(bare, "c = " + bare.partition("] = ")[2])
        while "row[" in line:
            line = re.sub(r"row\[([^\[\]]*)\]", r"(\1)", line)
        lines.append(line.replace(", row", "").replace(", other", "", line.lstrip().startswith("return")))
    return "\n".join(lines) + "\n"


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def loaded(text: str, folder: Path) -> ModuleType:
    """The module of that text, in a file of its own (functions are read from files)."""
    number = next(_files)
    file = folder / f"drawn{number}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(f"drawn{number}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
