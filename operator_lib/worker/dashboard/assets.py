"""The files of the page, as they are in the package.

They are the same for everybody and hold no data, so they need no token. The page may load what comes from here and
nothing else: no script or style in the page itself, nothing from other hosts, no text that is made into markup.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.responses import Response

PATH = "/dashboard/"

_MEDIA = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
# Results that are images are shown from memory: blob. Trusted Types: no string becomes markup or a script.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE = {
    **_ALWAYS,
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


def asset(path: str) -> Response | None:
    """The response for a path of the dashboard; None for any other.

    Files are below a name made of the contents of all of them, so that they may be kept for ever, and a page never
    gets half of another release.
    """
    if path == "/":
        return document("index.html")
    release, files = _files()
    prefix = f"{PATH}{release}/"
    name = path.removeprefix(prefix)
    if name == path or name not in files:
        return None
    headers = {**_ALWAYS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(files[name], headers=headers, media_type=_MEDIA[name.rpartition(".")[2]])


def document(name: str) -> Response:
    """The response with one of the pages: ``index.html``, ``serving.html``."""
    return Response(_files()[1][name], headers=_PAGE, media_type=_MEDIA["html"])


@cache
def _files() -> tuple[str, dict[str, bytes]]:
    """The name of this release, and every file by its path."""
    files = dict(sorted(_below(resources.files("operator_lib.worker.dashboard").joinpath("static"), "")))
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(b"%b\0%d\0%b" % (name.encode(), len(data), data))
    release = digest.hexdigest()[:16]
    base = f"{PATH}{release}".encode()
    return release, {
        name: data.replace(b"{base}", base) if name.endswith(".html") else data for name, data in files.items()
    }


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _below(each, f"{prefix}{each.name}/")
        elif each.name.rpartition(".")[2] in _MEDIA:
            found.append((prefix + each.name, each.read_bytes()))
    return found
