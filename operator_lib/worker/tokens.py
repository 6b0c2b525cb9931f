"""Who may do what: the worker's token for everything, a token per serving for calling it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from operator_lib.endpoint import TOKEN, read_token

KEY = "key"


def _secret(path: Path) -> str:
    """The contents of a 0600 file, made if it is not there."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        if path.is_symlink():
            raise PermissionError(f"{path} is a symbolic link; remove it") from None
        return path.read_text().strip()
    with open(fd, "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text().strip()


class Tokens:
    """Checks tokens in constant time."""

    def __init__(self, home: Path) -> None:
        _secret(home / TOKEN)
        self._token = _digest(read_token(home))
        self._key = _secret(home / KEY).encode()

    def is_owner(self, token: str) -> bool:
        """The worker's own token."""
        return hmac.compare_digest(_digest(token), self._token)

    def serving(self, deployment_id: str) -> str:
        """A token that may call this one deployment. It is derived, not stored, and ends with the deployment."""
        mac = hmac.new(self._key, f"serving:{deployment_id}".encode(), hashlib.sha256).digest()
        return "ols_" + base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def may_call(self, token: str, deployment_id: str) -> bool:
        """Whether `token` may call the serving."""
        return self.is_owner(token) or hmac.compare_digest(_digest(token), _digest(self.serving(deployment_id)))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def bearer(header: str | bytes | None) -> str:
    """The token of an ``Authorization: Bearer`` header, empty without one."""
    text = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    scheme, _, token = text.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
