"""`TensorlakeClient`: the graphs on a worker, and the requests to them."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from operator_lib.core import Operator
from operator_lib.engine.events import Event
from operator_lib.engine.run import Run

if TYPE_CHECKING:
    from operator_lib.frontends.tensorlake.graphs import Graph
    from operator_lib.frontends.tensorlake.remote import RemoteGraph


class TensorlakeClient:
    """A worker, as the SDK talks to its service. `RemoteGraph` does the same, and takes one as ``client=``.

    Args:
        service_url: address of the worker; the local one by default.
        api_key: its token; by default the environment's ``TENSORLAKE_API_KEY``, else that of the local worker.
        config_path, namespace: taken, and without a meaning here.
    """

    def __init__(
        self,
        service_url: str | None = None,
        config_path: str | None = None,
        namespace: str = "default",
        api_key: str | None = None,
        **others: Any,
    ) -> None:
        self.service_url = service_url
        self.namespace = namespace
        self.token = api_key or os.environ.get("TENSORLAKE_API_KEY") or None

    def __enter__(self) -> TensorlakeClient:
        return self

    def __exit__(self, *problem: object) -> None:
        """Connections are shared, and stay open."""

    def job(self, name: str) -> Any:
        """The handle of the job that a graph is. Raises NotFound."""
        return Operator.from_job(name, address=self.service_url, token=self.token)

    def register_compute_graph(
        self, graph: Graph, code_dir_path: str = "", upgrade_tasks_to_latest_version: bool = False
    ) -> None:
        """`RemoteGraph.deploy`."""
        self._remote.deploy(graph, code_dir_path, None, self, upgrade_tasks_to_latest_version)

    def delete_compute_graph(self, graph_name: str) -> None:
        """Remove a graph with all its requests. Raises NotFound."""
        self.job(graph_name).job.delete()

    def graph(self, name: str) -> RemoteGraph:
        """A graph that was deployed. Raises NotFound."""
        return self._remote.by_name(name, client=self)

    def requests(self, graph: str) -> list[Run]:
        """The requests to a graph, the latest first."""
        return list(self.job(graph).runs())

    def request(self, graph: str, request_id: Run | str) -> Run:
        """One request. Raises NotFound."""
        return self.graph(graph).request(request_id)

    def call(self, graph: str, block_until_done: bool = False, input_encoding: str = "", **kwargs: Any) -> Run:
        """Start a request; with `block_until_done` it has ended when this returns."""
        return self.graph(graph).run(block_until_done, **kwargs)

    def call_stream(self, graph: str, input_encoding: str = "", **kwargs: Any) -> Generator[Event, None, Run]:
        """Start a request and follow what happens in it. The generator returns the request."""
        return self.graph(graph).stream(**kwargs)

    def graph_outputs(self, graph: str, request_id: Run | str, fn_name: str) -> list[Any]:
        """The outputs of one function, see `RemoteGraph.output`."""
        return self.graph(graph).output(request_id, fn_name)

    @property
    def _remote(self) -> type[RemoteGraph]:
        from operator_lib.frontends.tensorlake.remote import RemoteGraph

        return RemoteGraph
