"""Why a value cannot be written, and where in the value the culprit sits."""

from __future__ import annotations

import sys
from typing import Any

from operator_lib.errors import SerializationError


class Unencodable(Exception):
    """Raised where the culprit is; every container on the way out adds its step, so that the path costs
    nothing.
    """

    def __init__(self, value: Any, reason: str = "") -> None:
        super().__init__(reason)
        self.value = value
        self.reason = reason
        self.steps: list[str] = []

    def under(self, step: str) -> Unencodable:
        self.steps.append(step)
        return self


def public_name(kind: type) -> str:
    """The name users know a class by: ``sklearn.svm.SVC`` although it lives in ``sklearn.svm._classes``."""
    module, name = kind.__module__, kind.__qualname__
    if module == "builtins":
        return name
    parts = module.split(".")
    for count in range(1, len(parts)):
        prefix = ".".join(parts[:count])
        if vars(sys.modules.get(prefix) or object).get(name) is kind:
            return f"{prefix}.{name}"
    return f"{module}.{name}"


def place(where: str, path: str) -> str:
    """``argument 'cfg' of foo`` and ``.layers[3]`` make ``argument 'cfg'.layers[3] of foo``."""
    head, of, tail = where.partition(" of ")
    return f"{head}{path}{of}{tail}"


def advice(where: str) -> str:
    """Which option lets ``where`` carry any Python object."""
    if where.startswith("argument"):
        return 'set input_encoder="cloudpickle"'
    if where.startswith("result"):
        return 'set output_encoder="cloudpickle"'
    return 'the "cloudpickle" codec can carry it'


def refusal(error: Unencodable, where: str) -> SerializationError:
    """The error that the user sees."""
    spot = place(where, "".join(reversed(error.steps)))
    if error.reason:
        return SerializationError(f"{spot} {error.reason}")
    return SerializationError(f"{spot} is {public_name(type(error.value))}; {advice(where)}")
