"""``@operator``: a function or a class of the user's becomes an operator and stays what it was."""

from __future__ import annotations

import copy
import copyreg
import functools
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union, overload

from operator_lib import core
from operator_lib.core import Operator, reach
from operator_lib.options import Options

T = TypeVar("T")

# Options that act on a plain local call, `accumulate` too; the others matter on a worker only.
LOCAL = ("retries", "cacheable", "use_ctx", "batch")


@overload
def operator(target: T, /, **options: Any) -> T: ...
@overload
def operator(**options: Any) -> Callable[[T], T]: ...
def operator(target: Any = None, /, **options: Any) -> Any:
    """Make an operator of a function or a class: ``@operator``, ``@operator(...)`` or ``operator(fn, cpu=2)``.

    A function keeps its name, doc and signature and is deployed as a job; a class stays a class and is deployed as a
    serving. `options` are those of docs/reference/options.md.

    >>> @operator
    ... def double(x: int = 4) -> int:
    ...     return 2 * x
    >>> double(), double.__name__, isinstance(double, Operator)
    (8, 'double', True)

    Raises:
        TypeError: `target` is neither a class nor callable.
        OptionError: names every mistake in the options.
    """
    if target is None:
        return lambda actual: operator(actual, **options)
    if isinstance(target, Operator):
        return target.with_options(**options) if options else target
    if inspect.isclass(target):
        return wrap_class(target, options)
    return wrap_function(target, options)


def manage(options: Options) -> bool:
    """Whether calls have to go through the engine because of these options."""
    return options.accumulate is not None or any(getattr(options, name) for name in LOCAL)


class FunctionOperator(Operator):
    """A function that is an operator. Made by `operator`; transparent to ``inspect`` and to pickle."""

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        functools.update_wrapper(self, function, updated=())
        name = _name_of(function)
        self.__dict__.setdefault("__name__", name)
        self.__dict__.setdefault("__qualname__", name)
        self.__dict__["__wrapped__"] = function
        self.__dict__["_options"] = options
        self.__dict__["_managed"] = manage(options)
        if inspect.iscoroutinefunction(function) and hasattr(inspect, "markcoroutinefunction"):
            inspect.markcoroutinefunction(self)  # type: ignore[attr-defined]  # Python 3.12

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if core.intercept is None and not self._managed:
            return self.__dict__["__wrapped__"](*args, **kwargs)
        return (core.intercept or reach("engine.call", "call"))(self, args, kwargs)

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__["__wrapped__"](*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # In a class body it binds like the function that it is.
        return self if instance is None else types.MethodType(self, instance)

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007  # in annotations: RouteTo[int, even | odd]

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007

    def __copy__(self) -> FunctionOperator:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> FunctionOperator:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        # By reference where the name leads back here; else by value, as a function of `__main__` travels.
        if self.__module__ != "__main__" and importable(self):
            return self.__dict__["__qualname__"]
        return _restore, (type(self), dict(self.__dict__))


def _restore(cls: type[FunctionOperator], state: dict[str, Any]) -> FunctionOperator:
    new = object.__new__(cls)
    new.__dict__.update(state)
    return new


def importable(target: Any) -> bool:
    """Whether ``module.qualname`` of `target` leads to `target` itself."""
    found: Any = sys.modules.get(getattr(target, "__module__", None) or "")
    for part in getattr(target, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is target


def _name_of(function: Any) -> str:
    inner = function.func if isinstance(function, functools.partial) else function
    name = getattr(inner, "__name__", None) or type(inner).__name__
    return "lambda_" if name == "<lambda>" else name


def wrap_function(function: Any, options: Mapping[str, Any]) -> FunctionOperator:
    """`Operator.from_fn`."""
    if isinstance(function, (staticmethod, classmethod)) or not callable(function):
        raise TypeError(
            f"operator() takes a function or a class, got {function!r} of type {type(function).__qualname__}"
            + ("; put @operator below @staticmethod" if isinstance(function, (staticmethod, classmethod)) else "")
        )
    return FunctionOperator(function, Options.parse(_name_of(function), **options))


class ClassOperator(Operator):
    """Mixed into decorated classes, behind the user's class: the user's names win."""

    _serving = True

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if type(self).forward is Operator.forward:
            raise TypeError(f"{type(self).__name__!r} object is not callable")
        return super().__call__(*args, **kwargs)


def wrap_class(
    cls: type,
    options: Mapping[str, Any] | Options,
    behind: type[Operator] = ClassOperator,
    added: Mapping[str, Any] | None = None,
) -> type:
    """A subclass of `cls` with the same name, doc, module and signature that is an operator too.

    `behind` is mixed in behind the user's class, whose names win; `added` are attributes that win over them.
    """
    parsed = options if isinstance(options, Options) else Options.parse(cls.__name__, **options)
    body = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "__annotations__": inspect.get_annotations(cls),
        "__wrapped_class__": cls,
        "_options": parsed,
        "_managed": manage(parsed),
        **(added or {}),
    }
    if issubclass(cls, Operator) and behind is ClassOperator:
        body["_serving"] = True
        bases: tuple[type, ...] = (cls,)
    else:
        bases = (cls, behind)
    try:
        made = types.new_class(cls.__name__, bases, {}, lambda namespace: namespace.update(body))
    except TypeError as problem:
        raise TypeError(f"cannot make an operator of the class {cls.__qualname__}: {problem}") from None
    if getattr(cls, "__parameters__", ()):  # so that Made[int] works as cls[int] does
        made.__parameters__ = cls.__parameters__  # type: ignore[attr-defined]
    return made


def wrap_object(instance: object, options: Mapping[str, Any]) -> Any:
    """`Operator.from_class`: an operator that shares the attributes of `instance`."""
    if isinstance(instance, Operator):
        return instance.with_options(**options) if options else instance
    if inspect.isclass(instance):
        raise TypeError(f"from_class() takes an initialised object; {instance.__qualname__} is a class: use operator()")
    cls: Any = wrap_class(type(instance), options)
    cls.__reduce_ex__ = _reduce_object
    try:
        new = object.__new__(cls)
        new.__dict__ = instance.__dict__
    except (TypeError, AttributeError):
        try:  # a subclass of a builtin keeps its contents outside __dict__
            new = copy.copy(instance)
            new.__class__ = cls
        except TypeError:
            raise TypeError(
                f"cannot make an operator of {instance!r}: {type(instance).__qualname__} has no attributes of its own; "
                "wrap it in a class that holds it"
            ) from None
    return new


def _reduce_object(self: Any, protocol: Any) -> Any:
    """No name leads to the class of a wrapped object: it is made again where the object is unpickled."""
    cls = type(self)
    reduced = super(cls, self).__reduce_ex__(protocol)
    if reduced[0] is not _new_object_marker or reduced[1][0] is not cls:
        return reduced
    return _new_object, (cls.__wrapped_class__, cls._options, *reduced[1][1:]), *reduced[2:]


_new_object_marker = copyreg.__newobj__  # type: ignore[attr-defined]  # what object.__reduce_ex__ begins with


def _new_object(base: type, options: Options, *args: Any) -> Any:
    cls: Any = wrap_class(base, {})
    cls._options, cls._managed, cls.__reduce_ex__ = options, manage(options), _reduce_object
    return base.__new__(cls, *args)
