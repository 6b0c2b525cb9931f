"""Arguments that come as raw bytes, made into what the annotation asks for: a file, a path, an image, an array."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import pathlib
import re
import shutil
import sys
import tempfile
import typing
from collections.abc import Callable
from typing import Any, BinaryIO, get_args, get_origin

from operator_lib.wire.hints import arms
from operator_lib.wire.proto.line_pb2 import Asked

# Bytes of one argument that are held in memory; more go to a file below TMPDIR.
IN_MEMORY = 8 << 20
IMAGES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
ARRAY = b"\x93NUMPY"
_FILES = (io.IOBase, typing.BinaryIO, typing.IO)
_LISTS = (list, tuple)


class Upload:
    """One argument's bytes, with the media type and file name that the caller gave."""

    def __init__(self, name: str, media: str, file: str) -> None:
        self.name = name
        self.media = media
        self.file = file
        self.problem: OSError | None = None
        self._data: BinaryIO = tempfile.SpooledTemporaryFile(IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """More of it. A full disk is told when the argument is asked for."""
        if self.problem is None:
            try:
                self._data.write(data)
            except OSError as problem:
                self.problem = problem
                self.close()

    def opened(self) -> BinaryIO:
        """The bytes from the start. Raises OSError when there was no room for them."""
        if self.problem is not None:
            raise self.problem
        self._data.seek(0)
        return self._data

    def read(self) -> bytes:
        return self.opened().read()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._data.close()


class Uploads:
    """Those of one call, in the order in which they came."""

    def __init__(self) -> None:
        self._all: list[Upload] = []
        self._folder = ""

    def receive(self, asked: Asked) -> None:
        """The beginning of an argument, or more of the last one."""
        if asked.ask == Asked.FIELD:
            self._all.append(Upload(asked.name, asked.media, asked.file))
        elif self._all:
            self._all[-1].write(asked.payload)

    def arguments(
        self, signature: inspect.Signature | None, hint: Callable[[int | str], Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments.

        Raises:
            TypeError, ValueError: with the argument's name; the annotation takes no bytes, or not these.
        """
        parameters = list(signature.parameters.values()) if signature is not None else []
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        given: dict[str, list[Upload]] = {}
        for upload in self._all:
            given.setdefault(upload.name or (parameters[0].name if parameters else ""), []).append(upload)
        for name, uploads in given.items():
            place = next((i for i, p in enumerate(parameters) if p.name == name), None)
            positional = name == "" or (place is not None and parameters[place].kind in _POSITIONAL_ONLY)
            found = self._fit(uploads, hint(place or 0 if positional else name), f"argument {name!r}")
            if positional:
                args.append(found)
            else:
                kwargs[name] = found
        return args, kwargs

    def _fit(self, uploads: list[Upload], hint: Any, where: str) -> Any:
        """One value; a list where the annotation is one."""
        kinds = [kind for kind in arms(hint) if kind is not type(None)]
        for kind in kinds:
            if (get_origin(kind) or kind) in _LISTS:
                inner = (get_args(kind) or (Any,))[0]
                return (get_origin(kind) or kind)(self._fit([u], inner, f"{where}[{i}]") for i, u in enumerate(uploads))
        if len(uploads) > 1:
            raise ValueError(f"{where}: given {len(uploads)} times, and is no list")
        if not kinds:
            return uploads[0].read()
        for kind in kinds:
            make = self._maker(get_origin(kind) or kind)
            if make is not None:
                try:
                    return make(uploads[0])
                except (OSError, ValueError, SyntaxError) as problem:
                    if uploads[0].problem is not None:
                        raise
                    about = f"{uploads[0].media or 'these bytes'} ({problem})"
                    raise ValueError(f"{where}: cannot be read as {kind.__name__}: {about}") from None
        raise TypeError(f"{where}: expected {getattr(kinds[0], '__name__', kinds[0])}, got a file; give it as JSON")

    def _maker(self, kind: Any) -> Callable[[Upload], Any] | None:
        if kind in (bytes, bytearray, memoryview):
            return lambda upload: kind(upload.read())
        if kind is str:
            return lambda upload: upload.read().decode("utf-8")
        if not isinstance(kind, type):
            return None
        if issubclass(kind, pathlib.PurePath):
            return lambda upload: pathlib.Path(self._saved(upload))
        if issubclass(kind, io.BytesIO):
            return lambda upload: io.BytesIO(upload.read())
        if issubclass(kind, _FILES):
            return Upload.opened
        where = kind.__module__.partition(".")[0], kind.__name__
        return {("numpy", "ndarray"): _array, ("PIL", "Image"): _image}.get(where)

    def _saved(self, upload: Upload) -> str:
        """A file with the ending that the caller's had, there until the call is over."""
        self._folder = self._folder or tempfile.mkdtemp(prefix="upload-")
        ending = re.search(r"(\.[A-Za-z0-9]{1,10}){1,2}$", upload.file)
        handle, path = tempfile.mkstemp(suffix=ending[0] if ending else "", dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(upload.opened(), file, 1 << 20)
        return path

    def remove(self) -> None:
        """The call is over."""
        for upload in self._all:
            upload.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


_POSITIONAL_ONLY = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)


def _image(upload: Upload) -> Any:
    from PIL import Image

    image = Image.open(upload.opened(), formats=IMAGES)
    image.load()
    return image


def _array(upload: Upload) -> Any:
    """An ``.npy`` file, the pixels of an image, or the bytes as they are."""
    numpy: Any = sys.modules["numpy"]
    file = upload.opened()
    if file.read(len(ARRAY)) == ARRAY:
        return numpy.load(upload.opened(), allow_pickle=False)
    if upload.media.startswith("image/"):
        return numpy.asarray(_image(upload))
    return numpy.frombuffer(bytearray(upload.read()), numpy.uint8)
