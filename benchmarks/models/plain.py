"""Models written with nothing but `torch.nn`: its own composite modules, and two small programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from benchmarks.models.specimen import Specimen, noise


class Down(nn.Module):
    """Half the size, more channels; with a way around when the channels agree."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU())
        self.around = nn.MaxPool2d(2) if before == after else None

    def forward(self, x: Tensor) -> Tensor:
        made = self.body(x)
        return made if self.around is None else made + self.around(x)


class ConvNet(nn.Module):
    """Down, down, and a head that depends on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([Down(3, 8), Down(8, 8), Down(8, 16)])
        self.heads = nn.ModuleDict({"near": nn.Linear(16, 4), "far": nn.Linear(16, 4)})

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(x)
        pooled = x.mean((2, 3))
        return self.heads["near" if pooled.sum() > 0 else "far"](pooled)


class UNet(nn.Module):
    """Down and up again, with what was seen on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([Down(4, 8), Down(8, 16)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(16, 4, 2, 2)])
        self.last = nn.Sequential(nn.GroupNorm(2, 4), nn.SiLU(), nn.Conv2d(4, 4, 1))

    def forward(self, x: Tensor) -> Tensor:
        import torch

        seen = []
        for layer in self.down:
            x = layer(x)
            seen.append(x)
        x = seen.pop()
        for i, layer in enumerate(self.up):
            x = layer(x if i == 0 else torch.cat((x, seen.pop()), 1))
        return self.last(x)


def specimens() -> list[Specimen]:
    """All of them."""
    picture, sequence = noise(1, 3, 32, 32), noise(1, 6, 32)
    encoder: Callable[[], Any] = lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)  # noqa: E731
    table: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
        "nn.Sequential": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), Down(8, 8)), {"input": picture}),
        "nn.LSTM": (lambda: nn.LSTM(32, 16, 2, batch_first=True), {"input": sequence}),
        "nn.GRU": (lambda: nn.GRU(32, 16, 2, batch_first=True), {"input": sequence}),
        "nn.MultiheadAttention": (
            lambda: nn.MultiheadAttention(32, 4, batch_first=True),
            {"query": sequence, "key": sequence, "value": sequence},
        ),
        "nn.TransformerEncoder": (
            lambda: nn.TransformerEncoder(encoder(), 2, nn.LayerNorm(32)),
            {"src": sequence},
        ),
        "nn.TransformerDecoder": (
            lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(32, 4, 64, batch_first=True), 2),
            {"tgt": sequence, "memory": sequence},
        ),
        "nn.Transformer": (
            lambda: nn.Transformer(32, 4, 2, 2, 64, batch_first=True),
            {"src": sequence, "tgt": sequence},
        ),
        "ConvNet (branches on data)": (ConvNet, {"x": picture}),
        "UNet": (UNet, {"x": noise(1, 4, 16, 16)}),
    }
    return [Specimen(name, lambda m=make, i=inputs: (m().eval(), i)) for name, (make, inputs) in table.items()]
