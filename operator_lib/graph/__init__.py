"""Functions strung together: `Graph`, and what its functions return to say where a value goes (`RouteTo`, `Map`)."""

from operator_lib.graph.graph import Graph as Graph
from operator_lib.graph.values import Map as Map
from operator_lib.graph.values import RouteTo as RouteTo
