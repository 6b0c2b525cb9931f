"""What can be called on an object, as plain data that both sides share."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from operator_lib.wire import plain
from operator_lib.wire.binding import Plan, check

KINDS = ("function", "coroutine", "generator", "async_generator")

_PARAMETER_KINDS = {kind.name.lower(): kind for kind in inspect._ParameterKind}


class Unsent:
    """Stands for a default that has no encoded form; prints as the default does."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: ``kind`` as in `inspect`, in lower case; ``default`` in the text of the json codec, if
    it has one.

    ``annotation`` is source text, ``schema`` the JSON Schema of the annotation.
    """

    name: str
    kind: str
    required: bool = True
    default: str | None = None
    default_repr: str = ""
    annotation: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)

    def value(self) -> Any:
        """The default itself, `inspect.Parameter.empty` without one."""
        if self.default is not None:
            from operator_lib.wire.tagged import Reader

            return Reader((), None).read(plain.parse(self.default.encode("utf-8", "surrogatepass")))
        missing = self.required or self.kind.startswith("var_")
        return inspect.Parameter.empty if missing else Unsent(self.default_repr)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; empty parts are left out."""
        data: dict[str, Any] = {"name": self.name, "kind": self.kind, "required": self.required}
        for key in ("default", "default_repr", "annotation", "schema"):
            if getattr(self, key):
                data[key] = getattr(self, key)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Param:
        """The other way. Raises ValueError for an unknown kind."""
        if data["kind"] not in _PARAMETER_KINDS:
            raise ValueError(f"unknown kind of parameter {data['kind']!r}")
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Method:
    """Something that can be called. Its parameters are those that the caller gives: no ``self``."""

    name: str
    kind: str = "function"
    params: tuple[Param, ...] = ()
    returns: str = ""
    doc: str = ""
    returns_schema: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    hidden: int = 0  # parameters that the caller does not give: self
    _plan: Plan | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the positional parameters, for `dumps_call`."""
        return self.plan.positional

    @property
    def plan(self) -> Plan:
        """How arguments are checked, made once."""
        if self._plan is None:
            rows = ((p.name, p.kind, p.required) for p in self.params)
            object.__setattr__(self, "_plan", Plan.of(rows, self.hidden))
        assert self._plan is not None
        return self._plan

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any], name: str = "") -> None:
        """Check a call before it is sent. Raises TypeError in Python's own words.

        >>> Method("foo", params=(Param("x", "positional_or_keyword"),)).bind((), {})
        Traceback (most recent call last):
        TypeError: foo() missing 1 required positional argument: 'x'
        """
        check(self.plan, args, kwargs, name or self.name)

    def signature(self) -> inspect.Signature:
        """For `inspect`, help and completion; annotations are source text."""
        parameters = [
            inspect.Parameter(
                param.name,
                _PARAMETER_KINDS[param.kind],
                default=param.value(),
                annotation=param.annotation or inspect.Parameter.empty,
            )
            for param in self.params
        ]
        return inspect.Signature(parameters, return_annotation=self.returns or inspect.Signature.empty)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        data: dict[str, Any] = {"name": self.name, "kind": self.kind}
        data["params"] = [param.to_json() for param in self.params]
        data |= {"returns": self.returns, "doc": self.doc, "returns_schema": dict(self.returns_schema)}
        return {**data, "hidden": self.hidden}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Method:
        """The other way; what a newer peer added is left out. Raises ValueError for an unknown kind."""
        if data["kind"] not in KINDS:
            raise ValueError(f"unknown kind of method {data['kind']!r}")
        known = {field.name for field in fields(cls) if field.init}
        parts: dict[str, Any] = {name: value for name, value in data.items() if name in known}
        parts["params"] = tuple(Param.from_json(param) for param in data["params"])
        return cls(**parts)


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything a caller may use of an object. The method ``""`` is the object itself, called.

    ``dunders`` are the special methods that the user's class has (``__len__``, ``__getitem__``, ...);
    ``dynamic`` says that it has a ``__getattr__``, so that any name may exist. ``children`` are the operators below, by
    name.
    """

    name: str
    doc: str = ""
    methods: Mapping[str, Method] = field(default_factory=dict[str, Method], hash=False)
    attributes: tuple[str, ...] = ()
    dunders: tuple[str, ...] = ()
    dynamic: bool = False
    children: Mapping[str, Schema] = field(default_factory=dict[str, "Schema"], hash=False)

    def find(self, path: str) -> Method | None:
        """The method of that name, which may lead through children: ``encoder.encode``, ``encoder`` itself called."""
        if path in self.methods:
            return self.methods[path]
        for name, child in self.children.items():
            if path == name:
                return child.methods.get("")
            if path.startswith(f"{name}.") and (found := child.find(path[len(name) + 1 :])) is not None:
                return found
        return None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        methods = {name: method.to_json() for name, method in self.methods.items()}
        lists = {"attributes": list(self.attributes), "dunders": list(self.dunders)}
        data = {"name": self.name, "doc": self.doc, "methods": methods, **lists, "dynamic": self.dynamic}
        children = {name: child.to_json() for name, child in self.children.items()}
        return {**data, "children": children} if children else data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        """The other way. What a newer peer added is left out."""
        methods = {name: Method.from_json(method) for name, method in data["methods"].items()}
        return cls(
            name=data["name"],
            doc=data.get("doc", ""),
            methods=methods,
            attributes=tuple(data.get("attributes", ())),
            dunders=tuple(data.get("dunders", ())),
            dynamic=bool(data.get("dynamic", False)),
            children={name: cls.from_json(child) for name, child in data.get("children", {}).items()},
        )
