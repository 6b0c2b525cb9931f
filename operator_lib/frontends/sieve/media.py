"""`Image`, `Video` and `Audio`: files, and what is in them. The libraries that read them are the program's own."""

from __future__ import annotations

import importlib
import os
import tempfile
from typing import Any

from operator_lib.frontends.sieve.files import File


class Audio(File):
    """A recording."""


class Image(File):
    """A picture: a file, or an array of pixels.

    Args:
        array: height x width (x 3 or 4, red first) of uint8; becomes a PNG file. Needs Pillow, as reading does.
    """

    def __init__(self, source: Any = None, *, array: Any = None, **given: Any) -> None:
        if array is None:
            super().__init__(source, **given)
            return
        pillow = needed("PIL.Image", "pillow", "Image(array=...)")
        # Removed with the object: kept beside it, so that it does not travel.
        self._copy: Any = tempfile.TemporaryDirectory(prefix="image-", ignore_cleanup_errors=True)
        path = os.path.join(self._copy.name, "image.png")
        pillow.fromarray(array).save(path)
        super().__init__(source, path=path, **given)

    @property
    def array(self) -> Any:
        """Its pixels, as a NumPy array: height x width (x 3 or 4) of uint8, red first."""
        numpy = needed("numpy", "numpy", "Image.array")
        with self._opened() as picture:
            return numpy.asarray(picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB"))

    @property
    def width(self) -> int:
        """Pixels."""
        with self._opened() as picture:
            return picture.width

    @property
    def height(self) -> int:
        """Pixels."""
        with self._opened() as picture:
            return picture.height

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour, 4 with transparency."""
        with self._opened() as picture:
            return len(picture.getbands()) if picture.mode in ("L", "RGB", "RGBA") else 3

    def _opened(self) -> Any:
        return needed("PIL.Image", "pillow", "reading an Image").open(self.path)


class Video(File):
    """A film. What is in it is read with OpenCV."""

    @property
    def cap(self) -> Any:
        """A ``cv2.VideoCapture`` at its beginning; a new one each time."""
        return needed("cv2", "opencv-python-headless", "reading a Video").VideoCapture(self.path)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self._property("CAP_PROP_FPS")

    @property
    def frame_count(self) -> int:
        """Frames, as its header says."""
        return int(self._property("CAP_PROP_FRAME_COUNT"))

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self._property("CAP_PROP_FRAME_WIDTH"))

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self._property("CAP_PROP_FRAME_HEIGHT"))

    def _property(self, name: str) -> float:
        cap = self.cap
        try:
            return float(cap.get(getattr(importlib.import_module("cv2"), name)))
        finally:
            cap.release()


def needed(module: str, package: str, what: str) -> Any:
    """A library that only some programs have.

    Raises:
        ImportError: says which package it is in.
    """
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        raise ImportError(f"{what} needs {module.partition('.')[0]}; add {package} to python_packages") from problem
