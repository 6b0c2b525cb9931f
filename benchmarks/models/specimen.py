"""What is looked at: a model with the arguments of one call of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Made = tuple[Any, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Specimen:
    """One architecture. `make` gives the model, in eval mode, and the keyword arguments of its call."""

    name: str
    make: Callable[[], Made]


def tokens(length: int = 16, vocabulary: int = 99) -> dict[str, Any]:
    """Token ids for one sentence, none of them special."""
    import torch

    return {"input_ids": torch.arange(5, 5 + length).remainder(vocabulary - 6).add(5).reshape(1, length)}


def pair(length: int = 16) -> dict[str, Any]:
    """Token ids for an encoder and a decoder."""
    ids = tokens(length)["input_ids"]
    return {"input_ids": ids, "decoder_input_ids": ids[:, :6]}


def image(size: int = 32, channels: int = 3) -> dict[str, Any]:
    """One picture."""
    return {"pixel_values": noise(1, channels, size, size)}


def noise(*shape: int) -> Any:
    """The same random numbers every time."""
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))
