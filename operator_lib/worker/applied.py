"""What the options of a version mean for its processes."""

from __future__ import annotations

from operator_lib.options import Options


def codecs(options: Options) -> tuple[str, ...]:
    """What inputs may be encoded with."""
    return ("json", "cloudpickle") if options.input_encoder == "cloudpickle" else ("json",)


def environment(options: Options) -> dict[str, str]:
    """The variables that the deployer gave."""
    return {env.name: env.default for env in options.environment_variables if env.default is not None}
