"""Objects in a bucket, by way of fsspec: S3 and what speaks like it, Google's, Azure's, and others."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import re
import threading
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operator_lib.worker.objects import multipart
from operator_lib.worker.objects.base import Away, Found, ObjectsError, Refusing

# Seconds for a connection, and between two bytes of an answer.
CONNECT, SILENCE = 5.0, 10.0
# Bytes a second that storage takes at least; an upload that takes longer has stopped. Its client would wait for ever
# for a server that is frozen to say that it may begin.
SLOWEST = 1 << 20
# Seconds for which requests are ended that begin although the storage was closed.
CLOSING = 5.0
# Bytes of one part of a large object.
PART = 8 << 20
# Words of permanent answers, in the order in which they are looked for; and the status of one (RFC 4918).
_FULL = ("quota", "insufficientstorage", "storagefull", "nospace", "no free volumes")
_INSUFFICIENT_STORAGE = 507
_NO_BUCKET = ("nosuchbucket", "bucket does not exist", "containernotfound", "container does not exist")
# How clients call the time at which an object was written.
_WRITTEN = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
# What is said to the clients of one kind of storage: bounded waiting, and repeating is done in one place, above.
_S3 = {
    "config_kwargs": {
        "connect_timeout": CONNECT,
        "read_timeout": SILENCE,
        "max_pool_connections": 32,
        "retries": {"mode": "standard", "total_max_attempts": 1},
    }
}
_SETTINGS: dict[str, dict[str, Any]] = {"s3": _S3, "s3a": _S3}


class Remote:
    """What lies below `path` (bucket and prefix) of one of fsspec's file systems."""

    def __init__(self, protocol: str, path: str) -> None:
        import fsspec
        from fsspec.asyn import AsyncFileSystem

        for name in ("botocore", "aiobotocore"):  # which tell where they have found keys
            logging.getLogger(name).setLevel(logging.WARNING)
        self.where = f"{protocol}://{path.strip('/')}"
        self._files: Any
        self._path: str
        settings = dict(_SETTINGS.get(protocol, {}))
        self._loop: asyncio.AbstractEventLoop | None = None
        if issubclass(fsspec.get_filesystem_class(protocol), AsyncFileSystem):
            # Its own: whoever else uses fsspec is not to be disturbed by `close`.
            settings["loop"] = self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="objects-io", daemon=True).start()
        self._files, self._path = fsspec.url_to_fs(
            self.where, use_listings_cache=False, skip_instance_cache=True, **settings
        )
        if protocol in _SETTINGS:
            self._files.retries = 1

    def put(self, name: str, source: Path | bytes) -> None:
        with self._in_words("write", name):
            if isinstance(source, bytes):
                self._files.pipe_file(self._full(name), source, **self._within(len(source)))
            else:
                within = self._within(source.stat().st_size)
                self._files.put_file(str(source), self._full(name), **self._parts(), **within)

    def get(self, name: str, target: Path) -> bool:
        with self._in_words("read", name):
            try:
                self._files.get_file(self._full(name), str(target))
            except FileNotFoundError as error:
                self._require_bucket(error)
                return False
        return True

    def read(self, name: str) -> bytes | None:
        with self._in_words("read", name):
            try:
                return bytes(self._files.cat_file(self._full(name)))
            except FileNotFoundError as error:
                self._require_bucket(error)
        return None

    def look(self, name: str) -> Found | None:
        with self._in_words("look at", name):
            try:
                return _found(name, self._files.info(self._full(name)))
            except FileNotFoundError as error:
                self._require_bucket(error)
        return None

    def under(self, folder: str) -> Iterator[Found]:
        with self._in_words("list", folder):
            listed: dict[str, Any] = self._files.find(self._full(folder), detail=True)
        for path, info in listed.items():
            name = path.lstrip("/").removeprefix(self._path.lstrip("/")).lstrip("/")
            # Some servers list folders, also one that was asked for and is empty.
            if info.get("type") == "file" and name.startswith(f"{folder}/" if folder else ""):
                yield _found(name, info)

    def remove(self, name: str) -> None:
        with self._in_words("remove", name), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._full(name))

    def tidy(self, older_than: float) -> int:
        with self._in_words("tidy", ""):
            return multipart.abort_old(self._files, self._path, older_than)

    def close(self) -> None:
        """Let go of what is under way: those that wait for it return."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(_end, self._loop, self._loop.time() + CLOSING)

    def _full(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _within(self, size: int) -> dict[str, Any]:
        """How long it may take to write so many bytes."""
        return {"timeout": SILENCE + size / SLOWEST} if self._loop is not None else {}

    def _parts(self) -> dict[str, Any]:
        return {"chunksize": PART, "max_concurrency": 4} if "s3" in self._files.protocol else {}

    def _require_bucket(self, error: FileNotFoundError) -> None:
        """An object that is not there, and a bucket that is not there, are much the same to clients."""
        if any(word in f"{error} {error.__cause__!r}".lower() for word in _NO_BUCKET):
            raise Refusing(f"{self.where}: the bucket is not there; make it, or name another") from error

    @contextlib.contextmanager
    def _in_words(self, what: str, name: str) -> Generator[None]:
        try:
            yield
        except ObjectsError:
            raise
        except Exception as error:
            raise self._translated(error, f"cannot {what} {name or 'it'} in {self.where}", name) from error

    def _translated(self, error: Exception, about: str, name: str) -> ObjectsError:
        said = str(error).strip() or type(error).__name__
        # Without the names that the user or chance have given: the words are to be the storage's own.
        own = f"{said} {error.__cause__ or ''}"
        for given in (name, self._path):
            own = own.replace(given, "") if given else own
        lowered = _URL.sub("", own).replace(" ", "").lower()
        full = any(word.replace(" ", "") in lowered for word in _FULL)
        if full or _INSUFFICIENT_STORAGE in (_status(error), _status(error.__cause__)):
            return Refusing(f"{about}: it is full, or over its quota: {said}")
        if isinstance(error, PermissionError) or type(error).__name__ in _NOT_KNOWN:
            return Refusing(f"{about}: permission denied: {said}")
        if isinstance(error, FileNotFoundError):
            return Refusing(f"{about}: the bucket is not there; make it, or name another: {said}")
        return Away(f"{about}: {said}")


def _end(loop: asyncio.AbstractEventLoop, until: float) -> None:
    """Cancel what is under way, and what begins meanwhile. What has not had its first step would never tell that it
    was cancelled: it has to wait for the next time."""
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        if not inspect.iscoroutine(coroutine) or inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED:
            task.cancel()
    if loop.time() < until:
        loop.call_later(0.02, _end, loop, until)


# What clients raise that were given no credentials, or wrong ones; not all of it is a PermissionError.
_NOT_KNOWN = ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError", "ClientAuthenticationError")


_URL = re.compile(r"\w+://[^\s\"']+")


def _status(error: BaseException | None) -> int | None:
    """Of the answer over HTTP, wherever the client has put it."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        found: Any = response.get("ResponseMetadata", {}).get("HTTPStatusCode")  # pyright: ignore[reportUnknownMemberType]
    else:
        found = next((getattr(error, name) for name in ("status_code", "status", "code") if hasattr(error, name)), None)
    return found if isinstance(found, int) else None


def _found(name: str, info: dict[str, Any]) -> Found:
    written: Any = next((info[key] for key in _WRITTEN if info.get(key)), 0.0)
    if isinstance(written, str):
        written = datetime.fromisoformat(written)
    if isinstance(written, datetime):
        written = (written if written.tzinfo else written.replace(tzinfo=UTC)).timestamp()
    return Found(name, int(info["size"]), float(written))
