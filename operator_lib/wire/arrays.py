"""NumPy arrays and scalars as raw bytes; dtype, shape and memory order are kept, arrays are writable."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer

_EMPTY_ITEMS = 1 << 24  # at most so many items that take no bytes: they have a cost all the same


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    np: Any = sys.modules.get("numpy")
    if np is None:
        return None
    if kind is np.ndarray or kind is np.memmap:
        return write_array
    if issubclass(kind, np.generic):
        return _write_scalar
    if issubclass(kind, np.dtype):
        return lambda writer, value: {"$dtype": _describe(value, value)}
    return None


def _describe(value: Any, dtype: Any) -> Any:
    """The dtype as JSON: text, or the list of a structured dtype's fields. Refuses what has none."""
    import numpy as np

    if dtype.hasobject:
        raise Unencodable(value, f"is a numpy array of dtype {dtype}, which holds references; set a plain dtype")
    if dtype.subdtype is not None:
        raise Unencodable(value)
    described = np.lib.format.dtype_to_descr(dtype)
    if np.lib.format.descr_to_dtype(described) != dtype:
        raise Unencodable(value, f"has the numpy dtype {dtype}, which has no portable form")
    return described


def _dtype(node: Any) -> Any:
    import numpy as np

    dtype = np.lib.format.descr_to_dtype(_tuples(node))
    if dtype.hasobject:
        raise SerializationError("damaged frame: a numpy array of objects cannot be received")
    return dtype


def _tuples(node: Any) -> Any:
    """JSON has made lists of the tuples in a dtype description: fields, shapes, and names with a title."""
    if isinstance(node, str):
        return node
    fields: list[Any] = []
    for name, described, *shape in node:
        label = tuple(name) if isinstance(name, list) else name
        fields.append((label, _tuples(described), *(tuple(part) for part in shape)))
    return fields


def write_array(writer: Writer, value: Any) -> Any:
    import numpy as np

    dtype = value.dtype
    described = _describe(value, dtype)
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    flat = np.asarray(value, order=order).reshape(-1, order=order) if value.size else np.empty(0, np.uint8)
    raw = flat.view(np.uint8).data if flat.size and dtype.itemsize else b""
    return {"$array": [described, list(value.shape), order, writer.put(raw)]}


def read_array(reader: Reader, node: Any, hints: Hints = ()) -> Any:
    import numpy as np

    described, shape, order, index = node
    raw, dtype = reader.take(index), _dtype(described)
    count = checked_size(shape)
    if count * dtype.itemsize != len(raw) or (not dtype.itemsize and count > _EMPTY_ITEMS):
        raise SerializationError(f"damaged frame: an array of shape {tuple(shape)} does not have {len(raw)} bytes")
    array: Any = np.ndarray(tuple(shape), dtype, buffer=raw, order="F" if order == "F" else "C")
    return array.copy(order="A") if raw.readonly else array


def checked_size(shape: Any) -> int:
    """The number of items of a shape from the wire."""
    if type(shape) is not list or len(shape) > 64 or any(type(n) is not int or n < 0 for n in shape):
        raise SerializationError("damaged frame: an array has no proper shape")
    return math.prod(shape)


def _write_scalar(writer: Writer, value: Any) -> Any:
    return {"$scalar": [_describe(value, value.dtype), value.tobytes().hex()]}


def _read_scalar(reader: Reader, node: Any, hints: Hints) -> Any:
    import numpy as np

    dtype, raw = _dtype(node[0]), bytearray.fromhex(node[1])
    if dtype.itemsize != len(raw):
        raise SerializationError("damaged frame: a numpy scalar does not have the size of its type")
    array: Any = np.ndarray((), dtype, buffer=raw)
    return array.copy()[()]


READERS: dict[str, Any] = {
    "$array": read_array,
    "$scalar": _read_scalar,
    "$dtype": lambda reader, node, hints: _dtype(node),
}
