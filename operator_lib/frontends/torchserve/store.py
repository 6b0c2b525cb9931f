"""Where archives come from: a folder of them, a file, an address."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from operator_lib.frontends.torchserve.problems import InvalidArchive

# Seconds without a byte until a download is given up, and bytes that it may have.
PATIENCE = 60
LARGEST = 64 << 30


@contextmanager
def fetched(url: str, folders: tuple[Path, ...]) -> Generator[Path]:
    """The archive behind a ``url``; a file that was downloaded goes afterwards.

    Args:
        folders: where names are looked up, in this order.

    Raises:
        FileNotFoundError: there is none. InvalidArchive: the name leads out of the folders. ConnectionError.
    """
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        file = _download(url)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)
    elif parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.exists():
            raise FileNotFoundError(f"there is no file {path}")
        yield path
    else:
        yield named(url, folders)


def named(name: str, folders: tuple[Path, ...]) -> Path:
    """A file by its name in one of the folders."""
    if os.path.isabs(name) or ".." in Path(name).parts or "\\" in name:
        raise InvalidArchive(f"{name!r} leads out of the store; name a file in it, or give a URL: file://...")
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"there is no {name!r} in {' or '.join(str(folder) for folder in folders) or 'any store'}")


def _download(url: str) -> Path:
    import requests

    name = Path(unquote(urlsplit(url).path)).name or "archive"
    handle, path = tempfile.mkstemp(prefix="operator-lib-download-", suffix=f"-{name}"[-80:])
    target = Path(path)
    try:
        with os.fdopen(handle, "wb") as file, requests.get(url, stream=True, timeout=PATIENCE) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_content(1 << 20):
                file.write(chunk)
                if file.tell() > LARGEST:
                    raise InvalidArchive(f"{url} is larger than {LARGEST:,} bytes")
    except BaseException as problem:
        target.unlink(missing_ok=True)
        if isinstance(problem, requests.RequestException | ValueError) and not isinstance(problem, InvalidArchive):
            raise ConnectionError(f"cannot download {url}: {problem}") from None
        raise
    return target
