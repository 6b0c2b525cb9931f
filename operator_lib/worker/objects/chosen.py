"""Which object storage a worker was started with: ``--blobs`` as a folder or a URL."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.parse import unquote

from operator_lib.worker.objects.base import Objects

# Protocols for which there is an extra: the package that opens them, and the extra that brings it.
EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), ("s3fs", "s3")),
    **dict.fromkeys(("gs", "gcs"), ("gcsfs", "gcs")),
    **dict.fromkeys(("abfs", "abfss", "az"), ("adlfs", "azure")),
}
# They forget everything with the worker, or cannot be written to.
_USELESS = frozenset({"memory", "http", "https", "data", "zip", "tar", "blockcache", "filecache", "simplecache"})


def check(text: str, home: Path) -> None:
    """Raises ValueError: `text` names no place that can be used, or something secret with it; says what to do."""
    protocol, path = _parts(text)
    if not protocol:
        _check_folder(Path(path), home)
        return
    if "?" in path or ":" in path or ("@" in path and EXTRAS.get(protocol, ("",))[0] != "adlfs"):
        raise ValueError(
            f"--blobs: only {protocol}://BUCKET/PREFIX; keys and endpoints do not belong in it but in the "
            "environment, such as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
        )
    if not path.strip("/"):
        raise ValueError(f"--blobs: {protocol}:// names no bucket; give {protocol}://BUCKET/PREFIX")
    package, extra = EXTRAS.get(protocol, ("fsspec", "s3"))
    if importlib.util.find_spec(package) is None:
        raise ValueError(f"--blobs {protocol}://: needs the package {package}; pip install 'operator_lib[{extra}]'")
    if protocol not in EXTRAS:
        _check_known(protocol)


def make_objects(text: str) -> Objects:
    """The storage of that name; see `check`."""
    protocol, path = _parts(text)
    if not protocol:
        from operator_lib.worker.objects.directory import Directory

        return Directory(Path(path))
    from operator_lib.worker.objects.remote import Remote

    return Remote(protocol, path)


def is_url(text: str) -> bool:
    """Whether it is more than the path of a folder."""
    return "://" in text


def _parts(text: str) -> tuple[str, str]:
    """Protocol and path; of a folder "" and its path."""
    protocol, separator, path = text.partition("://")
    if not separator:
        return "", text
    protocol = protocol.lower()
    return ("", unquote(path)) if protocol in ("file", "local") else (protocol, path)


def _check_folder(folder: Path, home: Path) -> None:
    if not folder.is_absolute():
        raise ValueError(f"--blobs: must be an absolute path or a URL, got {str(folder)!r}")
    resolved = folder.resolve()
    if home.is_relative_to(resolved) or (resolved.parent == home and resolved.name in ("runs", "blobs", "sources")):
        raise ValueError(f"--blobs: {folder} is part of the home {home}, or holds it; name another folder")


def _check_known(protocol: str) -> None:
    import fsspec

    known = set(fsspec.available_protocols()) - _USELESS
    if protocol not in known:
        raise ValueError(f"--blobs: nothing is kept by {protocol}://; use s3://, gs://, abfs://, file:// or a folder")
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        raise ValueError(f"--blobs {protocol}://: {error}") from None
