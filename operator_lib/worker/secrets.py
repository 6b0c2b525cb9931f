"""Secrets: named values that the worker keeps sealed, and gives to the processes that ask for them by name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from operator_lib.engine.masking import SHORTEST
from operator_lib.errors import DeployError, NotFound
from operator_lib.options import Options
from operator_lib.options.checks import VARIABLE
from operator_lib.worker.store.base import SecretRow, Store, VersionRow

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Bytes; the kernel passes no longer variable to a program.
LONGEST = 64 * 1024
NONCE = 12
# What every process finds in its environment anyway.
TAKEN = frozenset({"TMPDIR", "PATH", "HOME"})


class Secrets:
    """All secrets of a worker.

    Args:
        store: keeps them, sealed.
        key: 32 bytes. Whoever has the store without it can read names and dates.
    """

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key

    async def set(self, name: str, value: str) -> None:
        """Keep a value, in place of an earlier one; processes that start from now on get it.

        Raises:
            ValueError: no such name or value can be used. Never with the value in it.
        """
        check(name, value)
        nonce = os.urandom(NONCE)
        # Bound to its name: a row of the store cannot be passed off as another.
        await self._store.put_secret(name, nonce + self._cipher().encrypt(nonce, value.encode(), name.encode()))

    async def unset(self, name: str) -> None:
        """Forget it. Processes that have it keep it.

        Raises:
            NotFound: there is none of that name.
        """
        if not await self._store.remove_secret(name):
            raise NotFound(f"no secret {name!r} on this worker")

    async def names(self) -> list[SecretRow]:
        """What there is, without values."""
        return await self._store.secrets()

    async def missing(self, options: Options, schema: dict[str, Any]) -> list[str]:
        """Why a deployment with this schema cannot be made, in words."""
        named = _named(options, schema)
        known = {row.name for row in await self.names()} if named else set[str]()
        return [f"secrets: {_absent(name)}" for name in named if name not in known]

    async def of(self, version: VersionRow, options: Options) -> dict[str, str]:
        """Those of a deployment, of whichever process of it.

        Raises:
            DeployError: one is not set (any more), or cannot be read.
        """
        found: dict[str, str] = {}
        for name in _named(options, json.loads(version.schema_json or "{}")):
            sealed = await self._store.sealed_secret(name)
            if sealed is None:
                raise DeployError(_absent(name))
            found[name] = self._open(name, sealed)
        return found

    async def values(self, version: VersionRow, options: Options) -> dict[str, Any]:
        """The secrets of a deployment and its variables, as fields of a `ProcessSpec`.

        A variable gets the value of the secret of its name, where there is one.

        Raises:
            DeployError: a secret is not set (any more), or cannot be read.
        """
        asked = options.environment_variables
        sealed = {env.name: await self._store.sealed_secret(env.name) for env in asked}
        opened = {name: self._open(name, value) for name, value in sealed.items() if value is not None}
        return {
            "secrets": opened | await self.of(version, options),
            "variables": tuple(opened),
            "required": tuple(env.name for env in asked if env.default is None),
        }

    def _open(self, name: str, sealed: bytes) -> str:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher().decrypt(sealed[:NONCE], sealed[NONCE:], name.encode()).decode()
        except InvalidTag:
            raise DeployError(
                f"secret {name} cannot be read: it was sealed with another key than the one in the worker's home; "
                f"set it again: operator-lib secrets set {name}"
            ) from None

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)


def check(name: str, value: str) -> None:
    """Refuse what cannot be a variable, or could not be kept out of logs.

    Raises:
        ValueError: says which; never with the value in it.
    """
    if not VARIABLE.fullmatch(name) or len(name) > 200:
        raise ValueError(f"secret {name[:80]!r}: the name must be that of an environment variable")
    if name in TAKEN or name.startswith("OPERATOR_LIB_"):
        raise ValueError(f"secret {name}: every process has a variable of that name already; choose another")
    if "\0" in value:
        raise ValueError(f"secret {name}: the value has a NUL character, which no variable can hold")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"secret {name}: the value is no text that UTF-8 can hold") from None
    if size > LONGEST:
        raise ValueError(f"secret {name}: the value has {size:,} bytes, at most {LONGEST:,} can be kept")
    if len(value.strip()) < SHORTEST:
        raise ValueError(
            f"secret {name}: the value must have at least {SHORTEST} characters; a shorter one could not be told "
            "from other text in logs, and hidden there"
        )


def _named(options: Options, schema: dict[str, Any]) -> list[str]:
    """By the root, and by operators below it."""
    return sorted({*options.secrets, *map(str, schema.get("secrets") or ())})


def _absent(name: str) -> str:
    return f"{name} is not set on this worker; set it: operator-lib secrets set {name}"
