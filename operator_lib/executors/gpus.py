"""Graphics cards of this machine: which there are, which process has which."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from operator_lib.errors import NotReady
from operator_lib.options import GpuSpec, Options

# Seconds for the driver's tool to answer; a card that sleeps takes its time.
ANSWER = 30.0


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a card: a version of a serving, or somebody who replaces nobody."""

    serving: str = ""
    version: int = 0

    def replaces(self, other: Owner) -> bool:
        """Whether the other one goes when this one is there."""
        return bool(self.serving) and self.serving == other.serving and self.version != other.version


NOBODY = Owner()


@dataclass(eq=False, slots=True)
class Card:
    """One card."""

    index: int
    """In the order of the bus."""
    name: str
    """As the driver calls it: ``NVIDIA H100 80GB HBM3``."""
    takers: list[Taken] = field(default_factory=list["Taken"])

    def is_a(self, model: str) -> bool:
        """Whether all words of `model` (``A100-80GB``) are in its name."""
        return set(_words(model)) <= set(_words(self.name))

    def free(self, share: Fraction, owner: Owner) -> bool:
        """Whether so much of it is left, not counting what other versions of `owner` have, which are to let go."""
        return sum((taken.share for taken in self.takers if not owner.replaces(taken.owner)), share) <= 1


@dataclass(eq=False, slots=True)
class Taken:
    """Cards that a process has; none where it asked for none."""

    cards: tuple[Card, ...] = ()
    share: Fraction = Fraction(1)
    owner: Owner = NOBODY
    place: str = ""
    """What the executor calls it, where it has to find it again."""

    @property
    def environment(self) -> dict[str, str]:
        """By which CUDA shows a process its own cards and no others."""
        if not self.cards:
            return {}
        visible = ",".join(str(card.index) for card in self.cards)
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": visible}


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z0-9]+", name.upper())


class Cards:
    """All cards, looked up when somebody first asks for one."""

    def __init__(self) -> None:
        self._looked_up: asyncio.Task[list[Card]] | None = None
        self._freed = asyncio.Event()

    async def _all(self) -> list[Card]:
        if self._looked_up is None:
            self._looked_up = asyncio.create_task(asyncio.to_thread(present))
        return await asyncio.shield(self._looked_up)

    async def lack(self, wanted: Sequence[GpuSpec] | None) -> str:
        """Why none of `wanted` can ever be had here; empty when one can."""
        cards = await self._all() if wanted else []
        if not wanted or any(sum(card.is_a(spec.model) for card in cards) >= spec.count for spec in wanted):
            return ""
        there = ", ".join(card.name for card in cards) or "no graphics cards that nvidia-smi shows"
        return f"gpu: asks for {' or '.join(map(str, wanted))}, this worker has {there}"

    async def take(self, options: Options, owner: Owner) -> Taken:
        """The first of those wanted that is free for `owner`.

        Raises:
            NotReady: none is free.
        """
        wanted = options.gpu
        taken = self._take(await self._all() if wanted else [], wanted or (), owner)
        if taken is None:
            asked = " or ".join(map(str, wanted or ()))
            raise NotReady(f"no graphics card is free (asked for {asked}); scale another serving down, or try later")
        return taken

    async def wait(
        self, options: Options, what: str = "", name: str = "", tell: Callable[[str], None] = lambda why: None
    ) -> Taken:
        """The first of those wanted that is free, as soon as one is."""
        wanted = options.gpu
        cards = await self._all() if wanted else []
        while (taken := self._take(cards, wanted or (), NOBODY)) is None:
            await self._freed.wait()
        return taken

    def _take(self, cards: list[Card], wanted: Sequence[GpuSpec], owner: Owner) -> Taken | None:
        if not wanted:
            return Taken()
        for spec in wanted:
            share = Fraction(1, spec.split)
            free = [card for card in cards if card.is_a(spec.model) and card.free(share, owner)]
            if len(free) >= spec.count:
                # Shares of a card go where others are, whole cards where nobody is (not even who is to let go).
                free.sort(key=lambda card: len(card.takers), reverse=spec.split > 1)
                taken = Taken(tuple(free[: spec.count]), share, owner)
                for card in taken.cards:
                    card.takers.append(taken)
                return taken
        return None

    async def look(self, options: Options) -> Taken:
        """Cards such as are wanted, whoever has them: for a process that is there for a moment."""
        wanted = options.gpu
        cards = await self._all() if wanted else []
        for spec in wanted or ():
            fitting = [card for card in cards if card.is_a(spec.model)]
            if len(fitting) >= spec.count:
                return Taken(tuple(fitting[: spec.count]))
        return Taken()

    def give_back(self, taken: Taken) -> None:
        """Its process is gone."""
        for card in taken.cards:
            with contextlib.suppress(ValueError):
                card.takers.remove(taken)
        if taken.cards:
            self._freed.set()
            self._freed = asyncio.Event()


def present() -> list[Card]:
    """The cards that the driver's tool shows, as far as this process may use them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    asked = [tool, "--query-gpu=index,uuid,name", "--format=csv,noheader"]
    try:
        shown = subprocess.run(asked, capture_output=True, text=True, timeout=ANSWER, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = None if allowed is None else [part.strip() for part in allowed.split(",")]
    found: list[Card] = []
    for line in shown.splitlines():
        index, uuid, name = (part.strip() for part in line.split(",", 2))
        if visible is None or index in visible or any(part and uuid.startswith(part) for part in visible):
            found.append(Card(int(index), name))
    return found
