"""`RemoteGraph`: a graph on a worker."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import wait
from typing import Any

from operator_lib.engine.events import Event
from operator_lib.engine.run import Run
from operator_lib.frontends.tensorlake.client import TensorlakeClient
from operator_lib.frontends.tensorlake.graphs import Graph, outputs


class RemoteGraph:
    """A deployed graph, by name. Made by `deploy` and `by_name`.

    Attributes:
        job: the handle of the job that it is, see `Operator.from_job`.
    """

    def __init__(self, name: str, server_url: str | None = None, client: TensorlakeClient | None = None) -> None:
        """`server_url` is the address of a worker, unless there is a `client`; the local one by default.

        Raises:
            NotFound: there is no such graph.
        """
        self.name = name
        self.job = (client or TensorlakeClient(server_url)).job(name)

    @classmethod
    def deploy(
        cls,
        graph: Graph,
        code_dir_path: str | os.PathLike[str] = "",
        server_url: str | None = None,
        client: TensorlakeClient | None = None,
        upgrade_tasks_to_latest_version: bool = False,
    ) -> RemoteGraph:
        """Upload a graph under its name. The folder that travels is found as for every operator.

        Requests that have been accepted stay on their version.

        Raises:
            ValueError: the graph cannot run, or `upgrade_tasks_to_latest_version` is asked for.
        """
        if upgrade_tasks_to_latest_version:
            raise ValueError(
                "requests stay on the version that accepted them; leave upgrade_tasks_to_latest_version out"
            )
        client = client or TensorlakeClient(server_url)
        graph.deploy(graph.name, address=client.service_url, token=client.token)
        return cls(graph.name, client=client)

    @classmethod
    def by_name(cls, name: str, server_url: str | None = None, client: TensorlakeClient | None = None) -> RemoteGraph:
        """A graph that was deployed before."""
        return cls(name, server_url, client)

    def run(self, block_until_done: bool = False, **kwargs: Any) -> Run:
        """Start a request; with `block_until_done` it has ended when this returns."""
        run: Run = self.job.submit(**kwargs)
        if block_until_done:
            wait([run])
        return run

    def call(self, **kwargs: Any) -> Run:
        """Start a request."""
        return self.run(**kwargs)

    def stream(self, **kwargs: Any) -> Generator[Event, None, Run]:
        """Start a request and follow what happens in it. The generator returns the request."""
        run = self.run(**kwargs)
        yield from run.events()
        return run

    def request(self, request_id: Run | str) -> Run:
        """A request, by its id."""
        found: Run = self.job.run(request_id) if isinstance(request_id, str) else request_id
        return found

    def output(self, invocation_id: Run | str, fn_name: str) -> list[Any]:
        """The outputs of one function, see `Graph.output`. Raises NotFound when there is no such function."""
        run = self.request(invocation_id)
        return outputs(run, lambda: run.output(fn_name))

    get_output = output


def graph_code_dir_path(graph_file_path: str) -> str:
    """The folder of a file."""
    return os.path.dirname(os.path.abspath(graph_file_path))
