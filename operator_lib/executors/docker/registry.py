"""The worker's pip settings for a build: which index, through what, trusted how."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operator_lib.executors.docker.recipe import CERTIFICATES
from operator_lib.executors.pip_settings import pip_settings

# What a build can use of them.
WANTED = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host"),
    *("proxy", "timeout", "default-timeout", "retries", "pre", "prefer-binary", "cert"),
)
PLACES = ("index-url", "extra-index-url", "find-links")
# The builder hands these on by itself, and keeps them out of the image.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Registry:
    """Settings for pip inside of a build."""

    configuration: str
    """A file as pip reads it; empty without settings."""
    certificates: bytes
    """Of the authorities to trust; empty for those of the image."""
    left_out: tuple[str, ...]
    """Places on this machine, which a build cannot see."""

    @property
    def has_credentials(self) -> bool:
        return re.search(r"://[^/@\s]+@", self.configuration) is not None


async def registry(environ: Mapping[str, str] | None = None) -> Registry:
    """Those of the worker."""
    return of_settings(await pip_settings(os.environ if environ is None else environ))


def of_settings(settings: Mapping[str, str]) -> Registry:
    """Those of pip's settings (by their long names) that hold inside of a build, too.

    >>> print(of_settings({"index-url": "https://example.org/simple", "user": "yes"}).configuration, end="")
    [global]
    index-url = https://example.org/simple
    """
    said: dict[str, str] = {}
    left_out: list[str] = []
    for name in WANTED:
        words = settings.get(name, "").split()
        if name in PLACES:
            left_out += (word for word in words if _is_local(word))
            words = [word for word in words if not _is_local(word)]
        if words:
            said[name] = "\n    ".join(words)
    certificates = _read(said.pop("cert", ""))
    if certificates:
        said["cert"] = CERTIFICATES
    text = "".join(f"{name} = {value}\n" for name, value in said.items())
    return Registry(f"[global]\n{text}" if text else "", certificates, tuple(dict.fromkeys(left_out)))


def _is_local(place: str) -> bool:
    return "://" not in place or place.startswith("file:")


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes() if path else b""
    except OSError:
        return b""
