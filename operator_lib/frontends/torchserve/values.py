"""How values become bytes: the rules by which the original server hands an answer on, and by which it answers."""

from __future__ import annotations

import base64
import io
import json
import sys
from typing import Any

from operator_lib.engine.managed import never_changes
from operator_lib.errors import SerializationError
from operator_lib.wire import codec


class Form(dict[str, Any]):
    """Fields of a form as the input of a workflow: each becomes a key of the first node's row.

    >>> Form(data=b"x", lang="de")
    {'data': b'x', 'lang': 'de'}
    """


JSON = "application/json"


@never_changes
class Encoded(bytes):
    """A node's answer as bytes, and what they are."""

    type: str = JSON


def encoded(value: Any, node: str = "", *, exact: bool = False) -> Encoded:
    """An answer as it is handed on where all is bytes, and as it is sent over HTTP.

    >>> encoded({1, 2}), encoded("é").type
    (b'[\\n  1,\\n  2\\n]', 'text/plain; charset=utf-8')

    Args:
        exact: sets, arrays and bytes inside of others are refused.

    Raises:
        SerializationError: there is no form for it.
    """
    plainly = isinstance(value, str | bytes | bytearray | memoryview) or type(value).__module__ == "torch"
    found = Encoded(to_bytes(value if exact or plainly else plain(value), node))
    if isinstance(value, str):
        found.type = "text/plain; charset=utf-8"
    elif plainly:
        found.type = "application/octet-stream"
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: arrays and sets become lists, bytes text where they are text, else base64.

    Dates, dataclasses, tables and what else the library knows are as in answers of other servings.
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, bytes | bytearray):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    try:
        return value if value is None or isinstance(value, str | int | float) else codec.to_json(value)
    except SerializationError:
        return value  # whoever writes it says why not


def to_bytes(value: Any, node: str = "") -> bytes:
    """A node's answer as bytes: text in UTF-8, bytes as they are, tensors as ``torch.save`` does it, the rest as JSON.

    >>> to_bytes({"a": [1, 2.5, None]})
    b'{\\n  "a": [\\n    1,\\n    2.5,\\n    null\\n  ]\\n}'

    Raises:
        SerializationError: it is none of these.
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        stream = io.BytesIO()
        torch.save(value, stream)
        return stream.getvalue()
    try:
        return json.dumps(value, indent=2).encode()
    except (TypeError, ValueError, RecursionError) as problem:
        kind = type(value)
        who = f"the answer of {node}" if node else "the value"
        raise SerializationError(
            f"{who}, of type {kind.__module__}.{kind.__qualname__}, cannot be handed on as bytes ({problem}); answer "
            f'text, bytes, a tensor or what JSON has, or let the next node take values (hand_over="values")'
        ) from None
