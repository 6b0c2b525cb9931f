"""PIL images as raw pixels: mode, size, palette and the plain entries of ``info`` are kept; the file format
is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer

_BYTES_A_PIXEL = {
    **dict.fromkeys(("L", "P"), 1),
    **dict.fromkeys(("LA", "PA", "La", "I;16", "I;16L", "I;16B"), 2),
    **dict.fromkeys(("RGB", "YCbCr", "LAB", "HSV"), 3),
    **dict.fromkeys(("RGBA", "RGBX", "RGBa", "CMYK", "I", "F"), 4),
}
_INFO = (str, int, float, bool, bytes, tuple)


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    image: Any = sys.modules.get("PIL.Image")
    return _write_image if image is not None and issubclass(kind, image.Image) else None


def _size(mode: Any, width: Any, height: Any) -> int:
    if type(width) is not int or type(height) is not int or width < 0 or height < 0:
        raise SerializationError("damaged frame: an image has no proper size")
    if mode == "1":
        return (width + 7) // 8 * height
    if mode not in _BYTES_A_PIXEL:
        raise SerializationError(f"images of mode {mode!r} cannot be received")
    return width * height * _BYTES_A_PIXEL[mode]


def _write_image(writer: Writer, value: Any) -> Any:
    value.load()
    if value.mode != "1" and value.mode not in _BYTES_A_PIXEL:
        raise Unencodable(value, f"is an image of mode {value.mode!r}; convert it first")
    palette = None
    if value.palette is not None:
        palette = [value.palette.mode, writer.write(bytes(value.getpalette(value.palette.mode) or b""))]
    info = {key: writer.write(item) for key, item in value.info.items() if _is_info(key, item)}
    return {"$image": [value.mode, list(value.size), writer.put(value.tobytes()), palette, info]}


def _is_info(key: Any, item: Any) -> bool:
    if type(key) is not str or type(item) not in _INFO:
        return False
    return type(item) is not tuple or all(type(part) in (str, int, float) for part in item)


def _read_image(reader: Reader, node: Any, hints: Hints) -> Any:
    from PIL import Image

    mode, (width, height), index, palette, info = node
    raw = reader.take(index)
    if len(raw) != _size(mode, width, height):
        raise SerializationError(f"damaged frame: a {mode} image of {width} x {height} does not have {len(raw)} bytes")
    image = Image.frombytes(mode, (width, height), bytes(raw)) if len(raw) else Image.new(mode, (width, height))
    if palette is not None and mode in ("P", "PA", "L", "LA"):
        image.putpalette(reader.read(palette[1]), palette[0])
    image.info = {key: reader.read(item) for key, item in info.items()}
    return image


READERS: dict[str, Any] = {"$image": _read_image}
