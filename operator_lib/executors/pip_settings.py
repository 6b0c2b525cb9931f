"""pip's settings, said in uv's variables: uv reads neither pip's files nor ``PIP_*``."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Mapping

from operator_lib.executors import children

_LINE = re.compile(r"^(:env:|global|user|site|install|download)\.?([\w-]+)=(.*)$")
_RANK = {"global": 0, "user": 0, "site": 0, "install": 1, ":env:": 2}


async def translated(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables to add to uv's environment. What is said to uv itself (``UV_*``) stays as it is."""
    environ = os.environ if environ is None else environ
    return translate(await pip_settings(environ), environ)


def translate(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """pip's settings (by their long names) as variables of uv.

    >>> translate({"index-url": "https://example.org/simple", "find-links": "/a /b"}, {})
    {'UV_DEFAULT_INDEX': 'https://example.org/simple', 'UV_FIND_LINKS': '/a,/b'}
    """
    found: dict[str, str] = {}

    def say(setting: str, variable: str, *same: str, joined: str = " ") -> None:
        if pip.get(setting) and not any(environ.get(name) for name in (variable, *same)):
            found[variable] = joined.join(pip[setting].split())

    say("index-url", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
    say("extra-index-url", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    say("find-links", "UV_FIND_LINKS", joined=",")
    say("trusted-host", "UV_INSECURE_HOST")
    say("cert", "SSL_CERT_FILE")
    if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") and not environ.get("UV_NO_INDEX"):
        found["UV_NO_INDEX"] = "1"
    if "UV_INDEX" in found and not environ.get("UV_INDEX_STRATEGY"):
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip's rule: the best version of all indexes
    return found


async def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Of pip's files and variables, merged as pip does it."""
    process = await children.start(
        sys.executable, "-m", "pip", "config", "list", env=dict(environ), stdin=children.DEVNULL,
        stdout=children.PIPE, stderr=children.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode == 0:
        return parse(out.decode())
    return {n[4:].lower().replace("_", "-"): v for n, v in environ.items() if n.startswith("PIP_")}  # no pip here


def parse(listing: str) -> dict[str, str]:
    """What ``pip config list`` prints: ``global.index-url='…'``; variables win over a command's section over
    global.
    """
    ranked: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        match = _LINE.match(line)
        if match is None or match[1] not in _RANK:
            continue
        rank, name = _RANK[match[1]], match[2]
        if rank >= ranked.get(name, (0, ""))[0]:
            ranked[name] = (rank, str(ast.literal_eval(match[3])))
    return {name: value for name, (_, value) in ranked.items()}
