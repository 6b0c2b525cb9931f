"""Why a run went the way it did: the conditions, loops and handlers that it came through, with their operands."""

from operator_lib.decisions.decision import Decision, read, way_to_failure
from operator_lib.decisions.log import Log
from operator_lib.decisions.site import abandon
from operator_lib.decisions.told import to_event

__all__ = ["Decision", "Log", "abandon", "read", "to_event", "way_to_failure"]
