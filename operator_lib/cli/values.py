"""What a call gave, as text or as JSON: a value, or items that come one after the other."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from operator_lib.cli import output


def settled(found: Any) -> Any:
    """The value of a coroutine; everything else as it is."""
    if not inspect.iscoroutine(found):
        return found
    import asyncio

    return asyncio.run(found)


def items(found: Any) -> Iterator[Any] | None:
    """The items of a generator of either kind, None for a plain value."""
    if inspect.isasyncgen(found):
        return _stepwise(found)
    return found if hasattr(type(found), "__next__") else None


def _stepwise(found: AsyncIterator[Any]) -> Iterator[Any]:
    import asyncio

    async def following() -> Any:
        return await anext(found)

    with asyncio.Runner() as runner:
        while True:
            try:
                yield runner.run(following())
            except StopAsyncIteration:
                return


def show(found: Any, as_json: bool) -> None:
    """Print a value; of a generator each item as it comes, in JSON a line each."""
    from operator_lib.client.inventory import plain_json

    each = items(found)
    if each is not None:
        for item in each:
            output.json_line(plain_json(item)) if as_json else output.value(item)
    elif as_json:
        output.document(plain_json(found))
    else:
        output.value(found)
