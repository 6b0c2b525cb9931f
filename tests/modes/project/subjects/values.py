import enum
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from operator_lib import operator


class Colour(enum.Enum):
    RED = 1
    GREEN = "green"


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


@dataclass
class Point:
    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Path:
    name: str
    points: tuple[Point, ...]
    colour: Colour = Colour.RED


class Pair(NamedTuple):
    left: Any
    right: Any


@operator
def echo(value: Any = None) -> Any:
    """Gives back what it gets."""
    return value


@operator
def echo_known(value):
    """Gives back what it gets, which may be of these classes."""
    assert isinstance(value, (Point, Path, Colour, Access, Pair)), type(value)
    return value


@operator()
def foo(i: float = 4):
    return i * i


@operator
def arguments(a, b=2, *rest, c, d=4, **more):
    return a, b, rest, c, d, more


@operator
def positional(a, b=2, /, c=3):
    return a, b, c


@operator
def named(*, a, b=2):
    return a, b


@operator
def nothing():
    return None


@operator
def type_names(*values):
    return [type(value).__name__ for value in values]


@operator
def grow(items, by=(1,), seen=[]):  # noqa: B006  # the default is the point
    items.extend(by)
    return items


@operator
def rename(table, key, new):
    table[new] = table.pop(key)
    return sorted(table)


@operator
def shift(point: Point, by: float = 1.0) -> Point:
    return Point(point.x + by, point.y + by, [*point.tags, "shifted"])


@operator
def made(x):
    return Point(x), Colour.RED, Pair(x, None)


@operator
def points_of(path: Path) -> list[Point]:
    return list(path.points)


@operator
def next_colour(colour: Colour) -> Colour:
    members = list(Colour)
    return members[(members.index(colour) + 1) % len(members)]


@operator
def allowed(access: Access) -> bool:
    return Access.WRITE in access


@operator
def swap(pair: Pair) -> Pair:
    return Pair(pair.right, pair.left)


@operator
def total(array, axis=None):
    return array.sum(axis=axis)


@operator
def zeros(size):
    return bytes(size)


@operator
def size(value):
    return len(value)


times = operator(lambda a, b=10: a * b)
