"""Who may do what: the worker's token for everything, a token per serving for calling it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from operator_lib.endpoint import TOKEN

KEY = "key"
# Characters that a token has at least which somebody else has chosen.
SHORTEST = 16


def _keep(path: Path, token: str) -> None:
    """Write a 0600 file: whole, or not at all."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _secret(path: Path) -> str:
    """The contents of a 0600 file, made if it is not there: whole, or not at all.

    Raises:
        PermissionError: others may read it, or it is a link.
        ValueError: it is empty.
    """
    if not os.path.lexists(path):
        _keep(path, secrets.token_urlsafe(32))
    if path.is_symlink():
        raise PermissionError(f"{path} is a symbolic link; remove it, and the worker makes a new one")
    mode = path.stat().st_mode
    if mode & 0o077:
        raise PermissionError(f"{path} can be read by others (mode {mode & 0o777:o}); run: chmod 600 {path}")
    found = path.read_text().strip()
    if not found:
        raise ValueError(f"{path} is empty; remove it, and the worker makes a new one")
    return found


def given(file: Path) -> str:
    """The token in a file that somebody else looks after, such as a mounted secret.

    Raises:
        ValueError: the file cannot be read, or holds no token: a word of 16 characters or more.
    """
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--token-file {file}: {error}") from error
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise ValueError(f"--token-file {file}: must hold one word of {SHORTEST} or more printable characters")
    return token


class Tokens:
    """Checks tokens in constant time. `file`: where the worker's own is given; otherwise it is made once."""

    def __init__(self, home: Path, file: Path | None = None) -> None:
        if file is not None:
            _keep(home / TOKEN, given(file))
        self._token = _digest(_secret(home / TOKEN))
        self._key = _secret(home / KEY).encode()
        self._servings: dict[str, bytes] = {}  # digests of their tokens by deployment

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from the key in the home: the same after a restart, unknown to everybody else."""
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()

    def is_owner(self, token: str) -> bool:
        """The worker's own token."""
        return hmac.compare_digest(_digest(token), self._token)

    def serving(self, deployment_id: str) -> str:
        """A token that may call this one deployment. It is derived, not stored, and ends with the deployment."""
        mac = self.derived(f"serving:{deployment_id}")
        return "ols_" + base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def may_call(self, token: str, deployment_id: str) -> bool:
        """Whether `token` may call the serving."""
        wanted = self._servings.get(deployment_id)
        if wanted is None:
            wanted = self._servings[deployment_id] = _digest(self.serving(deployment_id))
        given = _digest(token)
        return hmac.compare_digest(given, wanted) or hmac.compare_digest(given, self._token)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def bearer(header: str | bytes | None) -> str:
    """The token of an ``Authorization: Bearer`` header, empty without one."""
    text = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    scheme, _, token = text.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
