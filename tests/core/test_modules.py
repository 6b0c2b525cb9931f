"""torch-like modules in the tree, found by their shape."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from operator_lib import Operator


class Module:
    """The shape of ``torch.nn.Module``: children in `_modules`, set as attributes."""

    def __init__(self) -> None:
        object.__setattr__(self, "_modules", OrderedDict())
        object.__setattr__(self, "_parameters", OrderedDict())

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self._modules[name] = value
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_modules"][name]
        except KeyError:
            raise AttributeError(name) from None

    def named_children(self) -> Iterator[tuple[str, Any]]:
        yield from self._modules.items()

    def forward(self, x: float) -> float:
        raise NotImplementedError

    def __call__(self, x: float) -> float:
        return self.forward(x)

    def __repr__(self) -> str:
        lines = [f"  ({name}): {child!r}" for name, child in self._modules.items()]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"]) if lines else f"{type(self).__name__}()"


class Linear(Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: float) -> float:
        return x * self.weight


class Net(Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Linear(2.0)
        self.second = Linear(3.0)
        self._modules["unset"] = None

    def forward(self, x: float) -> float:
        return self.second(self.first(x))


class Predict(Operator):
    def __init__(self) -> None:
        self.net = Net()
        self.heads = [Linear(10.0)]

    def forward(self, x: float) -> float:
        return self.heads[0](self.net(x))


def test_modules_are_nodes_of_the_tree() -> None:
    op = Predict()
    assert op(1.0) == 60.0
    assert [name for name, _ in op.named_operators()] == ["", "net", "net.first", "net.second", "heads.0"]
    assert [name for name, _ in op.named_children()] == ["net", "heads.0"]


def test_modules_take_part_in_what_is_done_to_a_tree() -> None:
    op = Predict()
    seen: list[str] = []
    op.apply(lambda node: seen.append(type(node).__name__))
    assert seen[-1] == "Predict"
    assert sorted(seen) == ["Linear", "Linear", "Linear", "Net", "Predict"]
    op.propagate(training=False)
    assert op.net.first.training is False
    assert op.remote_init() is op


def test_modules_show_themselves() -> None:
    assert repr(Predict()) == (
        "Predict(\n  (net): Net(\n    (first): Linear()\n    (second): Linear()\n    (unset): None\n  )\n"
        "  (heads.0): Linear()\n)"
    )


def test_a_class_that_only_looks_a_little_like_a_module_is_none() -> None:
    class Odd:
        _modules = {"a": 1}

        def forward(self) -> None: ...

    class Holder(Operator):
        def __init__(self) -> None:
            self.odd = Odd()
            self.cls = Net

    assert [name for name, _ in Holder().named_operators()] == [""]
