"""`Operator`: a tree of plain Python objects that can be called, drawn, deployed and called from afar.

What an operator can do is this page; the work is done by functions that take one (`tree`, `trace`, `engine`, `client`),
loaded when first needed so that ``import operator_lib`` stays cheap.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from operator_lib import tree

if TYPE_CHECKING:
    from operator_lib.engine.run import Run
    from operator_lib.estimate.estimate import Estimate
    from operator_lib.trace.dag import DAG

# Called in place of `forward` while something listens (a recorder, a run on a worker). None costs one global lookup.
intercept: Callable[[Operator, tuple[Any, ...], dict[str, Any]], Any] | None = None


def reach(module: str, name: str) -> Any:
    """A function of a room further down, imported at the moment it is needed."""
    return getattr(importlib.import_module("operator_lib." + module), name)


class either:
    """A method that can be called on an instance or on the class itself: the function gets whichever it was."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        return self.function.__get__(owner if instance is None else instance)


class view:
    """A property that gives way to an attribute of the same name: the user's names win."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self.function(instance)


class Operator:
    """Base class: define ``__init__`` and ``forward``, nest operators as attributes, call the object.

    >>> class Add(Operator):
    ...     def __init__(self, n: int):
    ...         self.n = n
    ...     def forward(self, x: int) -> int:
    ...         return x + self.n
    >>> class Twice(Operator):
    ...     def __init__(self):
    ...         self.step = Add(2)
    ...     def forward(self, x: int) -> int:
    ...         return self.step(self.step(x))
    >>> Twice()(1)
    5
    >>> [name for name, _ in Twice().named_operators()]
    ['', 'step']

    Attributes that hold operators, or lists, tuples and dicts of them at any depth, are children. Attribute names of
    subclasses always win over the methods here: the library itself never relies on them.
    """

    # True on classes and instances with options that act on plain local calls (retries, ...): see engine/call.py.
    _managed: bool = False
    # Set by `with_options` and by the decorator; read through operator_lib.options.
    _options: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "Options" in cls.__dict__ or isinstance(cls.__dict__.get("options"), dict):
            cls._managed = True

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """``forward(*args, **kwargs)``."""
        if intercept is None and not self._managed:
            return self.forward(*args, **kwargs)
        return (intercept or reach("engine.call", "call"))(self, args, kwargs)

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        """What this operator does. Subclasses define it; it may be async, a generator or an async generator."""
        raise NotImplementedError(f"{type(self).__name__} must implement forward()")

    # --- the tree --------------------------------------------------------------------------------------------------

    def children(self) -> Iterator[Any]:
        """Direct children, each once, in definition order."""
        return (child for _, child in tree.named_children(self))

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Direct children with their names; an element of a container is ``"stages.0"`` or ``"by_name.x"``."""
        return tree.named_children(self)

    def operators(self) -> Iterator[Any]:
        """This operator and every descendant, each once, parent first."""
        return (node for _, node in tree.named_operators(self))

    def named_operators(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """This operator (named `prefix`) and every descendant with its path, parent first, in definition order.

        With ``remove_duplicate=False`` an operator that is reachable by several paths is yielded at each of them.
        """
        return tree.named_operators(self, memo, prefix, remove_duplicate)

    def apply(self, fn: Callable[[Any], object]) -> Any:
        """Call ``fn`` on every operator of the tree, children first (as ``nn.Module.apply``). Returns self."""
        return tree.apply(self, fn)

    def propagate(self, **kwargs: Any) -> Any:
        """Set attributes on this operator and every descendant. Returns self.

        Raises:
            ValueError: a name is that of a method somewhere in the tree; nothing is set then.
        """
        return tree.propagate(self, kwargs)

    def __remote_init__(self) -> None:
        """Hook for subclasses: runs once per process on a worker, after construction and before the first call."""

    def remote_init(self) -> Any:
        """Call ``__remote_init__`` over the tree, parent first, shared children once. Returns self."""
        return tree.remote_init(self)

    def thaw(self, recorded: DAG | Run | Mapping[str, Any]) -> Any:
        """Hang the recorded nodes of a DAG or a run on the live tree: see the attribute `nodes`. Returns self."""
        return reach("engine.thaw", "thaw")(self, recorded)

    @view
    def nodes(self) -> tuple[Any, ...]:
        """The DAG nodes that call this operator, with their status, after `thaw`."""
        return self.__dict__.get("_operator_nodes", ())

    def __repr__(self) -> str:
        return tree.render(self)

    # --- the graph -------------------------------------------------------------------------------------------------

    @either
    def dag(self) -> Any:
        """The static graph of ``forward`` and of everything it calls. Reads source; runs nothing, imports nothing."""
        return reach("trace", "build")(self)

    def estimate(self, history: Iterable[Any] | None = None, *, workers: int = 2) -> Estimate:
        """How long a call will take, told from runs that there were; nothing is run.

        Args:
            history: recordings (`record`) or runs of this operator. Default: the recordings of this process.
            workers: up to how many calls at the same time are looked at.
        """
        return reach("estimate.sources", "estimate")(self, history, workers)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return reach("trace.draw.notebook", "operator_bundle")(self)

    # --- options ---------------------------------------------------------------------------------------------------

    def with_options(self, **options: Any) -> Any:
        """A shallow copy with other options: ``op.with_options(retries=2, timeout=30)``.

        Raises:
            OptionError: names every mistake at once.
        """
        return reach("engine.call", "with_options")(self, options)

    # --- other ways to run -----------------------------------------------------------------------------------------

    def submit(self, /, *args: Any, **kwargs: Any) -> Run:
        """Start a call and return at once with a `Run`, a ``concurrent.futures.Future``."""
        return reach("engine.local", "submit")(self, args, kwargs)

    def map(
        self,
        inputs: Iterable[Any],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """``[self(x) for x in inputs]``, at most `workers` at a time (-1: as many as are useful).

        Args:
            ordered: results in the order of the inputs; otherwise in the order in which they finish.
            return_exceptions: put exceptions into the list; otherwise the first one is raised, the rest is cancelled.
        """
        return reach("engine.map", "map")(self, inputs, workers, ordered, return_exceptions)

    @staticmethod
    def star_map(
        calls: Iterable[tuple[Any, Any]],
        workers: int = -1,
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """Different operators on different inputs: ``[op(*args) for op, args in calls]``, at the same time.

        `args` is a tuple of positional arguments, or a dict of keyword arguments, or a single other value.
        """
        return reach("engine.map", "star_map")(calls, workers, ordered, return_exceptions)

    @either
    def deploy(
        self,
        group_id: str = "",
        deployment_type: str | None = None,
        resource: Any = None,
        ignore_patterns: Sequence[str] = (),
        *,
        address: str | None = None,
        token: str | None = None,
        include: Sequence[Any] = (),
        wait: bool = True,
        timeout: float = 600,
        dry_run: bool = False,
        max_upload: int = 500_000_000,
        **options: Any,
    ) -> Any:
        """Upload the folder and run this operator on a worker, as a batch job or as a stateful serving.

        Args:
            group_id: name of the deployment; by default made from module and name. The same name again makes a new
                version, or nothing when nothing has changed.
            deployment_type: ``"job"`` or ``"serving"``. Default: job, for decorated classes serving.
            resource: a `Resource`, or a dict of its fields.
            ignore_patterns: further lines of ``.nboxignore``.
            address: of the worker; default is ``OPERATOR_LIB_ADDRESS`` or the local worker, started if need be.
            token: its token; default is ``OPERATOR_LIB_TOKEN`` or that of the local worker.
            include: files and folders that travel although ignored or outside the folder.
            wait: False returns before a serving is ready.
            timeout: seconds until ready.
            dry_run: return a `DeployPlan` and send nothing.
            max_upload: bytes that the folder may have.
            options: as for the decorator.

        Returns:
            The operator latched on the deployment, as from `from_job` or `from_serving`.

        Raises:
            DeployError: with the remote log; what cannot be pickled or found is reported before anything is sent.
            ConnectionError: no worker at the address.
        """
        return reach("client.deploy", "deploy")(
            self,
            group_id,
            deployment_type,
            resource,
            ignore_patterns,
            address=address,
            token=token,
            include=include,
            wait=wait,
            timeout=timeout,
            dry_run=dry_run,
            max_upload=max_upload,
            **options,
        )

    @classmethod
    def from_job(
        cls, job_name: str = "", job_id: str = "", *, address: str | None = None, token: str | None = None
    ) -> Any:
        """Latch on to a deployed job by name or by id (exactly one). Needs none of its code.

        Raises:
            ValueError: none or both given.
            NotFound: no such job.
        """
        return reach("client.job", "from_job")(job_name, job_id, address=address, token=token)

    @classmethod
    def from_serving(cls, url: str, token: str = "") -> Any:
        """Latch on to a serving by its URL. Needs none of its code.

        Raises:
            ConnectionError: nothing answers at the URL.
            AuthenticationError: the token is missing or wrong.
        """
        return reach("client.serving", "from_serving")(url, token)

    @classmethod
    def fn(cls, **options: Any) -> Callable[[Any], Any]:
        """The decorator `operator`, under the name that nbox gave it."""
        return reach("decorator", "operator")(**options)

    @classmethod
    def from_fn(cls, function: Callable[..., Any], **options: Any) -> Any:
        """Wrap an undecorated function."""
        return reach("decorator", "wrap_function")(function, options)

    @classmethod
    def from_class(cls, instance: object, **options: Any) -> Any:
        """Wrap an initialised object of an undecorated class; both share their attributes."""
        return reach("decorator", "wrap_object")(instance, options)
