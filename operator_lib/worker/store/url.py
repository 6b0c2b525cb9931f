"""What ``--store`` names."""

from __future__ import annotations

from pathlib import Path

VARIABLE = "OPERATOR_LIB_STORE"
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def check(url: str) -> None:
    """Refuse what names no store.

    Raises:
        ValueError: never with a password in it.
    """
    if url and not url.startswith((SQLITE, *POSTGRES)):
        kind = url.partition(":")[0] if "://" in url else ""
        about = f"there is no store of the kind {kind!r:.40}" if kind else "that is no URL"
        raise ValueError(f"--store: {about}; give sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE")
    if url == SQLITE:
        raise ValueError("--store: sqlite:/// names no file; give sqlite:///PATH")


def sqlite_path(url: str) -> Path:
    """The file of an SQLite store: what follows the third slash; with a fourth one it is absolute."""
    return Path(url.removeprefix(SQLITE))


def absolute(url: str) -> str:
    """The same wherever it is read: a worker in the background is in another folder than who starts it."""
    return f"{SQLITE}{sqlite_path(url).absolute()}" if url.startswith(SQLITE) and url != SQLITE else url
