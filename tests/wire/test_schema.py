"""What can be called on an object: methods, parameters, errors in Python's words, JSON Schema."""

import abc
import datetime as dt
import functools
import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypedDict, TypeVar

import pytest
from annotated_types import Gt
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from operator_lib import Operator, operator, options
from operator_lib.options import Batch
from operator_lib.wire.schema import Method, Param, Schema, json_schema, schema_of

T = TypeVar("T")


class Base(abc.ABC):
    def inherited(self, x: int) -> int:
        """From the base."""
        return x

    def overridden(self): ...


class Everything(Base, Generic[T]):
    """What a class can have.

    More words.
    """

    rate: float = 0.5
    names: list[str]
    limit = 3
    _hidden: int = 0

    class Nested: ...

    def __init__(self):
        self.late = 1

    def plain(self, a, /, b: int = 2, *args: str, key: "dict[str, int] | None" = None, **more: float) -> "list[int]":
        """Does it."""

    async def coroutine(self): ...
    def generator(self):
        yield 1

    async def async_generator(self):
        yield 1

    def overridden(self, new): ...
    @staticmethod
    def static(x: int): ...
    @classmethod
    def of_class(cls, x: int): ...
    @functools.lru_cache  # noqa: B019
    def cached(self, x: int): ...

    partial = functools.partialmethod(plain, 1)
    passed = functools.partial(max, 1)

    @property
    def size(self) -> int: ...
    @functools.cached_property
    def lazy(self) -> int: ...
    def _private(self): ...
    def __call__(self, q: int) -> None: ...
    def __len__(self): ...
    def __getitem__(self, key): ...
    def __getattr__(self, name): ...


def names(method):
    return [param.name for param in method.params]


@pytest.mark.parametrize("target", [Everything, Everything()], ids=["class", "instance"])
def test_a_class_and_its_instances(target):
    schema = schema_of(target)
    assert schema.name == "Everything"
    assert schema.doc == "What a class can have.\n\nMore words."
    methods = {name: (method.kind, names(method)) for name, method in schema.methods.items()}
    assert methods == {
        "": ("function", ["q"]),
        "inherited": ("function", ["x"]),
        "overridden": ("function", ["new"]),
        "plain": ("function", ["a", "b", "args", "key", "more"]),
        "coroutine": ("coroutine", []),
        "generator": ("generator", []),
        "async_generator": ("async_generator", []),
        "static": ("function", ["x"]),
        "of_class": ("function", ["x"]),
        "cached": ("function", ["x"]),
        "partial": ("function", ["b", "args", "key", "more"]),
        "passed": ("function", ["args", "kwargs"]),
    }
    assert schema.methods["inherited"].doc == "From the base."
    assert schema.attributes == ("rate", "names", "limit", "size", "lazy")
    assert schema.dunders == ("__len__", "__getitem__")
    assert schema.dynamic
    plain = schema.methods["plain"]
    assert (plain.returns, plain.params[3].annotation) == ("list[int]", "dict[str, int] | None")
    assert str(plain.signature()) == (
        "(a, /, b: 'int' = 2, *args: 'str', key: 'dict[str, int] | None' = None, **more: 'float') -> 'list[int]'"
    )
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_an_operator_shows_what_the_user_wrote():
    class Add(Operator):
        def __init__(self, n):
            super().__init__()
            self.n = n

        def forward(self, x: int, *, twice: bool = False) -> int:
            """Adds."""
            return x + self.n

        def reset(self, to: int = 0): ...

    schema = schema_of(Add(1))
    assert {name: names(method) for name, method in schema.methods.items()} == {
        "": ["x", "twice"],
        "forward": ["x", "twice"],
        "reset": ["to"],
    }
    assert schema.methods[""].doc == "Adds."
    assert (schema.attributes, schema.dunders, schema.dynamic) == ((), (), False)
    assert schema_of(Operator).methods == {}


def test_a_decorated_function_is_the_function():
    @operator
    async def double(x: int = 4) -> int:
        """Twice."""
        return 2 * x

    for target in (double, double.__wrapped__):
        schema = schema_of(target)
        assert (schema.name, schema.doc, list(schema.methods)) == ("double", "Twice.", [""])
        method = schema.methods[""]
        assert (method.kind, str(method.signature())) == ("coroutine", "(x: 'int' = 4) -> 'int'")
    for target in (lambda a, b=1: 0, functools.partial(lambda z, a, b=1: 0, 1), operator(lambda a, b=1: 0)):
        assert names(schema_of(target).methods[""]) == ["a", "b"]
    assert names(schema_of(json.dumps).methods[""])[:2] == ["obj", "skipkeys"]
    assert names(schema_of(Everything().inherited).methods[""]) == ["x"]


def test_a_decorated_class_shows_its_own_methods():
    @operator
    class Bar:
        """A bar."""

        def __init__(self, n=1): ...
        def add(self, x: int): ...
        def map(self, x): ...

    for target in (Bar, Bar()):
        schema = schema_of(target)
        assert (schema.name, schema.doc, sorted(schema.methods)) == ("Bar", "A bar.", ["add", "map"])


def test_classes_on_top_of_builtins():
    class Items(list):
        def first(self): ...

    schema = schema_of(Items)
    assert {"first", "append", "pop"} <= set(schema.methods)
    assert set(schema.dunders) == {
        *("__len__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__iter__", "__reversed__")
    }


def test_the_context_is_not_the_callers():
    def step(ctx, x: int): ...

    assert names(schema_of(step, options.Options.parse("step", use_ctx=True)).methods[""]) == ["x"]

    class Step(Operator):
        def forward(self, ctx, x): ...
        def other(self, y): ...

    methods = schema_of(Step(), options.Options.parse("step", use_ctx=True)).methods
    assert {name: names(method) for name, method in methods.items()} == {"": ["x"], "forward": ["x"], "other": ["y"]}


def test_defaults():
    marker = object()

    def foo(a=(1, {2}), b=marker, c=dt.date(2024, 1, 1), d=b"x" * 20_000, e=None, f=float("nan")): ...

    method = Method.from_json(json.loads(json.dumps(schema_of(foo).methods[""].to_json())))
    values = {param.name: param.value() for param in method.params}
    assert values["a"] == (1, {2})
    assert values["c"] == dt.date(2024, 1, 1)
    assert values["e"] is None
    assert repr(values["b"]) == repr(marker)
    assert not any(param.required for param in method.params)
    assert len(method.params[3].default_repr) <= 200
    method.bind((), {})


FUNCTIONS = {}
for text in (
    *("", "x", "x, y", "x, y, z", "x=1", "x, y=1", "x, /", "x, /, y", "x, y=1, /, z=2", "*a", "x, *a", "**k", "x, **k"),
    *("*, k", "*, k, m", "*, k=1", "x, *, k", "x, y=1, *, k, m=2", "x, /, **k", "x, *a, k, **m", "a, b, c, d, e"),
):
    exec(f"def foo({text}): pass", FUNCTIONS)
    FUNCTIONS[text] = FUNCTIONS.pop("foo")
FUNCTIONS.pop("__builtins__")


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(FUNCTIONS)),
    st.lists(st.just(0), max_size=4),
    st.dictionaries(st.sampled_from(["x", "y", "z", "k", "m", "q", "a", "self"]), st.just(0), max_size=4),
)
def test_binding_says_what_python_says(text, args, kwargs):
    function = FUNCTIONS[text]
    method = schema_of(function).methods[""]
    expected = said(lambda: function(*args, **kwargs))
    if sys.version_info >= (3, 13):  # there Python adds a guess that needs the function itself
        expected = expected.partition(". Did you mean")[0]
    assert said(lambda: method.bind(args, kwargs, "foo")) == expected


def said(call):
    try:
        call()
    except TypeError as error:
        return str(error)
    return ""


def test_names_for_errors_are_those_of_positional_parameters():
    def foo(a, /, b, *c, d, **e): ...

    assert schema_of(foo).methods[""].names == ("a", "b")


def test_data_from_a_peer_is_checked():
    for bad in ({"name": "x", "kind": "evil"},):
        with pytest.raises(ValueError):
            Param.from_json(bad)
        with pytest.raises(ValueError):
            Method.from_json({**bad, "params": []})


class Color(Enum):
    RED = "r"
    GREEN = "g"


@dataclass
class Node:
    value: int
    color: Color = Color.RED
    children: list["Node"] = field(default_factory=list)


class Pair(NamedTuple):
    a: int
    b: str = "x"


class Options(TypedDict, total=False):
    verbose: bool


STRING = {"type": "string"}
WHOLE = {"type": "integer"}
SCHEMAS = [
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, STRING),
    (bool, {"type": "boolean"}),
    (Any, {}),
    (object, {}),
    (None, {"type": "null"}),
    (list, {"type": "array"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (set[str], {"type": "array", "items": STRING, "uniqueItems": True}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (
        tuple[int, str],
        {"type": "array", "prefixItems": [{"type": "integer"}, STRING], "minItems": 2, "maxItems": 2},
    ),
    (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
    (dict, {"type": "object", "additionalProperties": True}),
    (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045
    (int | str, {"anyOf": [{"type": "integer"}, STRING]}),
    (Literal["a", 1], {"enum": ["a", 1]}),
    (Annotated[int, "meta"], {"type": "integer"}),
    (Annotated[int, Field(ge=1, le=5, description="few")], {**WHOLE, "minimum": 1, "maximum": 5, "description": "few"}),
    (list[Annotated[float, Gt(0)]], {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}}),
    (Annotated[list[int], Field(max_length=2)], {"type": "array", "items": WHOLE, "maxItems": 2}),
    (Annotated[str, Field(min_length=1)] | None, {"anyOf": [{**STRING, "minLength": 1}, {"type": "null"}]}),
    (Color, {"title": "Color", "enum": ["r", "g"], "x-enum-varnames": ["RED", "GREEN"]}),
    (dt.datetime, {"type": "string", "format": "date-time"}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (type("Unknown", (), {}), {}),
    ("Nowhere", {}),
]


@pytest.mark.parametrize(("hint", "expected"), SCHEMAS, ids=lambda value: str(value)[:30])
def test_json_schema_of_types(hint, expected):
    def foo(x): ...

    foo.__annotations__["x"] = hint
    schema = json_schema(schema_of(foo).methods[""])
    assert schema == {
        "type": "object",
        "properties": {"x": expected},
        "additionalProperties": False,
        "required": ["x"],
    }


def test_json_schema_of_classes_and_defaults():
    def foo(node: Node, pair: Pair = Pair(1), *rest: int, options: Options | None = None, **more: int) -> Node:
        """Does it."""

    method = Method.from_json(json.loads(json.dumps(schema_of(foo).methods[""].to_json())))
    schema = json_schema(method)
    assert schema["required"] == ["node"]
    assert schema["description"] == "Does it."
    assert schema["additionalProperties"] == {"type": "integer"}
    assert schema["properties"]["node"] == {"$ref": "#/$defs/Node"}
    assert schema["properties"]["pair"]["$ref"] == "#/$defs/Pair"
    assert "rest" not in schema["properties"]
    node = schema["$defs"]["Node"]
    assert node["required"] == ["value"]
    assert node["properties"]["children"] == {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    assert node["properties"]["color"] == {
        "title": "Color",
        "enum": ["r", "g"],
        "x-enum-varnames": ["RED", "GREEN"],
        "default": "r",
    }
    assert method.returns_schema["$ref"] == "#/$defs/Node"


def test_json_schema_of_pydantic_models():
    pydantic = pytest.importorskip("pydantic")

    class Inner(pydantic.BaseModel):
        x: int = pydantic.Field(gt=0)

    class Model(pydantic.BaseModel):
        inner: Inner

    def foo(model: Model): ...

    schema = json_schema(schema_of(foo).methods[""])
    assert schema["properties"]["model"] == {"$ref": "#/$defs/Model"}
    assert schema["$defs"]["Inner"]["properties"]["x"]["exclusiveMinimum"] == 0


def test_the_signature_is_usable_by_inspect():
    signature = schema_of(Everything).methods["plain"].signature()
    assert isinstance(signature, inspect.Signature)
    assert signature.bind(1, key={}).arguments == {"a": 1, "key": {}}


def test_who_gets_batches_is_called_with_one_item():
    batch = options.Options.parse("embed", batch=Batch(8))

    def embed(
        texts: list[str], sizes: Sequence[int], other, *, nodes: list[Node] = (), array: bytes = b""
    ) -> list[float]: ...

    method = schema_of(embed, batch).methods[""]
    assert [(p.name, p.annotation.rpartition(".")[2]) for p in method.params] == [
        ("texts", "str"), ("sizes", "int"), ("other", ""), ("nodes", "Node"), ("array", ""),
    ]  # fmt: skip
    assert method.returns == "float"
    assert [p.schema.get("type") for p in method.params[:3]] == ["string", "integer", None]
    assert method.returns_schema == {"type": "number"}
    single = schema_of(embed, options.Options.parse("embed", batch=Batch(8), autobatch=True)).methods[""]
    assert single.params[0].annotation == "list[str]"
