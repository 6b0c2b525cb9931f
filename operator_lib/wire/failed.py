"""Exceptions as values (returned, not raised): the same form as a failure, without the remote parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    return _write_exception if issubclass(kind, BaseException) else None


def _write_exception(writer: Writer, value: BaseException) -> Any:
    from operator_lib.wire.failure import describe

    return {"$exception": writer.write(describe(value, raised=False))}


def _read_exception(reader: Reader, node: Any, hints: Hints) -> Any:
    from operator_lib.wire.failure import rebuild

    return rebuild(reader.read(node), raised=False)


READERS: dict[str, Any] = {"$exception": _read_exception}
