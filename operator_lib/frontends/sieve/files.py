"""`File`: a file that is handed on by reference. Its bytes travel when somebody opens it, not before."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import threading
import urllib.parse
from pathlib import Path
from typing import Any

from operator_lib.core import reach
from operator_lib.errors import OptionError

WEB = ("http://", "https://")


class Copy:
    """A copy of a file on this machine, for as long as somebody has it."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._path: Path | None = None
        self._lock = threading.Lock()

    def path(self, sha256: str, url: str, name: str) -> Path:
        """Where it is; it is fetched the first time."""
        with self._lock:
            if self._path is None:
                self._folder = self._folder or tempfile.TemporaryDirectory(prefix="file-", ignore_cleanup_errors=True)
                path = Path(self._folder.name) / (name or "file")
                reach("client.files", "fetch")(sha256, url, path)
                self._path = path
            return self._path


class Held(str):
    """The path of a copy, which is there for as long as somebody has this: ``open(fetch.run().path)`` works."""

    def __new__(cls, path: Path, copy: Copy) -> Held:
        made = super().__new__(cls, path)
        made.copy = copy  # type: ignore[attr-defined]
        return made

    def __reduce__(self) -> Any:  # elsewhere it is a text
        return str, (str(self),)


@dataclasses.dataclass(init=False, eq=False, repr=False)
class File:
    """A file on this machine or on the web.

    A file of this machine that is passed to a function, or returned by one, is sent to the worker once, by its content;
    over there it is fetched when ``path`` is first read.

    Args:
        source: a path or a URL, told by how it begins.
        path: on this machine.
        url: on the web.
        sha256, size, name: of the content, where the worker has it.
        extra: further attributes, which travel along: plain values.

    Attributes:
        url: where it can be had from; None for a file of this machine that was not sent yet.
        size: bytes, or None where that is not known.

    Raises:
        OptionError: there is not exactly one of a path and a URL.
    """

    # What travels. The first two are looked up when they are asked for: see below.
    sha256: str | None = None
    url: str | None = None
    size: int | None = None
    name: str = ""

    __slots__ = ("__dict__", "__weakref__", "_copy", "_local")

    def __init__(
        self,
        source: str | os.PathLike[str] | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        sha256: str | None = None,
        size: int | None = None,
        name: str = "",
        **extra: Any,
    ) -> None:
        if source is not None:
            at_web = isinstance(source, str) and source.startswith(WEB)
            path, url = (path, url or str(source)) if at_web else (path or source, url)
        if (path is None) == (url is None and sha256 is None):
            raise OptionError(f"{type(self).__name__}: give a path or a url, and one of them only")
        if url is not None and not url.startswith(WEB):
            raise OptionError(f"{type(self).__name__}.url: must start with http:// or https://, got {url!r:.80}")
        self.__dict__.update(extra)
        if path is not None:
            self._local = Path(path).absolute()
        else:
            self.__dict__.update(sha256=sha256, url=url, size=size)
        self.__dict__["name"] = name or _name_of(path, url)

    @property
    def path(self) -> str:
        """A path on this machine; the file is fetched when this is first read.

        Raises:
            FileNotFoundError: there is no such file.
            NotFound, ConnectionError: it cannot be fetched.
        """
        local: Path | None = getattr(self, "_local", None)
        copy: Copy | None = None
        if local is None:
            copy = getattr(self, "_copy", None)
            if copy is None:
                copy = self._copy = Copy()
            state = self.__dict__
            local = copy.path(state.get("sha256") or "", state.get("url") or "", os.path.basename(self.name))
        if not local.exists():
            raise FileNotFoundError(f"there is no file {local}")
        return str(local) if copy is None else Held(local, copy)

    def __getstate__(self) -> Any:
        send(self)
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        where = getattr(self, "_local", None) or self.__dict__.get("url") or self.__dict__.get("sha256")
        return f"{type(self).__name__}({str(where)!r})"


def send(file: File) -> None:
    """See to it that the worker has the bytes of a file of this machine."""
    if getattr(file, "_local", None) is None or file.__dict__.get("sha256"):
        return
    kept = reach("client.files", "keep")(Path(file.path))
    file.__dict__.update(sha256=kept.sha256, url=kept.url, size=kept.size)


def _sha256(file: File) -> str | None:
    """By which the worker knows it. Whoever writes the file down asks for it, so that is when it is sent."""
    send(file)
    return file.__dict__.get("sha256")


def _url(file: File) -> str | None:
    return file.__dict__.get("url")


def _size(file: File) -> int | None:
    local: Path | None = getattr(file, "_local", None)
    return local.stat().st_size if local is not None and local.exists() else file.__dict__.get("size")


File.sha256 = property(_sha256)  # type: ignore[assignment]  # after the decorator has seen the fields
File.url = property(_url)  # type: ignore[assignment]
File.size = property(_size)  # type: ignore[assignment]


def _name_of(path: str | os.PathLike[str] | None, url: str | None) -> str:
    if path is not None:
        return os.path.basename(os.fspath(path))
    return os.path.basename(urllib.parse.urlsplit(url or "").path)
