"""What a run of the benchmarks found, and the numbers that follow from it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from benchmarks.case import Better, Case, Measurement

Status = Literal["measured", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One case and its rounds, in the unit of the case; `note` says why there are none."""

    name: str
    what: str
    unit: str
    beside: str
    goal: float
    goal_text: str
    better: Better
    limit: float | None
    status: Status
    note: str = ""
    ours: list[float] = field(default_factory=list[float])
    peer: list[float] = field(default_factory=list[float])

    @property
    def figure(self) -> float:
        """Our median; for a case held to so much more than its peer, what is more."""
        if self.limit is not None and self.peer:
            return statistics.median(a - b for a, b in zip(self.ours, self.peer, strict=True))
        return statistics.median(self.ours)

    @property
    def reference(self) -> float:
        """What it is held against: the peer's median, or the limit."""
        return statistics.median(self.peer) if self.peer else self.limit or 0.0

    @property
    def ratios(self) -> list[float]:
        """For each round: ours over the peer's, or over the limit."""
        if self.limit is None:
            return [a / b for a, b in zip(self.ours, self.peer, strict=True)]
        spared = self.peer or [0.0] * len(self.ours)
        return [(a - b) / self.limit for a, b in zip(self.ours, spared, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of `ratios`."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal if self.better == "lower" else self.ratio >= self.goal


def measured(case: Case, found: Measurement) -> Row:
    return _row(case, "measured", ours=found.ours, peer=found.peer)


def unmeasured(case: Case, status: Status, note: str) -> Row:
    return _row(case, status, note=note)


def _row(case: Case, status: Status, **more: Any) -> Row:
    return Row(
        case.name, case.what, case.unit, case.beside, case.goal, case.goal_text, case.better, case.limit, status, **more
    )


@dataclass(frozen=True, slots=True)
class Report:
    """One run: where, when, with what, and a row for each case."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    taken: str
    """UTC, ISO 8601."""
    rounds: int
    quick: bool
    rows: list[Row]

    def to_json(self) -> str:
        document = asdict(self)
        for row, entry in zip(self.rows, document["rows"], strict=True):
            if row.status == "measured":
                entry |= {"figure": row.figure, "reference": row.reference, "ratio": row.ratio, "met": row.met}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> Report:
    """The report that was written to `path`.

    Raises:
        SystemExit: there is none, or it is of another version of this program.
    """
    try:
        document = json.loads(path.read_text())
        known = {f.name for f in fields(Row)}
        rows = [Row(**{k: v for k, v in entry.items() if k in known}) for entry in document.pop("rows")]
        return Report(rows=rows, **document)
    except FileNotFoundError:
        raise SystemExit(f"{path} does not exist; run first: python -m benchmarks") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SystemExit(f"{path} cannot be read ({error}); run again: python -m benchmarks") from None
