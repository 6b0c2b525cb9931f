"""`Options`: every option of one operator, with which of them were said.

Not a dataclass: generating one of this size takes several milliseconds, and everybody who imports the package
would wait for them. Here the class holds the defaults, and an object holds what was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from operator_lib.options.batch import Batch
    from operator_lib.options.env import Env
    from operator_lib.options.gpu import GpuSpec
    from operator_lib.options.image import Image
    from operator_lib.options.metadata import Metadata
    from operator_lib.options.retries import Retries


class Options:
    """Checked, frozen options. An attribute that was not given has its default.

    >>> options = Options.parse("foo", timeout=30)
    >>> options.timeout, options.concurrency, options.given
    (30, 1, frozenset({'timeout'}))
    """

    name: str | None = None
    description: str | None = None
    cpu: float | None = None  # CPUs
    memory: float | None = None  # GB of 2**30 bytes
    ephemeral_disk: float | None = None  # GB of 2**30 bytes
    gpu: tuple[GpuSpec, ...] | None = None  # in order of preference
    timeout: int | None = None  # seconds
    retries: Retries | None = None
    use_ctx: bool = False
    accumulate: Any = None  # a zero value, or a callable that makes one
    cacheable: bool = False
    cache_ttl: float | None = None  # seconds
    checkpoint: bool | None = None  # None: True for direct children of a job
    next: tuple[Callable[..., Any], ...] = ()
    input_encoder: str = "json"
    output_encoder: str = "json"
    secrets: tuple[str, ...] = ()  # names
    environment_variables: tuple[Env, ...] = ()
    image: Image | None = None
    restart_on_error: bool = False
    batch: Batch | None = None
    autobatch: bool = False
    concurrency: int = 1
    min_replicas: int = 1
    max_replicas: int = 1
    scaledown_window: float = 60.0  # seconds without need after which a replica ends
    metadata: Metadata | None = None
    stateless: bool = False
    at_most_once: bool = False
    pure: bool | None = None  # None: found out from the source
    snapshot: str | float | None = None  # "on_drain", or seconds
    deployment_type: str | None = None  # "job" or "serving"

    def __init__(self) -> None:
        """The defaults. Use `parse` for anything else: it checks."""

    @classmethod
    def parse(cls, owner: str, /, **given: Any) -> Options:
        """Check what was given for the operator called `owner`.

        Raises:
            OptionError: lists every mistake, one a line, as ``foo.timeout: must be an int between ...``.
        """
        from operator_lib.options.parse import parse

        return parse(owner, given)

    @classmethod
    def _of_checked(cls, values: dict[str, Any]) -> Options:
        new = cls()
        new.__dict__.update(values)
        return new

    @property
    def given(self) -> frozenset[str]:
        """Names of the options that were set, be it to their default."""
        return frozenset(self.__dict__)

    def describe(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values for people, without values of variables."""
        from operator_lib.options.encoding import describe

        return describe(self)

    def to_json(self) -> dict[str, Any]:
        """What was given as a JSON object (for `json.dumps`); functions become a marker."""
        from operator_lib.options.encoding import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any] | str) -> Options:
        """The inverse of `to_json`, from the object or its text; functions come back as `Reference`.

        Raises:
            OptionError: it is not such an object.
        """
        from operator_lib.options.encoding import from_json

        return from_json(said)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"options cannot be changed in place; make others: op.with_options({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("options cannot be changed in place; make others: op.with_options(...)")

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if isinstance(other, Options) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # an accumulator may be a list

    def __repr__(self) -> str:
        return f"Options({', '.join(f'{name}={value!r}' for name, value in self.describe().items())})"
