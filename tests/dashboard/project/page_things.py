"""What the tests of the dashboard deploy."""

import dataclasses
import datetime as dt
import enum
import os
import time
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from operator_lib import Batch, Metadata, Operator, operator

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


@dataclasses.dataclass
class Line:
    product: str
    count: int = 1


class Load(Operator):
    """Reads the rows."""

    def forward(self, count: int) -> list[int]:
        print(f"loading {count} rows", flush=True)
        return list(range(count))


class Clean(Operator):
    def forward(self, rows: list[int]) -> list[int]:
        print(f"{len(rows)} rows to clean", flush=True)
        return [row for row in rows if row % 7]


class Train(Operator):
    """One round."""

    def forward(self, rows: list[int], start: float) -> float:
        return start * 0.7 + len(rows) * 0.001


class Score(Operator):
    def forward(self, weight: float, limit: float) -> float:
        if weight > limit:
            raise ValueError(f"a weight of {weight:.3f} is over the limit of {limit}")
        return 1 - weight


class Report(Operator):
    def forward(self, losses: list[float], score: float) -> list[dict]:
        return [{"round": n, "loss": loss, "score": score} for n, loss in enumerate(losses)]


class Pipeline(Operator):
    """Trains on some rows, and tells how it went.

    Args:
        count: how many rows there are
        rounds: times that it goes over them
        limit: the largest weight that is taken
        gate: it waits until there is a file of this name
    """

    class Options:
        metadata = Metadata(title="", tags=("demo", "training"))

    def __init__(self):
        self.load = Load()
        self.clean = Clean()
        self.train = Train()
        self.score = Score()
        self.report = Report()

    def forward(self, count: int = 100, rounds: int = 4, limit: float = 9.0, gate: str = "") -> list[dict]:
        rows = self.clean(self.load(count))
        losses, weight = [], 1.0
        for n in range(rounds):
            weight = self.train(rows, weight)
            print(f"round {n}: {weight:.3f}", flush=True)
            losses.append(weight)
            while gate and not os.path.exists(gate):
                time.sleep(0.01)
        if len(losses) > 1:
            score = self.score(weight, limit)
        else:
            score = 0.0
        return self.report(losses, score)


class Fragile(Operator):
    """Fails until there is a file."""

    def __init__(self):
        self.load = Load()
        self.clean = Clean()
        self.check = Check()

    def forward(self, path: str) -> int:
        return self.check(len(self.clean(self.load(30))), path)


class Check(Operator):
    def forward(self, size: int, path: str) -> int:
        print("looking for", path, flush=True)
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no {path} yet")
        return size


@operator
def everything(
    name: str,
    day: dt.date,
    count: Annotated[int, Field(ge=1, le=9)] = 3,
    ratio: float = 0.5,
    fast: bool = False,
    mode: Literal["small", "large"] = "small",
    colour: Colour = Colour.RED,
    lines: list[Line] | None = None,
    weights: dict[str, float] | None = None,
    note: str | None = None,
    data: bytes = b"",
) -> dict:
    """Takes one of each.

    Args:
        name: what it is called
        day: when it happens
        lines: what is bought
    """
    return {
        "name": name, "day": day, "count": count, "ratio": ratio, "fast": fast, "mode": mode, "colour": colour,
        "lines": [line.count for line in lines or []], "weights": weights, "note": note, "size": len(data),
    }  # fmt: skip


@operator
def hostile(text: str = SCRIPT) -> dict:
    """<script>document.title='owned'</script>"""
    print(text, flush=True)
    print("\x1b[31m" + text, flush=True)
    if text.endswith("!"):
        raise ValueError(text)
    return {text: [text, {"a": text}]}


@operator(batch=Batch(8, max_delay_ms=2), stateless=True, max_replicas=4)
class Embed:
    """Numbers for words."""

    def forward(self, words: list[str]) -> list[list[float]]:
        print(len(words), "words", flush=True)
        return [[len(word), *(ord(letter) / 128 for letter in word[:6])] for word in words]

    def spell(self, word: str) -> Iterator[str]:
        """Letter by letter."""
        yield from word
