"""`function` and `Model`: functions and classes with a header, as operators that are deployed as servings."""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from operator_lib import options
from operator_lib.core import Operator, either
from operator_lib.decorator import ClassOperator, FunctionOperator, wrap_class
from operator_lib.engine import variables
from operator_lib.errors import OptionError
from operator_lib.frontends.sieve import header
from operator_lib.frontends.sieve.beside import Beside
from operator_lib.frontends.sieve.callees import callees, has_header
from operator_lib.frontends.sieve.callees import plain as own_code
from operator_lib.frontends.sieve.calling import Calling
from operator_lib.frontends.sieve.place import Pushed
from operator_lib.frontends.sieve.reference import Reference
from operator_lib.frontends.sieve.waiting import drawn


class Remote(Operator):
    """What functions and models have in common: they can be run elsewhere."""

    # See runner/calls.py and client/deploy.py.
    _operator_calls_others = True
    _operator_variables_come_later = True

    @either
    def run(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it on the worker and wait for the value. It is deployed first; unless it has changed, nothing is sent.

        Of a generator, also an async one, the value is an iterator, whose items come as they are asked for.

        Args:
            kwargs: those of the function; and ``env``, values of its variables for this call, unless the function has
                a parameter of that name.

        Raises:
            Exception: what the function raises. DeployError: it cannot be deployed.
        """
        return calling(self).run(args, kwargs, functools.partial(_deploy, self))

    @either
    def push(self, /, *args: Any, **kwargs: Any) -> Pushed:
        """Call it on the worker; a `concurrent.futures.Future` of the value. For the arguments see `run`.

        A call that waits for its turn here can be cancelled; one that has been sent cannot.
        """
        return calling(self).push(args, kwargs, functools.partial(_deploy, self))

    def map(
        self, inputs: Iterable[Any], workers: int = -1, *, ordered: bool = True, return_exceptions: bool = False
    ) -> list[Any]:
        """See `Operator.map`: calls in this process. Async generators become iterators, as with `run`."""
        found = super().map(inputs, workers, ordered=ordered, return_exceptions=return_exceptions)
        return [drawn(value) if inspect.isasyncgen(value) else value for value in found]

    @either
    def deploy(self, group_id: str = "", *args: Any, **kwargs: Any) -> Any:
        """See `Operator.deploy`. What it calls by ``run`` or ``push`` is deployed with it."""
        return _deploy(self, group_id, *args, **kwargs)


def _deploy(target: Any, *args: Any, **kwargs: Any) -> Any:
    plain: Callable[..., Any] = Operator.__dict__["deploy"].function
    _check_name(target)
    if not kwargs.get("dry_run"):
        place = {name: kwargs[name] for name in ("address", "token") if name in kwargs}
        for other in callees(target, Remote):
            _check_name(other)
            plain(other, **place)
    return plain(target, *args, **kwargs)


_names: dict[str, weakref.ref[Any]] = {}  # the user's functions and classes by the names that they were deployed under


def _check_name(target: Any) -> None:
    """Each has a name of its own: what is deployed under the name of another one would take its place.

    Raises:
        OptionError: another one of this program has it. TypeError: a class has no header, only one that it is derived
            from.
    """
    kind = target if isinstance(target, type) else type(target)
    name = str((options.of(target) or options.Options()).name)
    if issubclass(kind, ModelBase) and not has_header(kind):
        raise TypeError(
            f"{kind.__qualname__} is derived from the model {name!r}, but is none: give it @sieve.Model(name=)"
        )
    own = own_code(target)
    before = _names.get(name, lambda: None)()
    if before is not None and _place(before) != _place(own):
        raise OptionError(f"{name}.name: {_place(before)} has it, too; {_place(own)} needs a name of its own")
    _names[name] = weakref.ref(own)


def _place(own: Any) -> str:
    return f"{own.__module__}.{own.__qualname__}"


calling = Beside(Calling)


class Function(Remote, FunctionOperator):
    """What `function` makes of a function: called like the function, or elsewhere."""


class ModelBase(Remote, ClassOperator):
    """Mixed into models, behind the user's class. ``__setup__`` runs once for each object, before its first call."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        _ready(self).see_to()
        return super().__call__(*args, **kwargs)

    def __remote_init__(self) -> None:
        _ready(self).see_to()


class Ready:
    """Whether ``__setup__`` of an object has run in this process."""

    def __init__(self, model: Any) -> None:
        self._model = weakref.ref(model)
        self._lock = threading.RLock()  # `__setup__` may make a call, to warm up
        self._done = False

    def see_to(self) -> None:
        """Run it, unless it has run."""
        if self._done:
            return
        with self._lock:
            model = self._model()
            if self._done or model is None:
                return
            self._done = True
            try:
                _set_up(model)
            except BaseException:
                self._done = False
                raise


_ready = Beside(Ready)


def _set_up(model: Any) -> None:
    setup = getattr(model, "__setup__", None)
    if setup is None:
        return
    try:
        setup()
    except KeyError as error:
        chosen = options.of(model) or options.Options()
        name, asked = str(chosen.name), chosen.environment_variables
        variables.explain(name, [e.name for e in asked if e.default is None], error)
        if error.args[0] in [e.name for e in asked]:
            error.add_note(
                f"{name}: {error.args[0]} has its default where run and push call; called plainly, set it here"
            )
        raise


class Decorator:
    """``@sieve.function(...)`` and ``@sieve.Model(...)``."""

    def __init__(self, word: str) -> None:
        self._word = word

    def __call__(self, name: str = "", **parameters: Any) -> Callable[[Any], Any]:
        """Make a function, or a class with ``__predict__``, one that can be run on a worker.

        Args:
            name: of the deployment; required.
            parameters: see docs/guides/moving-from-sieve.md; other options of this library are taken, too.

        Raises:
            TypeError: there is no name, or a class has no ``__predict__``.
            OptionError: names every mistake in the parameters.
        """
        if not isinstance(name, str) or not name:
            raise TypeError(f"sieve.{self._word} needs a name: @sieve.{self._word}(name='...')")
        chosen = header.options_of(name, **parameters)
        return lambda target: made(target, chosen, self._word)

    def get(self, name: str) -> Reference:
        """A function or model that is deployed: ``"owner/name"``, ``"name"``, ``"owner/name:version"``.

        `version` is a number, or the beginning of a fingerprint, of at least four characters. Nothing is looked up
        before the first call.
        """
        return Reference(name)

    def __repr__(self) -> str:
        return f"sieve.{self._word}"


def made(target: Any, chosen: options.Options, word: str) -> Any:
    """The operator of a function or of a class."""
    if inspect.isclass(target):
        predict: Any = getattr(target, "__predict__", None)
        if not callable(predict):
            raise TypeError(f"{target.__qualname__} has no __predict__; it is what a call of a model runs")
        return wrap_class(target, chosen, ModelBase, {"forward": predict})
    if word == "Model" or not callable(target):
        what = "a class with __predict__" if word == "Model" else "a function or a class"
        raise TypeError(f"sieve.{word} takes {what}, got {target!r}")
    return Function(target, chosen)


function = Decorator("function")
Model = Decorator("Model")
