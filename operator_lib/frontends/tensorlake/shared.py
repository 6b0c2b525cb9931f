"""The process that the functions of a graph share."""

from __future__ import annotations

from typing import Any

from operator_lib.frontends.tensorlake.functions import DEFAULTS
from operator_lib.options import Options

_RESOURCES = ("cpu", "memory", "ephemeral_disk", "gpu")
_ENCODERS = ("input_encoder", "output_encoder")


class Shared:
    """What most functions of a graph ask for, so that as few as possible need a process of their own.

    Attributes:
        resources: those that more functions ask for than any others; of several, those that were asked for first.
        encoders: ``"cloudpickle"`` for values that one of the functions wants to be encoded so.
    """

    def __init__(self) -> None:
        self._counts: list[tuple[dict[str, Any], int]] = []
        self.resources = {name: DEFAULTS[name] for name in _RESOURCES}
        self.encoders: dict[str, str] = {}

    def add(self, function: Options) -> None:
        """One function more, with these options."""
        asked = {name: getattr(function, name) or DEFAULTS[name] for name in _RESOURCES}
        place = next((i for i, (known, _) in enumerate(self._counts) if known == asked), len(self._counts))
        count = self._counts[place][1] if place < len(self._counts) else 0
        self._counts[place : place + 1] = [(asked, count + 1)]
        self.resources = max(self._counts, key=lambda counted: counted[1])[0]
        self.encoders |= {name: "cloudpickle" for name in _ENCODERS if getattr(function, name) == "cloudpickle"}
