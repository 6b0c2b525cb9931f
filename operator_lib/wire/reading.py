"""Reading any frame: which codecs may be read at all, and what a malformed frame becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from operator_lib.errors import SerializationError, UntrustedResult
from operator_lib.wire import plain
from operator_lib.wire.frames import Frame
from operator_lib.wire.hints import arms

CODECS = ("json", "cloudpickle")
JSON_ONLY = frozenset({"json"})


def check_codec(codec: str) -> None:
    """Raises SerializationError for a codec that does not exist."""
    if codec not in CODECS:
        raise SerializationError(f"unknown codec {codec!r:.60}; must be one of {', '.join(map(repr, CODECS))}")


def check_allowed(frame: Frame, allow: Collection[str]) -> None:
    """Raises UntrustedResult for a codec that this side did not ask for."""
    check_codec(frame.codec)
    if frame.codec not in allow:
        asked = ", ".join(sorted(allow)) or "nothing"
        raise UntrustedResult(f"a {frame.codec} value arrived, but only {asked} was asked for; nothing of it was read")


def read(frame: Frame, allow: Collection[str], namespace: Mapping[str, Any] | None, hint: Any = None) -> Any:
    """The value of a frame, by its codec."""
    check_allowed(frame, allow)
    if frame.codec == "cloudpickle":
        from operator_lib.wire import pickled

        return pickled.loads(frame)
    if not frame.tagged:
        return plain.decode(bytes(frame.body))
    from operator_lib.wire.tagged import Reader

    try:
        return Reader(frame.buffers, namespace).read(plain.parse(bytes(frame.body)), arms(hint))
    except SerializationError:
        raise
    except Exception as error:
        raise damaged(error) from error


def damaged(error: Exception) -> SerializationError:
    """What a constructor's complaint about a malformed form becomes."""
    return SerializationError(f"damaged frame: {type(error).__name__}: {error!s:.300}")
