"""`Resource`: machine, time and retries in one object, the way nbox says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.options.checks import Bad, integer, number, settle, show
from operator_lib.options.gpu import GpuSpec, as_gpu
from operator_lib.options.retries import MAX_RETRIES, Retries

UNITS = {
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
LEAST_SPACE = 2.0**-6  # GB, which is 16 MiB: less is a forgotten unit, as in memory="4"
QUANTITY = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)([A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class Resource:
    """What an operator needs. A field that is None says nothing.

    Plain numbers follow the limits of the options of the same meaning. Quantities (``"500m"`` CPUs,
    ``"256Mi"``) are requests in the style of Kubernetes and may be smaller than those.

    Attributes:
        cpu: CPUs.
        memory, disk_size: GB (2**30 bytes).
        gpu, gpu_count: as for the option `gpu`, the count apart; ``"none"`` is no GPU.
        timeout: seconds.
        max_retries: see `Retries`.

    Raises:
        OptionError: a value is of the wrong type or out of range.

    >>> Resource(cpu="500m", memory="256Mi")
    Resource(cpu=0.5, memory=0.25, disk_size=None, gpu=None, gpu_count=None, timeout=None, max_retries=None)
    """

    cpu: float | str | None = None
    memory: float | str | None = None
    disk_size: float | str | None = None
    gpu: str | GpuSpec | list[Any] | tuple[Any, ...] | None = None
    gpu_count: int | str | None = None
    timeout: int | None = None
    max_retries: int | None = None

    def __post_init__(self) -> None:
        settle("Resource", self, CHECKS)
        if self.gpu_count is not None:
            settle("Resource", self, {"gpu_count": self._count_fits})

    def _count_fits(self, count: int) -> int:
        if self.gpu is None and count:
            raise Bad(f"needs gpu=, got {count} of nothing")
        if self.gpu is not None and not count:
            raise Bad("must be 1 to 8 when gpu= is given, got 0")
        cards: tuple[GpuSpec, ...] = self.gpu or ()  # pyright: ignore[reportAssignmentType]
        if any((card.split > 1 and count > 1) or card.count not in (1, count) for card in cards):
            raise Bad(f"contradicts gpu={' or '.join(map(str, cards))}, got {count}")
        return count

    def options(self) -> dict[str, Any]:
        """The same in the words of the options, only what was said."""
        cards: tuple[GpuSpec, ...] | None = self.gpu  # pyright: ignore[reportAssignmentType]
        if cards and self.gpu_count:
            cards = tuple(GpuSpec(card.model, int(self.gpu_count), card.split) for card in cards)
        said = {
            "cpu": self.cpu,
            "memory": self.memory,
            "ephemeral_disk": self.disk_size,
            "gpu": cards,
            "timeout": self.timeout,
            "retries": None if self.max_retries is None else Retries(self.max_retries),
        }
        return {name: value for name, value in said.items() if value is not None}


def _quantity(
    low: float, high: float, least: float, unit: Callable[[float, str], float]
) -> Callable[[Any], float | None]:
    plain = number(low, high)

    def check(value: Any) -> float | None:
        if value is None:
            return None
        if not isinstance(value, str):
            return plain(value)
        match = QUANTITY.fullmatch(value)
        if not match:
            raise Bad(f"must be a number or a quantity such as '500m' or '256Mi', got {show(value)}")
        size = unit(float(match[1]), match[2])
        if not least <= size <= high:
            raise Bad(f"must be a quantity between {least} and {high}, got {show(value)}, which is {size:g}")
        return size

    return check


def _cpus(size: float, unit: str) -> float:
    if unit not in ("", "m"):
        raise Bad(f"must be CPUs such as '2' or '500m', got the unit {unit!r}")
    return size / 1000 if unit else size


def _gigabytes(size: float, unit: str) -> float:
    if unit not in UNITS:
        raise Bad(f"must end in one of {' '.join(UNITS).strip()} or in no unit (bytes), got {unit!r}")
    return size * UNITS[unit] / 2.0**30


def _gpu(value: Any) -> tuple[GpuSpec, ...] | None:
    return None if isinstance(value, str) and value.lower() in ("none", "") else as_gpu(value)


def _whole(low: int, high: int) -> Callable[[Any], int | None]:
    check = integer(low, high)

    def whole(value: Any) -> int | None:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,7}", value):
            value = int(value)
        return None if value is None else check(value)

    return whole


CHECKS = {
    "cpu": _quantity(1.0, 8.0, 0.001, _cpus),
    "memory": _quantity(1.0, 32.0, LEAST_SPACE, _gigabytes),
    "disk_size": _quantity(2.0, 50.0, LEAST_SPACE, _gigabytes),
    "gpu": _gpu,
    "gpu_count": _whole(0, 8),
    "timeout": _whole(1, 172_800),
    "max_retries": _whole(0, MAX_RETRIES),
}


def as_resource(value: Any) -> Resource:
    """A `Resource`, or a dict of its fields (`ephemeral_disk` is taken for `disk_size` too)."""
    if isinstance(value, Resource):
        return value
    if not isinstance(value, Mapping):
        raise Bad(f"must be Resource(...) or a dict, got {show(value)}")
    known = [field.name for field in fields(Resource)]
    given = {("disk_size" if key == "ephemeral_disk" else key): item for key, item in value.items()}
    unknown = [key for key in given if key not in known]
    if unknown or len(given) != len(value):
        raise Bad(f"must have only the keys {', '.join(known)}, each once, got {show(unknown or list(value))}")
    try:
        return Resource(**given)
    except OptionError as error:
        raise Bad(str(error).replace("Resource.", "").replace("\n", "; ")) from None
