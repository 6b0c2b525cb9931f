"""How one function or model is called: on a worker, deployed first, or in this process."""

from __future__ import annotations

import inspect
import os
import secrets
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

from operator_lib import options
from operator_lib.core import Operator, reach
from operator_lib.engine import variables
from operator_lib.engine.turn import ChainTurn, Turn, chain, held, working_for
from operator_lib.errors import NotFound
from operator_lib.frontends.sieve.place import Pushed, There, deployed, settle
from operator_lib.frontends.sieve.reference import named
from operator_lib.frontends.sieve.variables import overrides
from operator_lib.frontends.sieve.waiting import settled

# Set to anything but 0: nothing is deployed, ``run`` and ``push`` call in this process.
SWITCH = "SIEVE_LOCAL"

_here = False


@contextmanager
def local() -> Generator[None]:
    """``with sieve.local():`` ``run`` and ``push`` call in this process; nothing is deployed, no worker is needed."""
    global _here
    before, _here = _here, True
    try:
        yield
    finally:
        _here = before


def is_local() -> bool:
    """Whether calls stay in this process."""
    return _here or os.environ.get(SWITCH, "0") not in ("", "0")


class Calling:
    """Calls of one target: a function, the class of a model, or an object of one."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._turn = ChainTurn() if inspect.isclass(target) or "__wrapped__" not in vars(target) else Turn()
        self._lock = threading.Lock()
        self._connection: Any = None
        self._place: There | None = None
        self._object: Any = None
        self._pool: ThreadPoolExecutor | None = None

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], deploy: Callable[[], Any]) -> Any:
        """See `Remote.run`."""
        kwargs, environment = overrides(kwargs, self._target)
        if is_local():
            return self._call(args, kwargs, environment)
        return self.place(deploy).run(args, kwargs, environment)

    def push(self, args: tuple[Any, ...], kwargs: dict[str, Any], deploy: Callable[[], Any]) -> Pushed:
        """See `Remote.push`."""
        kwargs, environment = overrides(kwargs, self._target)
        if not is_local():
            return self.place(deploy).push(args, kwargs, environment)
        future = Pushed()
        working = chain()

        def call() -> None:
            with working_for(working):
                _start(future, lambda: self._call(args, kwargs, environment))

        if held():  # whoever pushes may be what the threads of the pool are waiting for
            threading.Thread(target=call, daemon=True).start()
        else:
            with self._lock:
                self._pool = self._pool or ThreadPoolExecutor(1, "push")
            self._pool.submit(call)
        return future

    def place(self, deploy: Callable[[], Any]) -> There:
        """Where it is deployed; it is deployed if it was not yet, or if this is not deployed code.

        Raises:
            DeployError: it cannot be deployed.
        """
        connection = reach("client.connect", "connect")()
        with self._lock:
            if self._place is None or self._connection is not connection:
                self._place = There(self._latch(connection, deploy))
                self._connection = connection
            return self._place

    def _latch(self, connection: Any, deploy: Callable[[], Any]) -> Any:
        chosen = options.of(self._target)
        if not deployed() or chosen is None or chosen.name is None:
            return deploy()
        try:
            return named(connection, chosen.name)  # deployed together with its callers
        except NotFound:
            return deploy()

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any], environment: Mapping[str, str]) -> Any:
        """In this process, one call after another."""
        chosen = options.of(self._target) or options.Options()
        asked = chosen.environment_variables
        values = {env.name: env.default for env in asked if env.default is not None and env.name not in os.environ}
        values |= environment
        with working_for(chain() or secrets.token_hex(8)), self._turn, variables.Given(values):
            variables.require(str(chosen.name), [env.name for env in asked])
            value = settled(self._made()(*args, **kwargs))
        return self._stepwise(value, values) if isinstance(value, Generator) else value

    def _stepwise(self, items: Generator[Any, Any, Any], values: Mapping[str, str]) -> Generator[Any, None, Any]:
        """Items of a generator, each a turn of its own."""
        working = chain() or secrets.token_hex(8)
        with closing(items):
            while True:
                with working_for(working), self._turn, variables.Given(values):
                    try:
                        item = next(items)
                    except StopIteration as stop:
                        return stop.value
                yield item

    def _made(self) -> Operator:
        """What is called: of a class one object, made by the first call."""
        if not isinstance(self._target, type):
            return self._target
        if self._object is None:
            self._object = self._target()
        return self._object


def _start(future: Pushed, call: Callable[[], Any]) -> None:
    if future.set_running_or_notify_cancel():
        settle(future, call)
