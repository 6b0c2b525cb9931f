"""`Options` as JSON for the wire, and as plain values for people."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from operator_lib.errors import OptionError
from operator_lib.options.batch import Batch
from operator_lib.options.checks import Bad
from operator_lib.options.env import Env
from operator_lib.options.gpu import GpuSpec
from operator_lib.options.image import Image, Step
from operator_lib.options.metadata import Metadata
from operator_lib.options.record import Options
from operator_lib.options.retries import Retries
from operator_lib.options.table import TABLE


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for a function or a value that stayed with the program; the run process has the thing itself."""

    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.name} is known here by its name alone; it can only be called by the program it is from")


def describe(options: Options) -> dict[str, Any]:
    """See `Options.describe`."""
    from operator_lib.options.support import asks

    order = [name for name in TABLE if name in options.given and asks(options, name)]
    return {name: _shown(name, getattr(options, name)) for name in order}


def _shown(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "gpu":
        return " or ".join(map(str, value))
    if name == "environment_variables":
        return [variable.name for variable in value]
    if isinstance(value, Retries) and value == Retries(value.max_retries):
        return value.max_retries
    if name == "accumulate":
        return _name(value)
    if isinstance(value, Image):
        return repr(value)
    return _plain(name, value)


def to_json(options: Options) -> dict[str, Any]:
    """See `Options.to_json`."""
    return {name: _plain(name, getattr(options, name)) for name in sorted(options.given)}


def _plain(name: str, value: Any) -> Any:
    if name == "accumulate":
        return {"reference": _name(value)}
    if name == "next":
        return _names(value)
    if isinstance(value, Retries):
        said = {field: getattr(value, field) for field in Retries.__slots__}
        return {**said, "retry_on": [f"{kind.__module__}.{kind.__qualname__}" for kind in value.retry_on]}
    if isinstance(value, Image):
        said = {field: getattr(value, field) for field in IMAGE_FIELDS}
        return {**said, "steps": [[step.kind, *step.words] for step in value.steps]}
    if isinstance(value, (Batch, Metadata, GpuSpec, Env)):
        return asdict(value)
    return [_plain("", item) for item in value] if isinstance(value, tuple) else value


IMAGE_FIELDS = ("python_version", "cuda_version", "base", "label", "version")


def _names(functions: tuple[Any, ...]) -> list[str]:
    return [_name(function) for function in functions]


def _name(value: Any) -> str:
    if isinstance(value, Reference):
        return value.name
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    return name if isinstance(name, str) else f"a {type(value).__qualname__}"


def from_json(text: Mapping[str, Any] | str) -> Options:
    """See `Options.from_json`."""
    try:
        said = json.loads(text or "{}") if isinstance(text, str) else text
        if not isinstance(said, Mapping):
            raise TypeError("not an object")
        said = cast("Mapping[str, Any]", said)
        unknown = [name for name in said if name not in TABLE]
        if unknown:
            raise TypeError(f"unknown option {unknown[0]!r}")
        return Options._of_checked({name: _read(name, value) for name, value in said.items()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, Bad) as error:
        raise OptionError(f"these options cannot be read: {error}; both sides need the same operator_lib") from None


def _read(name: str, value: Any) -> Any:
    if value is None and TABLE[name].none == "value":
        return None
    if name in ("cpu", "memory", "ephemeral_disk"):
        # A quantity of a Resource may be below the option's own limit.
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{name} is no number")
        return float(value)
    reader = READERS.get(name)
    return reader(value) if reader is not None else TABLE[name].check(value)


def _retries(value: dict[str, Any]) -> Retries:
    said = dict(value)
    said["retry_on"] = tuple(map(_exception, said["retry_on"]))
    return Retries(**said)


def _exception(name: str) -> type[BaseException]:
    """The builtin of that name, else a stand-in that matches nothing: no user code is imported here."""
    module, _, simple = str(name).rpartition(".")
    found = getattr(builtins, simple, None) if module == "builtins" else None
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    return type(simple, (Exception,), {"__module__": module})


def _image(value: dict[str, Any]) -> Image:
    """Through the public methods, so that nothing unchecked gets in."""
    image = Image(value["python_version"], base=value["base"], cuda_version=value["cuda_version"])
    for kind, *words in value["steps"]:
        step = Step(kind, tuple(words))
        image = _append(image, step)
    if value["label"]:
        image = image.name(value["label"])
    return image.tag(value["version"])


def _append(image: Image, step: Step) -> Image:
    match step.kind, step.words:
        case "pip", packages:
            return image.pip_install(*packages)
        case "apt", packages:
            return image.apt_install(*packages)
        case (("env" | "copy" | "add"), (first, second)):
            return getattr(image, step.kind)(first, second)
        case "run", (*flags, command):
            return image.run(command, **dict(flag[2:].split("=", 1) for flag in flags))
        case _:
            raise TypeError(f"unknown step {step.kind!r}")


READERS: dict[str, Callable[[Any], Any]] = {
    "accumulate": lambda value: Reference(str(value["reference"])),
    "next": lambda value: tuple(Reference(str(item)) for item in value),
    "retries": _retries,
    "batch": lambda value: Batch(**value),
    "metadata": lambda value: Metadata(**value),
    "gpu": lambda value: tuple(GpuSpec(**item) for item in value),
    "environment_variables": lambda value: tuple(Env(**item) for item in value),
    "image": _image,
}
