"""``@operator`` on classes: the class stays a class."""

from __future__ import annotations

import abc
import dataclasses
import enum
import inspect
from typing import Any, Generic, Protocol, TypeVar

import pytest

from operator_lib import Operator, operator
from operator_lib.errors import OptionError


class Plain:
    """A counter."""

    def __init__(self, x: int = 1, *, step: int = 1) -> None:
        self.x = x
        self.step = step

    def inc(self) -> int:
        self.x += self.step
        return self.x


@operator
class Bar(Plain):
    """A bar."""

    kind = "bar"

    def getvalue(self) -> int:
        return self.x


def test_it_is_a_class() -> None:
    assert inspect.isclass(Bar)
    assert isinstance(Bar(), Bar)
    assert isinstance(Bar(), Plain)
    assert isinstance(Bar(), Operator)
    assert issubclass(Bar, Plain)
    assert type(Bar()) is Bar


def test_name_doc_module_and_signature_are_kept() -> None:
    assert (Bar.__name__, Bar.__qualname__, Bar.__module__, Bar.__doc__) == ("Bar", "Bar", __name__, "A bar.")
    assert inspect.signature(Bar) == inspect.signature(Plain)
    assert inspect.signature(Bar.getvalue) == inspect.signature(Bar.__wrapped_class__.getvalue)


def test_objects_work_as_ever() -> None:
    bar = Bar(5, step=2)
    assert bar.inc() == 7
    assert bar.getvalue() == 7
    bar.x = 1
    assert bar.getvalue() == 1
    assert vars(bar) == {"x": 1, "step": 2}
    assert Bar.kind == bar.kind == "bar"
    with pytest.raises(AttributeError, match="absent"):
        _ = bar.absent


def test_subclasses() -> None:
    class Sub(Bar):
        def __init__(self) -> None:
            super().__init__(10)

        def inc(self) -> int:
            return super().inc() + 100

    sub = Sub()
    assert sub.inc() == 111
    assert isinstance(sub, Bar)
    assert isinstance(sub, Operator)
    assert Sub.__mro__.index(Bar) < Sub.__mro__.index(Operator)


@pytest.mark.parametrize("decorator", [operator, operator(), operator(cpu=2), Operator.fn(), Operator.fn(cpu=2)])
def test_every_way_to_decorate(decorator: Any) -> None:
    made = decorator(Plain)
    assert made.__name__ == "Plain"
    assert made(3).inc() == 4
    assert not issubclass(Plain, Operator)
    assert operator(Plain, cpu=2)().x == 1


def test_the_zero_argument_super_and_class_cell() -> None:
    @operator
    class Inner(Plain):
        def __init__(self) -> None:
            super().__init__(7)

        def me(self) -> type:
            return __class__  # type: ignore[name-defined]  # noqa: F821

    assert Inner().x == 7
    assert issubclass(Inner, Inner().me())


def test_abstract_classes() -> None:
    @operator
    class Base(abc.ABC):
        @abc.abstractmethod
        def work(self) -> int: ...

    class Done(Base):
        def work(self) -> int:
            return 1

    with pytest.raises(TypeError, match="abstract"):
        Base()
    assert Done().work() == 1
    assert isinstance(Done(), Operator)


def test_dataclasses() -> None:
    @operator
    @dataclasses.dataclass
    class Point:
        x: int
        y: int = 2

        def total(self) -> int:
            return self.x + self.y

    point = Point(1)
    assert point == Point(1, 2)
    assert point.total() == 3
    assert dataclasses.is_dataclass(Point)
    assert dataclasses.asdict(point) == {"x": 1, "y": 2}
    assert dataclasses.replace(point, y=5).total() == 6
    assert list(inspect.signature(Point).parameters) == ["x", "y"]
    assert "x=1, y=2" in repr(point)


def test_dataclasses_the_other_way_round() -> None:
    @dataclasses.dataclass(order=True)
    @operator
    class Point:
        x: int

    assert Point(1) < Point(2)
    assert isinstance(Point(1), Operator)


def test_generic_classes_and_protocols() -> None:
    T = TypeVar("T")

    class HasWork(Protocol):
        def work(self) -> int: ...

    @operator
    class Box(Generic[T]):
        def __init__(self, item: T) -> None:
            self.item = item

        def work(self) -> T:
            return self.item

    work: HasWork = Box[int](3)
    assert work.work() == 3
    assert Box[int](3).item == 3


def test_metaclasses_init_subclass_and_slots() -> None:
    made: list[str] = []

    class Meta(type):
        pass

    class Base(metaclass=Meta):
        def __init_subclass__(cls, **options: Any) -> None:
            super().__init_subclass__(**options)
            made.append(cls.__name__)

    @operator
    class Slotted(Base):
        __slots__ = ("x",)

        def __init__(self) -> None:
            self.x = 5

    assert Slotted().x == 5
    assert type(Slotted) is Meta
    assert set(made) == {"Slotted"}


def test_subclasses_of_builtins() -> None:
    @operator
    class Stack(list):  # type: ignore[type-arg]
        def top(self) -> Any:
            return self[-1]

    stack = Stack([1, 2])
    stack.append(3)
    assert stack.top() == 3
    assert stack == [1, 2, 3]
    assert len(stack) == 3
    assert not Stack()


def test_an_exception_class_or_enum_is_a_class_too() -> None:
    class Colour(enum.Enum):
        RED = 1

    with pytest.raises(TypeError, match="Colour"):
        operator(Colour)


def test_a_subclass_of_operator() -> None:
    @operator(cpu=2)
    class Node(Operator):
        def __init__(self, n: int = 1) -> None:
            super().__init__()
            self.n = n

        def forward(self, x: int) -> int:
            return x + self.n

    assert Node(2)(1) == 3
    assert "cpu=2" in repr(Node())
    assert [name for name, _ in Node().named_operators()] == [""]


@operator
class Names:
    """Uses the library's names for its own purposes."""

    def __init__(self) -> None:
        self.children = ["c"]
        self.nodes = 5
        self._options = "mine"

    def deploy(self, x: int) -> int:
        return x

    def map(self, f: Any) -> str:
        return "my map"

    def submit(self) -> str:
        return "my submit"

    def dag(self) -> str:
        return "my dag"

    @property
    def operators(self) -> str:
        return "my operators"

    @classmethod
    def from_job(cls) -> str:
        return "my from_job"

    def __repr__(self) -> str:
        return "my repr"

    apply = None


def test_the_users_names_win() -> None:
    op = Names()
    assert op.children == ["c"]
    assert op.nodes == 5
    assert op._options == "mine"
    assert op.deploy(3) == 3
    assert op.map(len) == "my map"
    assert op.submit() == "my submit"
    assert op.dag() == "my dag"
    assert op.operators == "my operators"
    assert Names.from_job() == "my from_job"
    assert repr(op) == "my repr"
    assert op.apply is None


def test_children_of_decorated_classes_are_found() -> None:
    class Holder(Operator):
        def __init__(self) -> None:
            self.bar = Bar(3)
            self.names = Names()

        def forward(self) -> int:
            return self.bar.inc()

    assert [name for name, _ in Holder().named_operators()] == ["", "bar", "names"]
    assert Holder()() == 4


def test_special_methods_exist_only_where_the_user_wrote_them() -> None:
    bar: Any = Bar()
    for call in (lambda: len(bar), lambda: bar[0], lambda: iter(bar), lambda: 1 in bar, lambda: next(bar)):
        with pytest.raises(TypeError):
            call()
    assert bool(bar) is True


def test_calling_an_object_that_cannot_be_called() -> None:
    with pytest.raises(TypeError, match="'Bar' object is not callable"):
        Bar()()


def test_calling_an_object_that_can() -> None:
    @operator
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    @operator
    class Forwarder:
        def forward(self, x: int) -> int:
            return x + 2

    assert Adder()(1) == 2
    assert Forwarder()(1) == 3


def test_the_users_getattr_is_asked() -> None:
    @operator
    class Echo:
        def __init__(self) -> None:
            self.real = 1

        def __getattr__(self, name: str) -> str:
            return f"echo {name}"

    assert Echo().real == 1
    assert Echo().anything == "echo anything"
    assert Echo().__wrapped__ == "echo __wrapped__"
    assert repr(Echo()) == "Echo()"
    assert [name for name, _ in Echo().named_operators()] == [""]


def test_mistakes_in_options() -> None:
    with pytest.raises(OptionError, match=r"Plain\.cpu"):
        operator(Plain, cpu=1000)


# --- initialised objects


def test_from_class_shares_the_attributes() -> None:
    original = Plain(7)
    wrapped = Operator.from_class(original)
    assert isinstance(wrapped, Operator)
    assert isinstance(wrapped, Plain)
    assert wrapped.x == 7
    wrapped.inc()
    original.inc()
    assert original.x == wrapped.x == 9
    assert type(wrapped).__name__ == "Plain"


def test_from_class_of_a_builtin_keeps_what_is_in_it() -> None:
    class Stack(list):  # type: ignore[type-arg]
        pass

    wrapped = Operator.from_class(Stack([1, 2]))
    assert list(wrapped) == [1, 2]


def test_from_class_refuses_classes_and_objects_without_attributes() -> None:
    with pytest.raises(TypeError, match=r"Plain is a class: use operator\(\)"):
        Operator.from_class(Plain)
    with pytest.raises(TypeError, match="cannot make an operator of 5"):
        Operator.from_class(5)


def test_from_class_of_an_operator_is_itself() -> None:
    bar = Bar()
    assert Operator.from_class(bar) is bar
