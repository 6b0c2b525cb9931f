"""Random operator programs: shared state, aliases, defaults that remember, closures, generators, exceptions."""

from __future__ import annotations

import random
import re

from effect_oracle import Footprints
from program_parts import ASKED, BODY, CHILDREN, HEAD, LISTS, NESTED, SHAPES, SPECIAL, WAITS, YIELDS


def _indent(text: str, depth: int) -> str:
    return "\n".join("    " * depth + line for line in text.split("\n"))


class Program:
    """One program: its text, and how it is to be called."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.vars: list[str] = ["x"]
        self.lists: list[str] = ["xs"]
        self.count = 0
        self.names: list[str] = []
        self.list_names: list[str] = []
        # Cells that the calls of each class read and write; lists that are handed around count as one.
        self.touched: Footprints = {}
        self.text = self._write()

    def _write(self) -> str:
        r = self.r
        parts = [HEAD]
        picked = [r.choice(CHILDREN) for _ in range(r.randint(3, 5))]
        for i, (body, reads, writes) in enumerate(picked):
            self._note(f"C{i}", reads, writes)
            parts.append(
                f"class C{i}(Operator):\n{BODY}{ASKED if 'missing' in body else ''}\n"
                "    def __init__(self, k):\n        self.k = k\n        self.n = 0\n"
                f"        self.seen = []\n        self.shared = [1]\n\n    def forward(self, x):\n{_indent(body, 2)}\n"
            )
        for i, (body, reads, writes) in enumerate(r.choice(LISTS) for _ in range(2)):
            self._note(f"L{i}", reads, writes)
            parts.append(
                f"class L{i}(Operator):\n    def __init__(self):\n        self.shared = [5]\n\n"
                f"    def forward(self, xs):\n{_indent(body, 2)}\n"
            )
        self._inside_others(r)
        parts.extend(self.others)
        special = r.choice(SPECIAL)
        self._note("S0", "acc" if "acc" in special else "", "acc" if "acc.append" in special else "")
        parts.append("class S0(Operator):\n" + _indent(special, 1) + "\n")
        counts = r.random() < 0.5
        self._note("NoneType", "count", "count" if counts else "")  # a closure: it has no self
        step = "        nonlocal count\n        count += 1\n" if counts else ""
        parts.append(
            "def make(start):\n    count = start\n    def step(x):\n"
            f"{step}        return x + count\n    return operator(step)\n"
        )
        init = [f"self.c{i} = C{i}({r.randint(1, 4)})" for i in range(len(picked))]
        init += [
            "self.l0 = L0()",
            "self.l1 = L1()",
            "self.s0 = S0()",
            "self.n0, self.g0, self.w0 = N0(self.c0, C1(3)), G0(self.c1, self.c0), W0(self.c1, self.c0)",
            "self.f = make(2)",
            "self.total = 0",
            "self.kept = []",
        ]
        if r.random() < 0.5:
            init.append("self.c1 = self.c0")
        if r.random() < 0.5:
            init.append("self.c2.shared = self.c0.shared")
        if r.random() < 0.3:
            init.append("self.l0.shared = self.c0.shared")
        init.append("self.stages = [self.c0, C1(2), self.c2]")
        self.names = [f"self.c{i}" for i in range(len(picked))] + ["self.s0", "self.f"]
        self.list_names = ["self.l0", "self.l1"]
        body = self._block(2, r.randint(4, 8), loop=False)
        body.append("        return " + self._result())
        parts.append(
            "class Root(Operator):\n    def __init__(self):\n"
            + "\n".join("        " + one for one in init)
            + "\n\n    def helper(self, v):\n        return v + self.c0.k\n"
            + "\n    def forward(self, x, xs):\n"
            + "\n".join(body)
            + "\n"
        )
        return "\n\n".join(parts)

    def _inside_others(self, r: random.Random) -> None:
        """Operators with operators inside, a generator and a coroutine; each shares the first children."""
        self.others = []
        kinds = (("N0", "def", NESTED), ("G0", "def", YIELDS), ("W0", "async def", WAITS))
        for name, how, bodies in kinds:
            body = r.choice(bodies)
            cell = "SHARED" if "SHARED" in body else ""
            self._note(name, cell, cell)
            self.others.append(
                f"class {name}(Operator):\n    def __init__(self, a, b):\n        self.a, self.b = a, b\n\n"
                f"    {how} forward(self, x):\n{_indent(body, 2)}\n"
            )

    def _note(self, name: str, reads: str, writes: str) -> None:
        own = {one: f"{one} of {name}" for one in ("n", "made", "seen")} | {"xs": "lists", "shared": "lists"}
        self.touched[name] = tuple(frozenset([own.get(one, one)] if one else []) for one in (reads, writes))

    def _result(self) -> str:
        return "(" + ", ".join(self.r.sample(self.vars, min(3, len(self.vars))) + self.lists[-2:]) + ",)"

    def _var(self) -> str:
        return self.r.choice(self.vars)

    def _fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def _atom(self) -> str:
        r = self.r
        return r.choice([self._var(), self._var(), str(r.randint(0, 9)), "self.total", "len(xs)"])

    def _call(self, depth: int = 0) -> str:
        r = self.r
        if r.random() < 0.2:
            return f"{r.choice(self.list_names)}({r.choice(self.lists)})"
        inner = self._call(depth + 1) if depth < 2 and r.random() < 0.15 else self._atom()
        return f"{r.choice(self.names)}({inner})"

    def _value(self) -> str:
        r = self.r
        kind = r.randint(0, 12)
        if kind < 7:
            return self._call()
        return [
            f"{self._call()} + {self._call()}",
            f"{self._atom()} + {self._atom()}",
            f"({self._call()}, {self._atom()})[0]",
            f"{self._call()} if {self._atom()} > 3 else {self._call()}",
            f"{self._atom()} > 2 and {self._call()}",
            f"self.helper({self._atom()})",
            f"noisy({self._atom()})",
            f"sum([{self._call()}, {self._call()}])",
        ][r.randint(0, 7)]

    def _shape(self, pad: str) -> list[str]:
        """One of the shapes, filled in."""
        text = self.r.choice(SHAPES)
        fill = {"<call>": self._call, "<atom>": self._atom, "<op>": lambda: self.r.choice(self.names)}
        fill["<list>"] = lambda: self.r.choice(self.lists)
        text = re.sub(r"<\w+>", lambda found: fill[found[0]](), text)
        made = {one: self._fresh() for one in dict.fromkeys(re.findall(r"\$\w", text))}
        for one, name in made.items():
            text = text.replace(one, name)
            if one in ("$a", "$b", "$c"):
                self.vars.append(name)
            if one == "$l":
                self.lists.append(name)
        return [pad + line for line in text.split("\n")]

    def _block(self, depth: int, size: int, loop: bool) -> list[str]:
        found: list[str] = []
        for _ in range(size):
            found += self._statement(depth, loop)
        return found or ["    " * depth + "pass"]

    def _inside(self, depth: int, size: int, loop: bool) -> list[str]:
        known, lists = list(self.vars), list(self.lists)
        found = self._block(depth, size, loop)
        self.vars, self.lists = known, lists
        return found

    def _statement(self, depth: int, loop: bool) -> list[str]:
        r, pad = self.r, "    " * depth
        kind = r.choices(range(17), [9, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 12])[0]
        if kind == 16:
            return self._shape(pad)
        if kind == 0:
            value, name = self._value(), self._fresh()
            self.vars.append(name)
            return [f"{pad}{name} = {value}"]
        if kind == 1:
            return [f"{pad}{self._call()}"]
        if kind == 2:
            return [
                f"{pad}self.total = {self._value()}" if r.random() < 0.5 else f"{pad}self.kept.append({self._value()})"
            ]
        if kind == 3 and depth < 4:
            test = f"{self._call()} > {self._atom()}" if r.random() < 0.5 else f"{self._atom()} > 3"
            found = [f"{pad}if {test}:", *self._inside(depth + 1, 2, loop)]
            return [*found, f"{pad}else:", *self._inside(depth + 1, 2, loop)] if r.random() < 0.5 else found
        if kind == 4 and depth < 4:
            name, source = self._fresh(), r.choice(["range(3)", "xs[:4]", "list(xs)", "enumerate(xs[:3])", "[1, 2, 4]"])
            target = f"_, {name}" if "enumerate" in source else name
            first = f"{pad}for {target} in {source}:"
            self.vars.append(name)
            found = [first, *self._inside(depth + 1, 2, True)]
            self.vars.remove(name)
            return found
        if kind == 5:
            name = self._fresh()
            self.lists.append(name)
            found = [
                f"{pad}{name} = []",
                f"{pad}for i in range({r.randint(1, 4)}):",
                f"{pad}    {name}.append({r.choice(self.names)}(i))",
            ]
            return [*found, f"{pad}    {name}.append({self._atom()})"] if r.random() < 0.3 else found
        if kind == 6:
            name = self._fresh()
            self.lists.append(name)
            callee = r.choice([*self.names, "s"])
            if callee == "s":
                return [f"{pad}{name} = [s({self._atom()}) for s in self.stages]"]
            test = f" if i != {r.randint(0, 2)}" if r.random() < 0.4 else ""
            return [f"{pad}{name} = [{callee}(i + {self._atom()}) for i in {r.choice(['range(3)', 'xs[:4]'])}{test}]"]
        if kind == 7 and depth < 4:
            found = [f"{pad}try:", *self._inside(depth + 1, 2, loop)]
            found.append(f"{pad}except {r.choice(['ValueError', '(KeyError, TypeError)', 'ZeroDivisionError as e'])}:")
            found += [f"{pad}    LOG.append('caught')", *self._inside(depth + 1, 1, loop)]
            return [*found, f"{pad}finally:", *self._inside(depth + 1, 1, loop)] if r.random() < 0.4 else found
        if kind == 8:
            name = self._var()
            return [f"{pad}{name} += {self._atom()}"]
        if kind == 9:
            return [f"{pad}{r.choice(self.lists)}.append({self._call()})"]
        if kind == 10:
            name = self._fresh()
            self.lists.append(name)
            return [f"{pad}{name} = {r.choice(self.lists[:-1] or ['xs'])}"]
        if kind == 11:
            return [f"{pad}self.c0.k = {self._atom()}" if r.random() < 0.5 else f"{pad}LOG.append({self._var()})"]
        if kind == 12 and loop:
            return [f"{pad}if {self._atom()} > 6:", f"{pad}    {r.choice(['break', 'continue'])}"]
        if kind == 13:
            name = self._fresh()
            self.vars.append(name)
            return [f"{pad}{name} = sum({r.choice(self.names)}(i) for i in {r.choice(['range(3)', 'xs[:4]'])})"]
        if kind == 14:
            one, other = self._fresh(), self._fresh()
            found = [f"{pad}{one}, {other} = {self._call()}, {self._atom()}"]
            self.vars += [one, other]
            return found
        name = self._fresh()
        found = (
            [f"{pad}{name} = lambda: {self._var()}"]
            if r.random() < 0.5
            else [f"{pad}{name} = (v for v in {r.choice(self.lists)})"]
        )
        given = self._fresh()
        self.vars.append(given)
        use = f"{name}()" if "lambda" in found[0] else f"sum({name})"
        return [*found, f"{pad}{self._call()}", f"{pad}{given} = {use}"]
