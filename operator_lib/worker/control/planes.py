"""All gRPC services of a worker on one server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from operator_lib.wire.proto import (
    deploy_pb2,
    deploy_pb2_grpc,
    manage_pb2,
    manage_pb2_grpc,
    runs_pb2,
    runs_pb2_grpc,
    serving_pb2,
    serving_pb2_grpc,
)
from operator_lib.worker.control.deployments import Deployments
from operator_lib.worker.control.runs import Runs
from operator_lib.worker.control.schedules import Schedules
from operator_lib.worker.control.secrets import Secrets
from operator_lib.worker.control.servings import Servings

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


def add_planes(worker: Worker, server: Any) -> None:
    """Register the planes, standard health checking and reflection."""
    deploy_pb2_grpc.add_DeploymentsServicer_to_server(Deployments(worker), server)
    runs_pb2_grpc.add_RunsServicer_to_server(Runs(worker), server)
    serving_pb2_grpc.add_ServingsServicer_to_server(Servings(worker), server)
    manage_pb2_grpc.add_SecretsServicer_to_server(Secrets(worker), server)
    manage_pb2_grpc.add_SchedulesServicer_to_server(Schedules(worker), server)
    worker.health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(worker.health, server)
    files = (deploy_pb2, runs_pb2, serving_pb2, manage_pb2, health_pb2)
    names = [service.full_name for file in files for service in file.DESCRIPTOR.services_by_name.values()]
    names.remove("operator_lib.v1.Calls")  # answered by replicas
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)
