"""Running one case, in whichever process."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

from cases import UNSET, Case, describe

Find = Callable[[str], Any]


def fresh(program: Any) -> Any:
    """The program as its author would use it: an object of the class, a copy of the operator, the function."""
    return program() if isinstance(program, type) else copy.deepcopy(program)


def plain(program: Any) -> Any:
    """The same without the library."""
    if isinstance(program, type):
        return program.__wrapped_class__()
    return getattr(program, "__wrapped__", None) or copy.deepcopy(program).forward


def observe(case: Case, op: Any, lib: Find | None = None) -> str:
    """What the case sees, as JSON."""
    seen = case.run(op, lib)
    return text(asyncio.run(seen) if case.waits else seen)


async def observe_in_loop(case: Case, op: Any, lib: Find) -> str:
    """The same where an event loop is running already."""
    seen = case.run(op, lib)
    return text(await seen if case.waits else seen)


def text(seen: Any) -> str:
    return json.dumps(describe(seen))


def expected(case: Case, find: Find, *, afar: bool) -> str:
    """What it has to see."""
    if afar and case.afar is not UNSET:
        return text(case.afar)
    return text(case.gives) if case.gives is not UNSET else observe(case, plain(find(case.subject)), find)
