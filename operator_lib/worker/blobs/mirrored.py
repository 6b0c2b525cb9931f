"""Blobs in object storage: the folder is where uploads arrive, and a cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar

from operator_lib.errors import NotFound
from operator_lib.worker.blobs.local import KEEP_PARTIALS, SHA256, BlobError, Blobs, Ref
from operator_lib.worker.objects.base import Found, Objects, ObjectsError
from operator_lib.worker.objects.storage import PATIENCE, Storage

T = TypeVar("T")

# Seconds after which an object that is named again has its age taken back: half of the least age at which it goes.
RENEWED = 12 * 3600.0
# Seconds for which an object that was seen is believed to be there: it was too young to go within them.
BELIEVED = 6 * 3600.0
# Seconds for which a client that asks what to upload waits for the storage: it can upload, instead.
ASKED = 2.0
# Blobs a second that it can be asked about at least.
ASKED_RATE = 100.0
# Objects of which it is remembered that they were seen.
MANY = 100_000
_FETCHED = "fetched-"


class Mirrored(Blobs):
    """The folder `root` in front of `storage`. A blob counts as kept when it is in both."""

    def __init__(self, root: str | Path, storage: Storage) -> None:
        super().__init__(root)
        self._storage = storage
        self._believed: dict[str, float] = {}

    async def aside(self, action: Callable[..., T], *arguments: Any) -> T:
        return await self._storage.aside(action, *arguments)

    def lacking(self, refs: Iterable[Ref]) -> dict[str, int]:
        absent = [(sha, size) for sha, size in refs if not self.renew(sha, size)]
        there: list[bool] = []
        with contextlib.suppress(ObjectsError):
            there = self._storage.each(lambda ref: self._stored(ref, ASKED), absent, ASKED + len(absent) / ASKED_RATE)
        known = {sha for (sha, _), stored in zip(absent, there, strict=False) if stored}
        return {sha: self.received(sha) for sha, _ in absent if sha not in known}

    def keep(self, refs: Iterable[Ref], patience: float = PATIENCE, within: float | None = None) -> set[str]:
        """See `Blobs.keep`.

        Raises:
            ObjectsError: the storage is away for long, or refuses.
        """
        wanted = list(dict.fromkeys(refs))
        kept = self._storage.each(lambda ref: self._keep(ref, patience), wanted, within)
        return {sha for (sha, _), there in zip(wanted, kept, strict=True) if not there}

    def here(self, sha: str) -> bool:
        """The same; what is used is not dropped from the cache for a while."""
        try:
            os.utime(self._place(sha))
        except FileNotFoundError:
            return False
        return True

    def path(self, sha: str) -> Path:
        """Where the blob lies, fetched if need be.

        Raises:
            NotFound: there is none.
            BlobError: what is stored is not what its name says; it was removed.
            ObjectsError: the storage is away for long, or refuses.
        """
        place = self._place(sha)
        if not self.here(sha):
            self._fetch(sha, place)
        return place

    def bring(self, shas: Collection[str]) -> None:
        """See `Blobs.bring`; raises what `path` does."""
        self._storage.each(self.path, {sha for sha in shas if not self.here(sha)})

    def sweep(self, older_than: float = KEEP_PARTIALS) -> int:
        """The same; also what fetches have left that were cut off."""
        for left in (self.root / "partial").glob(f"{_FETCHED}*"):
            with contextlib.suppress(FileNotFoundError):  # of another worker in this home, which is done with it
                if left.stat().st_mtime < time.time() - older_than:
                    left.unlink()
        return super().sweep(older_than)

    def older(self, before: float) -> set[str]:
        """The same, here and in storage; there by its own clock.

        Raises:
            ObjectsError: storage is away or refuses.
        """
        there = self._there(before)
        return super().older(before).union(*(self._old(f"{shard:02x}", there) for shard in range(256)))

    def remove(self, shas: Iterable[str], before: float) -> int:
        """The same, here and in storage; raises what `older` does."""
        there = self._there(before)
        return sum(self._storage.each(lambda sha: self.discard(sha, before) | self._remove(sha, there), shas))

    def _there(self, moment: float) -> float:
        """The same moment by the clock of the storage."""
        return moment + self._storage.insist(lambda _: self._storage.clock()) - time.time()

    def drop(self, sha: str, size: int, before: float) -> bool:
        """Remove the copy that is here, unless it was used since then, or is the only one."""
        found = self._storage.insist(lambda objects: objects.look(_name(sha)))
        return found is not None and found.size == size and self.discard(sha, before)

    def _old(self, shard: str, before: float) -> list[str]:
        """Blobs in storage that came and were last named again before then."""
        objects = self._storage.objects
        found = [one for one in objects.under(f"blobs/{shard}") if one.written < before]
        marks = {one.name: one.written for one in objects.under(f"renewed/{shard}")} if found else {}
        names = [one.name.rpartition("/")[2] for one in found]
        return [sha for sha in names if SHA256.fullmatch(sha) and marks.get(_mark(sha), 0.0) < before]

    def _remove(self, sha: str, before: float) -> bool:
        """Remove one that nobody names, if nobody has said meanwhile that he is about to."""
        objects = self._storage.objects
        for name in (_name(sha), _mark(sha)):
            found = objects.look(name)
            if found is not None and found.written >= before:
                return False
        self._believed.pop(sha, None)
        objects.remove(_name(sha))
        objects.remove(_mark(sha))
        return True

    # --- one blob ------------------------------------------------------------------------------------------------

    def _keep(self, ref: Ref, patience: float) -> bool:
        sha, size = ref
        here = self.renew(sha, size)
        if self._believed.get(sha, 0.0) > time.monotonic():
            return True
        if self._stored(ref, patience):
            return True
        if not here:
            return False
        self._storage.insist(lambda objects: objects.put(_name(sha), self._place(sha)), patience)
        if not self._stored(ref, patience):
            raise BlobError(f"blob {sha[:12]} was written to {self._storage.where}, and is not there; try again")
        return True

    def _stored(self, ref: Ref, patience: float) -> bool:
        """Whether it is in the storage, whole, and young enough not to go before it is named."""
        sha, size = ref

        def renewed(objects: Objects) -> bool:
            found = objects.look(_name(sha))
            if found is None or found.size != size:
                return False
            if _age(found) > RENEWED and _age(objects.look(_mark(sha))) > RENEWED:
                objects.put(_mark(sha), b"")
            return True

        stored = self._storage.insist(renewed, patience)
        if stored:
            if len(self._believed) >= MANY:
                self._believed.clear()
            self._believed[sha] = time.monotonic() + BELIEVED
        return stored

    def _fetch(self, sha: str, place: Path) -> None:
        for _ in range(2):  # what was damaged on its way is whole the second time
            if self._fetched(sha, place):
                return
        self._believed.pop(sha, None)
        self._storage.insist(lambda objects: objects.remove(_name(sha)))
        raise BlobError(
            f"blob {sha[:12]} in {self._storage.where} was not what its name says, and was removed; "
            "deploy or submit again what it belongs to"
        )

    def _fetched(self, sha: str, place: Path) -> bool:
        """Whether what came is what the name says."""
        partial = self.root / "partial" / f"{_FETCHED}{secrets.token_hex(16)}"
        try:
            if not self._storage.insist(lambda objects: _get(objects, _name(sha), partial)):
                raise NotFound(f"there is no blob {sha} in {self._storage.where}; upload it again")
            with partial.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha:
                    return False
            place.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(partial, place)
            return True
        except ObjectsError:
            raise
        except OSError as error:
            raise self._in_words(error, 0) from error
        finally:
            partial.unlink(missing_ok=True)


def _get(objects: Objects, name: str, partial: Path) -> bool:
    partial.unlink(missing_ok=True)  # of a try before that broke off
    return objects.get(name, partial)


def _age(found: Found | None) -> float:
    return float("inf") if found is None else time.time() - found.written


def _name(sha: str) -> str:
    return f"blobs/{sha[:2]}/{sha}"


def _mark(sha: str) -> str:
    """An empty object: when it was written, the blob was named again. Bytes that nobody changes cannot be renewed."""
    return f"renewed/{sha[:2]}/{sha}"
