"""What can be done to a deployment besides calling it: ``h.job`` and ``h.serving``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from operator_lib.client.connect import Connection
from operator_lib.client.run import follow_events
from operator_lib.engine.events import log_text
from operator_lib.engine.serving_stats import described
from operator_lib.trace.dag import DAG
from operator_lib.wire.listing import listed
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.wire.proto import serving_pb2 as calls


class Manager:
    """Common to jobs and servings."""

    kind = common.DEPLOYMENT_KIND_JOB

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name} at {self._connection.address}>"

    def info(self) -> pb.Deployment:
        """What the worker knows of it."""
        connection = self._connection
        return connection.call(connection.deployments.Get, pb.GetRequest(name=self.name, kind=self.kind))

    def versions(self) -> list[dict[str, Any]]:
        """All versions, oldest first: ``number``, ``status``, ``created``, ``live``, ``fingerprint``, ``message``."""
        found = self.info()
        every = [
            {
                "number": v.number,
                "status": v.status,
                "created": v.created,
                "live": v.number == found.version,
                "fingerprint": v.fingerprint,
                "message": v.message,
            }
            for v in found.versions
        ]
        return listed("versions", every)

    def rollback(self, version: int) -> None:
        """Make an earlier version live again.

        Raises:
            NotFound: there is no such version.
        """
        request = pb.RollbackRequest(name=self.name, version=version, kind=self.kind)
        self._connection.call(self._connection.deployments.Rollback, request, timeout=None)

    def delete(self) -> None:
        """Remove it from the worker. Runs in flight finish."""
        request = pb.DeleteRequest(name=self.name, kind=self.kind)
        self._connection.call(self._connection.deployments.Delete, request, timeout=None)

    def dag(self, version: int = 0) -> DAG:
        """The static graph of a version (0: the live one)."""
        request = pb.GetRequest(name=self.name, kind=self.kind, version=version)
        return DAG.from_json(self._connection.call(self._connection.deployments.Get, request).dag_json)


class ServingManager(Manager):
    """``h.serving``."""

    kind = common.DEPLOYMENT_KIND_SERVING

    def __init__(self, connection: Connection, name: str, renew: Callable[[], None] = lambda: None) -> None:
        """`renew`: has the handle look anew which replicas there are."""
        super().__init__(connection, name)
        self._renew = renew

    def rollback(self, version: int) -> None:
        """Make an earlier version live again: calls of this handle from here on are its.

        Raises:
            NotFound: there is no such version.
        """
        super().rollback(version)
        self._renew()

    def scale(self, replicas: int | None) -> None:
        """So many replicas from now on, whatever there is to do; None: as many as the options say and the calls need.

        Raises:
            OptionError: several replicas of a stateful object.
        """
        request = pb.ScaleRequest(name=self.name, replicas=replicas or 0, automatic=replicas is None)
        self._connection.call(self._connection.deployments.Scale, request, timeout=None)

    def logs(self, follow: bool = False) -> Iterator[str]:
        """What its replicas have printed."""
        return log_text(follow_events(self._connection, self.name, follow, 0, kinds=("log",)))

    def stats(self) -> dict[str, Any]:
        """What its replicas have done since they started, and have to do now.

        ``status``, ``version``, ``wanted`` (replicas), ``restarts``; ``calls``, ``errors``, ``p50_ms``, ``p90_ms``,
        ``p99_ms`` (from a call's arrival to its answer), ``running``, ``waiting``, ``memory`` (bytes), ``methods`` (by
        name: calls, errors, times), with `Batch` ``batches``; and ``replicas``: the same of each, with ``id``, ``pid``,
        ``version``, ``status``, ``started``.
        """
        request = calls.StatsRequest(name=self.name)
        return described(self._connection.call(self._connection.servings.Stats, request))
