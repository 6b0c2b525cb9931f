"""Secrets of a worker: set, listed by name, unset. No value ever comes back."""

from __future__ import annotations

from dataclasses import dataclass

from operator_lib.client.connect import Connection
from operator_lib.wire.proto import manage_pb2 as pb


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A secret without its value. Times are seconds since the epoch."""

    name: str
    created: float
    updated: float


def put(connection: Connection, name: str, value: str) -> None:
    """Have the worker keep a value, in place of an earlier one. Processes that start from now on get it.

    Raises:
        OptionError: the name or the value cannot be used; the message does not show the value.
    """
    connection.call(connection.secrets.Set, pb.SetSecretRequest(name=name, value=value))


def listed(connection: Connection) -> list[SecretInfo]:
    """Names and dates, by name."""
    found = connection.call(connection.secrets.List, pb.ListSecretsRequest()).secrets
    return [SecretInfo(secret.name, secret.created, secret.updated) for secret in found]


def remove(connection: Connection, name: str) -> None:
    """Have the worker forget a secret. Processes that have it keep it.

    Raises:
        NotFound: there is none of that name.
    """
    connection.call(connection.secrets.Unset, pb.UnsetSecretRequest(name=name))
