"""operator_lib itself, for interpreters that cannot use the worker's own: what it needs, and a wheel of it."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import io
import zipfile
from pathlib import Path

import operator_lib

NAME = "operator_lib"
# The earliest that a zip file can say: the same files make the same wheel, whenever it is made.
EPOCH = (1980, 1, 1, 0, 0, 0)


def core_requirements() -> str:
    """What it needs without any extra, as lines of requirements."""
    needed = importlib.metadata.requires(NAME) or []
    return "".join(f"{line}\n" for line in needed if "extra ==" not in line)


@functools.cache
def wheel() -> tuple[str, bytes]:
    """File name and content of a wheel of the package that runs here.

    The format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    found = importlib.metadata.distribution(NAME)
    info = f"{NAME}-{found.version}.dist-info"
    package = Path(operator_lib.__path__[0])
    files = {
        f"{NAME}/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    metadata = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: operator_lib\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},{_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return f"{NAME}-{found.version}-py3-none-any.whl", packed.getvalue()


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
