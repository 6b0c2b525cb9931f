"""Graphics cards by name: ``gpu.T4(split=3)``, ``gpu.H100(count=2)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from operator_lib.options.checks import Bad, integer, settle, show

MODEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
EXPECTED = "must be 'MODEL', 'MODEL:COUNT' (a count of 1 to 8, as in 'H100:2'), gpu.T4(...) or a list of these"


@dataclass(frozen=True, slots=True)
class GpuSpec:
    """So many cards of one model, or a share of one card.

    Attributes:
        model: name of the model, in capitals.
        count: whole cards, 1 to 8.
        split: how many replicas share one card, 1 to 8; more than 1 only with one card.

    Raises:
        OptionError: a value is of the wrong type or out of range.
    """

    model: str
    count: int = 1
    split: int = 1

    def __post_init__(self) -> None:
        settle("gpu", self, CHECKS)
        if self.split > 1:
            settle(f"gpu.{self.model}", self, {"count": _only_one})

    def __str__(self) -> str:
        count = f":{self.count}" if self.count > 1 else ""
        return f"{self.model}{count}" + (f" (1/{self.split})" if self.split > 1 else "")


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A model to be called: ``T4(count=1, split=1)`` gives a `GpuSpec`."""

    model: str

    def __call__(self, count: int = 1, split: int = 1) -> GpuSpec:
        return GpuSpec(self.model, count, split)


def _model(value: Any) -> str:
    if not isinstance(value, str) or not MODEL.fullmatch(value):
        raise Bad(f"must be a model such as 'H100', got {show(value)}")
    return value.upper()


def _only_one(value: Any) -> int:
    if value != 1:
        raise Bad(f"must be 1 when the card is split, got {value}")
    return value


CHECKS = {"model": _model, "count": integer(1, 8), "split": integer(1, 8)}


def as_gpu(value: Any) -> tuple[GpuSpec, ...] | None:
    """The check of the option `gpu`: one or more specs, in order of preference."""
    if value is None:
        return None
    items = value if isinstance(value, (list, tuple)) else (value,)
    if not items:
        raise Bad(f"{EXPECTED}, got {show(value)}")
    return tuple(_one(item) for item in items)


def _one(value: Any) -> GpuSpec:
    if isinstance(value, GpuSpec):
        return value
    if isinstance(value, GpuModel):
        return value()
    if isinstance(value, str):
        model, colon, count = value.partition(":")
        if MODEL.fullmatch(model) and (not colon or re.fullmatch("[1-8]", count)):
            return GpuSpec(model, int(count or 1))
    raise Bad(f"{EXPECTED}, got {show(value)}")


T4 = GpuModel("T4")
V100 = GpuModel("V100")
L4 = GpuModel("L4")
L40S = GpuModel("L40S")
A10G = GpuModel("A10G")
A100 = GpuModel("A100")
A10020GB = GpuModel("A100-20GB")
A10040GB = GpuModel("A100-40GB")
A10080GB = GpuModel("A100-80GB")
H100 = GpuModel("H100")
H200 = GpuModel("H200")
