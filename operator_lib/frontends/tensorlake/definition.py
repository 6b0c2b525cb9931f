"""A graph described as data, as ``graph.definition()`` of the SDK does it."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import operator_lib
from operator_lib import options, tree
from operator_lib.options import Retries
from operator_lib.wire.methods import Param, Unsent
from operator_lib.wire.schema import method_of

if TYPE_CHECKING:
    from operator_lib.frontends.tensorlake.graphs import Graph


@dataclass(frozen=True, slots=True)
class ParameterMetadata:
    """One argument; `data_type` is a JSON Schema, with the default where there is one."""

    name: str
    data_type: Mapping[str, Any]
    description: str | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class RetryPolicyMetadata:
    """How often, and after how many seconds, a function is called again."""

    max_retries: int
    initial_delay_sec: float
    max_delay_sec: float
    delay_multiplier: float


@dataclass(frozen=True, slots=True)
class GPUResourceMetadata:
    """So many of a model."""

    count: int
    model: str


@dataclass(frozen=True, slots=True)
class ResourceMetadata:
    """What a function may use."""

    cpus: float
    memory_mb: int
    ephemeral_disk_mb: int
    gpus: list[GPUResourceMetadata] = field(default_factory=list[GPUResourceMetadata])


@dataclass(frozen=True, slots=True)
class FunctionMetadata:
    """One function."""

    name: str
    fn_name: str
    description: str
    reducer: bool
    input_encoder: str
    output_encoder: str
    secret_names: list[str]
    timeout_sec: int
    resources: ResourceMetadata
    retry_policy: RetryPolicyMetadata
    parameters: list[ParameterMetadata]
    return_type: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuntimeInformation:
    """The Python and the library that the description was made with."""

    major_version: int
    minor_version: int
    sdk_version: str


@dataclass(frozen=True, slots=True)
class ComputeGraphMetadata:
    """A graph: its functions, and by the name of each those that follow it."""

    name: str
    description: str
    entrypoint: FunctionMetadata
    tags: Mapping[str, str]
    functions: Mapping[str, FunctionMetadata]
    edges: Mapping[str, list[str]]
    runtime_information: RuntimeInformation
    version: str


def describe(graph: Graph) -> ComputeGraphMetadata:
    """`Graph.definition`."""
    functions = {name: _function(name, op, graph.retries or Retries()) for name, op in graph.functions.items()}
    return ComputeGraphMetadata(
        name=graph.name,
        description=graph.description or "",
        entrypoint=functions[graph.start],
        tags=graph.tags,
        functions=functions,
        edges=graph.edges,
        runtime_information=RuntimeInformation(
            sys.version_info.major, sys.version_info.minor, operator_lib.__version__
        ),
        version=graph.version or "",
    )


def _function(name: str, op: Any, of_graph: Retries) -> FunctionMetadata:
    said = options.of(op) or options.Options()
    retries = said.retries if said.retries is not None else of_graph
    method = method_of("", tree.called(op), options=said)
    gpus = [GPUResourceMetadata(spec.count, spec.model) for spec in said.gpu or ()]
    memory, disk = (math.ceil((size or 0) * 1024) for size in (said.memory, said.ephemeral_disk))
    return FunctionMetadata(
        name=name,
        fn_name=name,
        description=said.description or "",
        reducer=said.accumulate is not None,
        input_encoder=said.input_encoder,
        output_encoder=said.output_encoder,
        secret_names=list(said.secrets),
        timeout_sec=said.timeout or 0,
        resources=ResourceMetadata(said.cpu or 0.0, memory, disk, gpus),
        retry_policy=RetryPolicyMetadata(
            retries.max_retries, retries.initial_delay, retries.max_delay, retries.delay_multiplier
        ),
        parameters=[_parameter(param) for param in method.params],
        return_type=method.returns_schema,
    )


def _parameter(param: Param) -> ParameterMetadata:
    default = param.value()
    known = not param.required and not isinstance(default, Unsent)
    return ParameterMetadata(
        param.name, {**param.schema, **({"default": default} if known else {})}, required=param.required
    )
