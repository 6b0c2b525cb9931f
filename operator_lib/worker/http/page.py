"""The page at a serving's URL: a form for each method, made in the browser from the serving's own document.

It is the same for every name and holds no data, so it needs no token: what it shows it asks for with the one that is
typed in. Its script and style are in the page, allowed by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from starlette.responses import HTMLResponse


def page_of(rest: str) -> HTMLResponse | None:
    """The page for what follows ``/v1/servings/`` in a path, if that is the URL of a serving."""
    name, _, more = rest.partition("/")
    if not name or more:
        return None
    text, policy = _page()
    return HTMLResponse(
        text,
        headers={
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cache-Control": "no-cache",
            "Vary": "Accept",
        },
    )


@cache
def _page() -> tuple[str, str]:
    """The text, and the policy that allows what is in it."""
    text = resources.files("operator_lib.worker.http").joinpath("try.html").read_text(encoding="utf-8")

    def hashes(tag: str) -> str:
        found: list[str] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in found)

    return text, (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; connect-src 'self'; "
        "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
