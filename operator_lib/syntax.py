"""`ast.parse` for programs with threads."""

from __future__ import annotations

import ast
from typing import Any, Literal, overload

# Each attempt fails by itself: a program whose threads never cease to parse gets a tree, too.
_ATTEMPTS = 20


@overload
def parse(source: str | bytes, filename: str = ..., mode: Literal["exec"] = ...) -> ast.Module: ...
@overload
def parse(source: str | bytes, filename: str = ..., *, mode: Literal["eval"]) -> ast.Expression: ...
def parse(source: str | bytes, filename: str = "<unknown>", mode: Any = "exec") -> Any:
    """What `ast.parse` returns and raises, in whichever thread.

    Python 3.11 counts how deep a tree is in one place for all threads. Where the garbage collector lets another one
    parse in the meantime, both can fail with a SystemError (https://github.com/python/cpython/issues/106905, mended in
    3.11.8): they begin anew.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return ast.parse(source, filename, mode)
        except SystemError:
            continue
    return ast.parse(source, filename, mode)
