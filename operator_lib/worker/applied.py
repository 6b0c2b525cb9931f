"""What the options of a version mean for its processes."""

from __future__ import annotations

import json

from operator_lib.executors import limits
from operator_lib.options import Options
from operator_lib.worker.store.base import VersionRow


def options_of(version: VersionRow | None) -> Options:
    """What was said when it was deployed."""
    return Options.from_json(json.loads(version.options_json or "{}")) if version else Options()


def elastic(options: Options) -> bool:
    """Whether the number of replicas of a serving follows its calls."""
    return options.min_replicas == 0 or options.max_replicas > options.min_replicas


def snapshot(options: Options) -> float | None:
    """Seconds between snapshots of a serving's state; 0: one at the end; None: none."""
    return 0.0 if options.snapshot == "on_drain" else None if options.snapshot is None else float(options.snapshot)


def codecs(options: Options) -> tuple[str, ...]:
    """What inputs may be encoded with."""
    return ("json", "cloudpickle") if options.input_encoder == "cloudpickle" else ("json",)


def environment(options: Options) -> dict[str, str]:
    """The variables that the deployer gave, and no more threads than processors."""
    image = options.image.variables if options.image is not None else {}
    given = {env.name: env.default for env in options.environment_variables if env.default is not None}
    return limits.threads(options) | image | given
