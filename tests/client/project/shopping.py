"""What the tests of stubs deploy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from operator_lib import Operator, operator


@dataclass
class Item:
    name: str


class Encoder(Operator):
    """Encodes."""

    def forward(self, text: str) -> list[float]:
        return [float(len(text))]

    def size(self) -> int:
        return 3


class Shop(Operator):
    """Prices
    by name."""

    currency: str

    def __init__(self):
        self.encoder = Encoder()
        self.stages = [Encoder()]
        self.currency = "EUR"

    def forward(self, x: int, /, y: float = 2.0, *, kind: Literal["a", "b"] = "a") -> float:
        return x * y

    def put(self, item: Item, when: dt.datetime | None = None, *more: int) -> Item:
        return item

    async def total(self) -> float:
        return 1.0

    def names(self, n: Annotated[int, "how many"] = 3) -> Iterator[str]:
        yield from "abc"[:n]

    def array(self, a: np.ndarray, default=object()) -> "np.ndarray":  # noqa: B008, UP037
        r"""An "array" \ of numbers"""
        return a

    def __len__(self) -> int:
        return 1

    def __getitem__(self, key):
        return key


@operator
def order(a: int, b: Item | None = None) -> dict[str, int]:
    """Orders."""
    return {"a": a}
