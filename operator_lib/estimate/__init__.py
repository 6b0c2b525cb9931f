"""How long a run will take, told from runs that there were: nothing is run."""

from operator_lib.estimate.estimate import Estimate, NodeEstimate, made
from operator_lib.estimate.history import Trip, onto, trips

__all__ = ["Estimate", "NodeEstimate", "Trip", "made", "onto", "trips"]
