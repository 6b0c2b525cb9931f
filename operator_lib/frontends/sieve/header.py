"""What stands above a function: the parameters of `function` and `Model`, as options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.options import Env, Options
from operator_lib.options import Metadata as Described

# The versions that can be asked for, of each minor version the newest one.
CUDA_VERSIONS = (
    "8.0", "9.0", "9.1", "9.2", "10.0", "10.1", "10.2", "11.0.3", "11.1.1", "11.2.0-2", "11.3.0-1", "11.4.0-3",
    "11.5.0-2", "11.6.0-2", "11.7.0-1", "11.8.0", "12.0.0-1", "12.1.0-1", "12.2.2", "12.3.2",
)  # fmt: skip


def options_of(
    name: str,
    *,
    gpu: Any = None,
    python_version: str | None = None,
    python_packages: Sequence[str] = (),
    system_packages: Sequence[str] = (),
    cuda_version: str | None = None,
    run_commands: Sequence[str] = (),
    environment_variables: Sequence[Env] = (),
    metadata: Described | None = None,
    restart_on_error: bool = True,
    **more: Any,
) -> Options:
    """The options of a function called `name`; `more` are others of this library, such as ``min_replicas``.

    Raises:
        OptionError: names every mistake.
    """
    said: Mapping[str, Any] = {
        "gpu": gpu,
        "python_version": python_version,
        "python_packages": python_packages or None,
        "system_packages": system_packages or None,
        "cuda_version": cuda(name, cuda_version, gpu),
        "run_commands": run_commands or None,
        "environment_variables": environment_variables or None,
        "metadata": metadata,
        "restart_on_error": restart_on_error,
        "deployment_type": "serving",
        **more,
    }
    return Options.parse(name, name=name, **{option: value for option, value in said.items() if value is not None})


def cuda(name: str, asked: str | None, gpu: Any) -> str | None:
    """The whole version that `asked` is (the beginning of): ``"12.2"`` is ``"12.2.2"``.

    Raises:
        OptionError: there is none, or no `gpu` is asked for.
    """
    if asked is None:
        return None
    if gpu is None:
        raise OptionError(f"{name}.cuda_version: is for functions with a GPU; give gpu= as well, or leave it out")
    found = [whole for whole in CUDA_VERSIONS if _begins(whole, str(asked))]
    if not found:
        raise OptionError(f"{name}.cuda_version: must be one of {', '.join(CUDA_VERSIONS)}, got {asked!r}")
    return found[-1]


def _begins(whole: str, asked: str) -> bool:
    return re.match(re.escape(asked) + r"(?![0-9])", whole) is not None and asked != ""


def Metadata(  # the name that programs use
    title: str = "",
    description: str = "",
    code_url: str = "",
    image: Any = None,
    tags: Sequence[str] = (),
    readme: str = "",
) -> Described:
    """What is shown beside a function. `image` is a `File` with a URL, or the URL.

    Raises:
        OptionError: a value is of the wrong type, or a link is no web address.
    """
    link = image if isinstance(image, str) else getattr(image, "url", None) if image is not None else ""
    if link is None:
        raise OptionError("Metadata.image: must have a URL; a picture on this machine cannot be linked to")
    return Described(title, description, code_url, tuple(tags), link, readme)
