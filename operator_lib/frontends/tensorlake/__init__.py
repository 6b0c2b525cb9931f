"""Programs written for the SDK of Tensorlake functions, release 0.2.36: change the import line, and they run here.

Thin: functions are operators, a graph is a `Graph`, a deployed one a job. See docs/guides/moving-from-tensorlake.md.
"""

from operator_lib.errors import NotReady as GraphStillProcessing
from operator_lib.frontends.tensorlake.client import TensorlakeClient as TensorlakeClient
from operator_lib.frontends.tensorlake.context import GraphRequestContext as GraphRequestContext
from operator_lib.frontends.tensorlake.context import RequestException as RequestException
from operator_lib.frontends.tensorlake.context import get_ctx as get_ctx
from operator_lib.frontends.tensorlake.data import File as File
from operator_lib.frontends.tensorlake.definition import ComputeGraphMetadata as ComputeGraphMetadata
from operator_lib.frontends.tensorlake.definition import FunctionMetadata as FunctionMetadata
from operator_lib.frontends.tensorlake.definition import ParameterMetadata as ParameterMetadata
from operator_lib.frontends.tensorlake.definition import ResourceMetadata as ResourceMetadata
from operator_lib.frontends.tensorlake.definition import RetryPolicyMetadata as RetryPolicyMetadata
from operator_lib.frontends.tensorlake.functions import TensorlakeCompute as TensorlakeCompute
from operator_lib.frontends.tensorlake.functions import tensorlake_function as tensorlake_function
from operator_lib.frontends.tensorlake.graphs import Graph as Graph
from operator_lib.frontends.tensorlake.graphs import RouteTo as RouteTo
from operator_lib.frontends.tensorlake.image import Image as Image
from operator_lib.frontends.tensorlake.remote import RemoteGraph as RemoteGraph
from operator_lib.frontends.tensorlake.remote import graph_code_dir_path as graph_code_dir_path
from operator_lib.options import Retries as Retries

RequestContext = GraphRequestContext
RequestError = RequestException

__all__ = [
    "ComputeGraphMetadata",
    "File",
    "FunctionMetadata",
    "Graph",
    "GraphRequestContext",
    "GraphStillProcessing",
    "Image",
    "ParameterMetadata",
    "RemoteGraph",
    "RequestContext",
    "RequestError",
    "RequestException",
    "ResourceMetadata",
    "Retries",
    "RetryPolicyMetadata",
    "RouteTo",
    "TensorlakeClient",
    "TensorlakeCompute",
    "get_ctx",
    "graph_code_dir_path",
    "tensorlake_function",
]
