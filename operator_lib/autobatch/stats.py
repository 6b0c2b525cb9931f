"""What a run did: steps of the machine, lanes that took part, time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Listing:
    """The source of a function of the program."""

    name: str
    file: str
    first: int
    """Number of the first line."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockStats:
    """One block: how often it ran, and for how many lanes together."""

    name: str
    line: int | None
    steps: int
    active: int
    issued: int
    lines: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    """Files and lines that something of the block was written in."""

    @property
    def utilisation(self) -> float:
        """Lanes that took part over lanes that there were."""
        return self.active / self.issued if self.issued else 0.0


@dataclass(frozen=True, slots=True)
class Stats:
    """The last call of a batched function."""

    strategy: str
    backend: str
    lanes: int
    seconds: float
    blocks: tuple[BlockStats, ...] = field(default_factory=tuple)
    peak_frames: int = 0
    """Rows of frames that were allocated at most."""
    live_frames: int = 0
    """Frames that were in use at most."""
    listings: tuple[Listing, ...] = field(default=(), repr=False)

    @property
    def steps(self) -> int:
        return sum(block.steps for block in self.blocks)

    @property
    def active(self) -> int:
        return sum(block.active for block in self.blocks)

    @property
    def issued(self) -> int:
        return sum(block.issued for block in self.blocks)

    @property
    def utilisation(self) -> float:
        """Active lanes over issued lanes, all blocks together; 1.0 where lanes run one by one."""
        return self.active / self.issued if self.issued else 1.0

    def to_svg(self) -> str:
        """The source with a bar for each line: how many of the lanes took part. Lines of machine code have none."""
        from operator_lib.autobatch.picture import drawn

        return drawn(self._head(), self.listings, self.blocks)

    def _repr_svg_(self) -> str | None:
        return self.to_svg() if self.listings else None

    def _head(self) -> str:
        return (
            f"{self.strategy} on {self.backend}: {self.lanes} lanes in {self.seconds * 1e3:.2f} ms, "
            f"{self.steps} steps, utilisation {self.utilisation:.2f}"
        )

    def __str__(self) -> str:
        rows = [
            f"  {block.name:<28} line {block.line or '-':>5}  {block.steps:>7} steps  {block.utilisation:>5.2f}"
            for block in self.blocks
            if block.steps
        ]
        return "\n".join([self._head(), *rows])
