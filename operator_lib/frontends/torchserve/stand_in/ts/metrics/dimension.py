"""`Dimension`: a label of a metric."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dimension:
    """Name and value."""

    name: str
    value: str
