"""`tensorlake_function` and `TensorlakeCompute`: functions and classes with the options of the SDK, as operators."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operator_lib import errors, options
from operator_lib.core import Operator
from operator_lib.decorator import FunctionOperator, manage
from operator_lib.frontends.tensorlake.binding import Item, bound
from operator_lib.frontends.tensorlake.construction import constructed
from operator_lib.frontends.tensorlake.context import GraphRequestContext
from operator_lib.frontends.tensorlake.image import Image

DEFAULTS: Mapping[str, Any] = {
    "name": "",
    "description": "",
    "image": None,
    "accumulate": None,
    "input_encoder": "json",
    "output_encoder": "json",
    "secrets": None,
    "use_ctx": False,
    "inject_ctx": False,
    "retries": None,
    "timeout": 300,
    "cpu": 1.0,
    "memory": 1.0,
    "ephemeral_disk": 2.0,
    "gpu": None,
    "next": None,
    "cacheable": False,
    "region": None,
}


class TensorlakeCompute(Operator):
    """Base of functions that are classes: options are class attributes, ``run`` is the function.

    The constructor takes no arguments. It runs once in each process that calls the function, before the first call.

    Raises:
        OptionError: an attribute is wrong; raised where the class is defined.
    """

    name: str = ""
    description: str = ""
    image: Image | None = None
    accumulate: Any = None
    input_encoder: str = "json"
    output_encoder: str = "json"
    secrets: Sequence[str] | None = None
    use_ctx: bool = False
    inject_ctx: bool = False
    retries: Any = None
    timeout: int = 300
    cpu: float = 1.0
    memory: float = 1.0
    ephemeral_disk: float = 2.0
    gpu: Any = None
    next: Any = None
    cacheable: bool = False
    region: str | None = None

    # For those who only read a class: which method is its `forward`, and which attributes are its options.
    _operator_entry = "run"
    _operator_attributes = tuple(DEFAULTS)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "run" in cls.__dict__ and "forward" not in cls.__dict__:
            cls.forward = _forward(cls.__dict__["run"])  # type: ignore[method-assign]
        if issubclass(cls, FunctionOperator):
            return
        cls.name = cls.__dict__.get("name") or cls.__name__
        given = {name: getattr(cls, name) for name in DEFAULTS}
        cls._options = parsed(cls.__name__, {**given, "description": given["description"] or cls.__doc__ or ""})
        cls._managed = manage(cls._options)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """What this function does. Subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must implement run()")

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


def _forward(run: Callable[..., Any]) -> Callable[..., Any]:
    """The `forward` of a class with this ``run``."""

    @functools.wraps(run)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        given, named = received(self._options, run, args)
        return run(constructed(self), *given, **named, **kwargs)

    return forward


class Function(FunctionOperator, TensorlakeCompute):
    """What `tensorlake_function` makes of a function: called like the function, with the attributes of a class."""

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        function = self.__dict__["__wrapped__"]
        given, named = received(self.__dict__["_options"], function, args)
        return function(*given, **named, **kwargs)

    @property
    def run(self) -> Callable[..., Any]:  # type: ignore[override]
        """The plain function."""
        return self.__dict__["__wrapped__"]

    def __getattribute__(self, name: str) -> Any:
        if name == "next":  # not kept as an attribute: what follows a function is no part of it
            return list(object.__getattribute__(self, "__dict__")["_options"].next) or None
        if name in DEFAULTS:
            return object.__getattribute__(self, "__dict__")["_asked"].get(name, DEFAULTS[name])
        return object.__getattribute__(self, name)


def tensorlake_function(name: str | None = None, description: str = "", **asked: Any) -> Callable[[Any], Any]:
    """Make a function one that a `Graph` can call. It can still be called as it was.

    Args:
        name: in graphs; that of the function by default.
        description: the docstring by default.
        asked: options, as named in `DEFAULTS`.

    Raises:
        OptionError: names every mistake.
    """
    if callable(name):
        return tensorlake_function()(name)

    def construct(function: Callable[..., Any]) -> Function:
        said = {"name": name, "description": description or function.__doc__ or "", **asked}
        made = Function(function, options.Options())
        made.__dict__["_options"] = chosen = parsed(made.__name__, {**DEFAULTS, **said})
        made.__dict__["_managed"] = manage(chosen)
        made.__dict__["_asked"] = {**said, "name": name or made.__name__, "next": None}
        return made

    return construct


def parsed(owner: str, given: Mapping[str, Any]) -> options.Options:
    """The options of a function."""
    said = dict(given)
    said["use_ctx"] = said["use_ctx"] or said.pop("inject_ctx", None) or False
    said.pop("inject_ctx", None)
    if not isinstance(region := said.pop("region"), str | None):
        raise errors.OptionError(f"{owner}.region: must be text, got {region!r}")
    if isinstance(said["image"], Image):
        said["image"] = said["image"].asked
    said["secrets"] = said["secrets"] or ()
    return options.Options.parse(owner, **said)


# --- calls -------------------------------------------------------------------------------------------------------


def received(
    chosen: options.Options, function: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a call hands to the user's function: the context in its dress, and an item as its arguments."""
    if chosen.use_ctx and args:
        args = (GraphRequestContext.of(args[0]), *args[1:])
    if args and isinstance(args[-1], Item):
        given, named = bound(function, args[-1].value)
        return (*args[:-1], *given), named
    return args, {}
