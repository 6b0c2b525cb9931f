"""Files that travel by reference: sent once, by content, and read where they are needed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from operator_lib.client import inventory, trust
from operator_lib.client.connect import Connection, connect
from operator_lib.client.upload import upload
from operator_lib.errors import NotFound

# Seconds for a server to answer, and between two pieces of what it sends.
ANSWER = 30.0
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A file on a worker."""

    sha256: str
    size: int
    url: str


def keep(path: Path) -> Kept:
    """Send a file to the worker of this process, unless it is there. It is kept for a day after it was sent last.

    Raises:
        OSError: it cannot be read.
        DeployError: it changed while it was being sent.
    """
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    connection = connect()
    upload(connection, {digest: (size, path)})
    return Kept(digest, size, _place(connection, digest))


def fetch(sha256: str, url: str, target: Path) -> None:
    """Write the file to `target`: that of the content `sha256` from the worker of this process, else from `url`.

    Raises:
        NotFound: it is not there (any more).
        ConnectionError: nobody answers there, or the connection broke.
    """
    headers: dict[str, str] = {}
    if sha256:
        connection = connect()
        url, headers = _place(connection, sha256), {"Authorization": f"Bearer {connection.token}"}
    partial = target.with_name(f"{target.name}.partial")
    try:
        found = _write(url, headers, partial)
        if sha256 and found != sha256:
            raise ConnectionError(f"{url}: what came is not what was asked for; try again")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _write(url: str, headers: dict[str, str], target: Path) -> str:
    """The content of a URL into a file; its SHA-256."""
    import requests

    digest = hashlib.sha256()
    try:
        session = trust.session(trust.of_url(url)) if headers else requests.Session()  # without: it is not the worker's
        with session, session.get(url, headers=headers, timeout=ANSWER, stream=True) as got:
            if got.status_code in (404, 410):
                raise NotFound(f"there is no file at {url} (any more)")
            got.raise_for_status()
            with open(target, "wb") as file:
                for piece in got.iter_content(PIECE):
                    digest.update(piece)
                    file.write(piece)
    except requests.RequestException as error:
        raise ConnectionError(f"{url} could not be read: {error}") from None
    return digest.hexdigest()


def _place(connection: Connection, sha256: str) -> str:
    return f"{inventory.worker(connection).url}/v1/files/{sha256}"
