"""Writes about deployments and versions. Each function runs inside one transaction."""

from __future__ import annotations

import secrets
import time
from dataclasses import fields
from typing import Any

from operator_lib.errors import NotFound
from operator_lib.worker.store.base import Ambiguous, DeploymentRow, NewVersion, Refused, VersionRow
from operator_lib.worker.store.connection import LOCKED, Connection

DEPLOYMENT = ", ".join(field.name for field in fields(DeploymentRow))
VERSION = ", ".join(field.name for field in fields(VersionRow))


def live(connection: Connection, name: str, kind: str | None = None) -> DeploymentRow | None:
    """Raises Ambiguous when a job and a serving have the name and no kind is given."""
    kinds = ("job", "serving") if kind is None else (kind, kind)
    query = f"SELECT {DEPLOYMENT} FROM deployments WHERE name = ? AND deleted IS NULL AND kind IN (?, ?)"
    found = connection.execute(query, (name, *kinds)).fetchall()
    if len(found) > 1:
        raise Ambiguous(f"{name!r} is both a job and a serving: say which")
    return DeploymentRow(*found[0]) if found else None


def by_id(connection: Connection, id: str) -> DeploymentRow | None:
    found = connection.execute(f"SELECT {DEPLOYMENT} FROM deployments WHERE id = ?", (id,)).fetchone()
    return DeploymentRow(*found) if found else None


def version(connection: Connection, deployment_id: str, number: int) -> VersionRow | None:
    query = f"SELECT {VERSION} FROM versions WHERE deployment_id = ? AND number = ?"
    found = connection.execute(query, (deployment_id, number)).fetchone()
    return VersionRow(*found) if found else None


def put_version(
    connection: Connection, name: str, kind: str, new: NewVersion
) -> tuple[DeploymentRow, VersionRow, bool]:
    now = time.time()
    deployment = live(connection, name, kind)
    if deployment is None:
        _insert(
            connection, "deployments", DEPLOYMENT, DeploymentRow(secrets.token_hex(8), name, kind, 0, now, now, None)
        )
        deployment = _existing_deployment(live(connection, name, kind))
    # One at a time for each deployment: versions are numbered without gaps.
    connection.execute(f"SELECT 1 FROM deployments WHERE id = ? {LOCKED}", (deployment.id,))
    query = f"SELECT {VERSION} FROM versions WHERE deployment_id = ? AND fingerprint = ?"
    found = connection.execute(query, (deployment.id, new.fingerprint)).fetchone()
    if found:
        return deployment, VersionRow(*found), True
    query = "SELECT coalesce(max(number), 0) + 1 FROM versions WHERE deployment_id = ?"
    number = int(connection.execute(query, (deployment.id,)).fetchone()[0])
    given = {field.name: getattr(new, field.name) for field in fields(NewVersion)}
    row = VersionRow(deployment_id=deployment.id, number=number, created=now, status="building", message="", **given)
    _insert(connection, "versions", VERSION, row)
    return deployment, row, False


def set_version_status(
    connection: Connection,
    deployment_id: str,
    number: int,
    status: str,
    message: str,
    env_key: str | None,
) -> VersionRow:
    connection.execute(
        "UPDATE versions SET status = ?, message = ?, env_key = coalesce(?, env_key)"
        " WHERE deployment_id = ? AND number = ?",
        (status, message, env_key, deployment_id, number),
    )
    return _existing(version(connection, deployment_id, number), number)


def make_live(connection: Connection, deployment_id: str, number: int) -> DeploymentRow:
    row = _existing(version(connection, deployment_id, number), number)
    if row.status != "ready":
        raise Refused(f"version {number} is {row.status}, only a ready one can go live")
    connection.execute(
        "UPDATE deployments SET live_version = ?, updated = ? WHERE id = ? AND deleted IS NULL",
        (number, time.time(), deployment_id),
    )
    return _existing_deployment(by_id(connection, deployment_id))


def set_replicas(connection: Connection, deployment_id: str, count: int | None) -> None:
    connection.execute("UPDATE deployments SET replicas = ? WHERE id = ?", (count, deployment_id))


def hold(connection: Connection, worker: str, deployment_id: str) -> bool:
    """A serving that nobody holds is this worker's from now on; whether it is."""
    connection.execute("UPDATE deployments SET owner = ? WHERE id = ? AND owner = ''", (worker, deployment_id))
    held = connection.execute("SELECT owner FROM deployments WHERE id = ?", (deployment_id,)).fetchone()
    return held is not None and held[0] == worker


def delete(connection: Connection, name: str, kind: str | None = None) -> DeploymentRow:
    deployment = live(connection, name, kind)
    if deployment is None:
        raise NotFound(f"there is no deployment called {name!r}")
    now = time.time()
    connection.execute("UPDATE deployments SET deleted = ?, updated = ? WHERE id = ?", (now, now, deployment.id))
    connection.execute("DELETE FROM schedules WHERE deployment_id = ?", (deployment.id,))
    gone = by_id(connection, deployment.id)
    assert gone is not None
    return gone


def _existing(row: VersionRow | None, number: int) -> VersionRow:
    if row is None:
        raise NotFound(f"there is no version {number} of this deployment")
    return row


def _existing_deployment(row: DeploymentRow | None) -> DeploymentRow:
    if row is None or row.deleted is not None:
        raise NotFound("the deployment has been deleted in the meantime; deploy it again")
    return row


def _insert(connection: Connection, table: str, columns: str, row: Any) -> None:
    """Unless there is one with that key: somebody else may have just made it."""
    names = columns.split(", ")
    marks = ", ".join("?" * len(names))
    values = [getattr(row, name) for name in names]
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING", values)
