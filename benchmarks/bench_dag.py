"""``op.dag()`` on generated projects of any size, beside ``ast.parse`` of the same files."""

from __future__ import annotations

import ast
import contextlib
import importlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_numbers = itertools.count()
_PER_FILE = 5


@dataclass(frozen=True, slots=True)
class Project:
    """A project that is imported: its root operator, its files and their texts."""

    root: Any
    files: list[Path]

    @property
    def texts(self) -> list[str]:
        return [path.read_text() for path in self.files]

    def parse(self) -> float:
        """Milliseconds to parse all files."""
        texts = self.texts
        return best(lambda: [ast.parse(text) for text in texts])

    def cold(self) -> float:
        """Milliseconds to draw the graph, nothing kept from before."""
        return best(lambda: _cold(self.root))

    def warm(self) -> float:
        """Milliseconds to draw it again."""
        self.root.dag()
        return best(self.root.dag)

    def edited(self) -> float:
        """Milliseconds to draw it after one file was saved with a new comment."""
        path, text = self.files[0], self.files[0].read_text()
        turn = itertools.count()

        def edit() -> None:
            path.write_text(f"{text}# {next(turn)}\n")
            os.utime(path, ns=(time.time_ns(), time.time_ns()))

        return best(self.root.dag, before=edit)


@contextlib.contextmanager
def project(operators: int = 50, lines: int = 2_000) -> Generator[Project]:
    """Files with this many operators below a root, each with helpers, a loop over children and a branch."""
    tag = f"graphed{next(_numbers)}_"
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as name:
        folder = Path(name)
        files = _write(folder, tag, operators, lines)
        sys.path.insert(0, name)
        importlib.invalidate_caches()
        try:
            root = importlib.import_module(f"{tag}root").Root()
            root.dag()  # imports of our own modules are not part of it
            yield Project(root, files)
        finally:
            sys.path.remove(name)
            for module in [m for m in sys.modules if m.startswith(tag)]:
                del sys.modules[module]


def _write(folder: Path, tag: str, operators: int, lines: int) -> list[Path]:
    count = max(1, operators // _PER_FILE)
    for n in range(count):
        own = range(n * operators // count, (n + 1) * operators // count)
        text = "from operator_lib import Operator\n\n\n" + "".join(_operator(i) for i in own)
        (folder / f"{tag}part{n}.py").write_text(text + _padding(n, lines // count - text.count("\n")))
    parts = {i: n for n in range(count) for i in range(n * operators // count, (n + 1) * operators // count)}
    root = ["from operator_lib import Operator\n"]
    root += [f"from {tag}part{n} import Op{i}\n" for i, n in parts.items()]
    root += ["\n\nclass Root(Operator):\n    def __init__(self):\n"]
    root += [f"        self.op{i} = Op{i}()\n" for i in parts]
    root += ["\n    def forward(self, x):\n"]
    root += [f"        x = self.op{i}(x)\n" for i in parts]
    (folder / f"{tag}root.py").write_text("".join([*root, "        return x\n"]))
    return sorted(folder.glob("*.py"))


def _operator(i: int) -> str:
    return f'''class Leaf{i}(Operator):
    """Scales by {i}."""

    def forward(self, x):
        total = 0
        for value in x:
            total += value * {i}
        return [total / max(1, len(x)), *x]


class Op{i}(Operator):
    """Number {i}."""

    def __init__(self):
        self.leaf = Leaf{i}()
        self.many = [Leaf{i}(), Leaf{i}()]

    def forward(self, x):
        y = self.prepare(x)
        for leaf in self.many:
            y = leaf(y)
        if len(y) > {i}:
            y = self.leaf(y)
        else:
            y = [v + 1 for v in y]
        return self.leaf(y)

    def prepare(self, x):
        return [v for v in x if v is not None]


'''


def _padding(n: int, lines: int) -> str:
    text = "".join(
        f"def helper{n}_{i}(a, b):\n    c = a * {i} + b\n    return c if c > {i} else -c\n\n\n"
        for i in range(max(0, lines) // 5)
    )
    return text + "\n" * max(0, lines - text.count("\n"))


def _cold(op: Any) -> None:
    from operator_lib.trace import cache, source

    cache.clear()
    source.clear()
    op.dag()


def best(action: Callable[[], object], times: int = 9, before: Callable[[], object] = lambda: None) -> float:
    """Milliseconds of the fastest of some turns."""
    taken: list[float] = []
    for _ in range(times):
        before()
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1000)
    return min(taken)


def main() -> None:
    """How the time grows with the size, as Markdown."""
    print("| operators | lines | nodes | ast.parse | cold | ratio | one file edited | warm |")
    print("|---|---|---|---|---|---|---|---|")
    for operators, lines in ((10, 400), (25, 1_000), (50, 2_000), (100, 5_000), (200, 20_000), (400, 40_000)):
        with project(operators, lines) as made:
            parse, cold, nodes = made.parse(), made.cold(), len(made.root.dag().nodes)
            edited, warm = made.edited(), made.warm()
            total = sum(text.count("\n") for text in made.texts)
        print(
            f"| {operators} | {total:,} | {nodes:,} | {parse:.0f} ms | {cold:.0f} ms | {cold / parse:.1f} × "
            f"| {edited:.0f} ms | {warm:.1f} ms |"
        )


if __name__ == "__main__":
    main()
