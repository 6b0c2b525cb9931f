"""Which operators may have several replicas."""

from __future__ import annotations

import json
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.options import Options
from operator_lib.worker.store.base import VersionRow


def stateful(version: VersionRow | None) -> bool:
    """Whether the object may carry state from call to call: everything but a function."""
    schema: dict[str, Any] = json.loads(version.schema_json or "{}") if version else {}
    return not schema.get("stateless", False)


def check_replicas(name: str, options: Options, count: int, has_state: bool) -> None:
    """Refuse several replicas of one object.

    Raises:
        OptionError: `count` is over 1 and the object keeps state that the replicas would not share.
    """
    if count > 1 and has_state and not options.stateless:
        raise OptionError(
            f"{name}: {count} replicas of a stateful object would each have a state of their own; "
            "set stateless=True if its calls do not depend on one another"
        )


def check_snapshot(name: str, options: Options) -> None:
    """Refuse to keep one state of several objects.

    Raises:
        OptionError: there may be more than one replica.
    """
    if options.snapshot is not None and options.max_replicas > 1:
        raise OptionError(f"{name}.snapshot: is of one object, and max_replicas is {options.max_replicas}")
