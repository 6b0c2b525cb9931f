"""The table of options: what each must be, what None means, and whether children inherit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operator_lib.options import checks
from operator_lib.options.batch import as_batch
from operator_lib.options.checks import Bad, Check, show
from operator_lib.options.env import as_environment
from operator_lib.options.gpu import as_gpu
from operator_lib.options.image import as_image
from operator_lib.options.metadata import as_metadata
from operator_lib.options.retries import as_retries

LONGEST_TIMEOUT = 172_800


@dataclass(frozen=True, slots=True)
class Row:
    """One option.

    Attributes:
        inherited: holds for the operators below too, unless they say otherwise.
        none: what an explicit None means: "unset", "value" (no limit; it stops inheritance) or "bad".
    """

    check: Check
    inherited: bool = False
    none: str = "unset"


def _successors(value: Any) -> tuple[Any, ...]:
    items = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if not all(callable(item) for item in items):
        raise Bad(f"must be functions, got {show(value)}")
    return items


def _description(value: Any) -> str:
    from inspect import cleandoc

    return cleandoc(checks.text(value))


def _snapshot(value: Any) -> str | float:
    if value == "on_drain":
        return "on_drain"
    if isinstance(value, str):
        raise Bad(f'must be "on_drain" or a number of seconds between 1 and 86400, got {show(value)}')
    return checks.number(1.0, 86_400.0)(value)


_encoder = checks.choice("json", "cloudpickle")

TABLE = {
    "name": Row(checks.name),
    "description": Row(_description),
    "cpu": Row(checks.number(1.0, 8.0), inherited=True, none="value"),
    "memory": Row(checks.number(1.0, 32.0), inherited=True, none="value"),
    "ephemeral_disk": Row(checks.number(2.0, 50.0), inherited=True, none="value"),
    "gpu": Row(as_gpu, inherited=True, none="value"),
    "timeout": Row(checks.integer(1, LONGEST_TIMEOUT), inherited=True, none="value"),
    "retries": Row(as_retries, inherited=True),
    "use_ctx": Row(checks.boolean, none="bad"),
    "accumulate": Row(lambda value: value),
    "cacheable": Row(checks.boolean, none="bad"),
    "cache_ttl": Row(checks.number(0.001, 3.2e9), none="value"),
    "checkpoint": Row(checks.boolean, inherited=True),
    "next": Row(_successors),
    "input_encoder": Row(_encoder, inherited=True, none="bad"),
    "output_encoder": Row(_encoder, inherited=True, none="bad"),
    "secrets": Row(checks.secret_names, inherited=True),
    "environment_variables": Row(as_environment, inherited=True),
    "image": Row(as_image, inherited=True),
    "restart_on_error": Row(checks.boolean, inherited=True, none="bad"),
    "batch": Row(as_batch, none="value"),
    "autobatch": Row(checks.boolean, none="bad"),
    "concurrency": Row(checks.integer(1, 10_000), none="bad"),
    "min_replicas": Row(checks.integer(0, 1_000), none="bad"),
    "max_replicas": Row(checks.integer(1, 1_000), none="bad"),
    "scaledown_window": Row(checks.number(1.0, 86_400.0), none="bad"),
    "metadata": Row(as_metadata),
    "stateless": Row(checks.boolean, none="bad"),
    "at_most_once": Row(checks.boolean, none="bad"),
    "pure": Row(checks.boolean),
    "snapshot": Row(_snapshot),
    "deployment_type": Row(checks.choice("job", "serving")),
}

ALIASES = {"inject_ctx": "use_ctx"}

# Keywords of Image that are taken directly, too.
IMAGE_KEYWORDS = (
    "python_version", "python_packages", "system_packages", "run_commands", "env", "copy", "base",
    "cuda_version",
)  # fmt: skip

EVERY_NAME = (*TABLE, *ALIASES, *IMAGE_KEYWORDS, "resource")
