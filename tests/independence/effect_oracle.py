"""Says from what was seen of two runs whether calls that touch the same state were reordered.

Each call is known by its class, each class by the cells that it reads and writes. Between two writes of a cell, the
same readers must have been at work, and nobody may be at work on a cell while somebody writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# (what happened, class of the operator, thread), in the order in which it happened.
Log = list[tuple[str, str, int]]
Footprints = dict[str, tuple[frozenset[str], frozenset[str]]]


@dataclass
class Cell:
    writers: list[str] = field(default_factory=list)
    readers: list[set[str]] = field(default_factory=lambda: [set()])
    """Who has read it before the first write, between the first and the second, ..."""


def conflicts(plain: Log, fast: Log, touched: Footprints) -> list[str]:
    """What the fast run did that the plain one did not."""
    found = overlaps(fast, touched)
    one, other = cells(plain, touched), cells(fast, touched)
    for name in sorted({*one, *other}):
        before, after = one.get(name, Cell()), other.get(name, Cell())
        if before.writers != after.writers:
            found.append(f"{name}: written by {before.writers}, now by {after.writers}")
        for number, (readers, now) in enumerate(zip(before.readers, after.readers, strict=False)):
            if not readers <= now:
                found.append(f"{name}: {readers - now} no longer reads it after write {number}")
    return found


def cells(log: Log, touched: Footprints) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for event, owner, _ in log:
        if event != "call":
            continue
        reads, writes = touched[owner]
        for name in reads | writes:
            cell = found.setdefault(name, Cell())
            if name in reads:
                cell.readers[-1].add(owner)
            if name in writes:
                cell.writers.append(owner)
                cell.readers.append(set())
    return found


def overlaps(log: Log, touched: Footprints) -> list[str]:
    """Calls that were at work on a cell at the same time, one of them writing."""
    going: list[tuple[str, int]] = []
    found: list[str] = []
    for event, owner, thread in log:
        if event == "return":
            going.remove((owner, thread))
            continue
        reads, writes = touched[owner]
        for other, elsewhere in going:
            if elsewhere != thread:
                theirs, written = touched[other]
                both = (writes & (theirs | written)) | (written & (reads | writes))
                found += [f"{owner} and {other} were both at work on {name}" for name in both]
        going.append((owner, thread))
    return found
