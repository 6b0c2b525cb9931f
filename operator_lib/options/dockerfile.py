"""An `Image` as a Dockerfile, and the hash of all that decides what it contains."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from operator_lib.errors import OptionError
from operator_lib.options.image import Image, Step

# The newest patch release that has an image, for versions given in part.
CUDA_PATCH = {
    "11.0": "11.0.3", "11.1": "11.1.1", "11.2": "11.2.2", "11.3": "11.3.1", "11.4": "11.4.3",
    "11.5": "11.5.2", "11.6": "11.6.2", "11.7": "11.7.1", "11.8": "11.8.0", "12.0": "12.0.1",
    "12.1": "12.1.1", "12.2": "12.2.2", "12.3": "12.3.2", "12.4": "12.4.1", "12.5": "12.5.1",
    "12.6": "12.6.3", "12.8": "12.8.1", "12.9": "12.9.1",
}  # fmt: skip


def dockerfile(image: Image) -> str:
    return "\n".join([*head(image), *map(line, image.steps)]) + "\n"


def head(image: Image) -> list[str]:
    """What comes before the steps."""
    python = image.python_version or "{}.{}".format(*sys.version_info[:2])
    lines = [f"FROM {image.base or f'python:{python}-slim-bookworm'}", "WORKDIR /app"]
    if image.cuda_version:
        lines = [*_cuda_source(image.cuda_version), *lines, *_cuda_libraries(image.cuda_version)]
    return lines


def content_hash(image: Image, root: Path) -> str:
    digest = hashlib.sha256(dockerfile(image).encode())
    for step in image.steps:
        if step.kind in ("copy", "add"):
            for path, kind, content in files(root, step.words[0]):
                digest.update(f"\0{kind}\0{path}\0{content}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def line(step: Step) -> str:
    """A step as one line."""
    words = step.words
    if step.kind == "pip":
        return "RUN pip install --no-cache-dir " + shlex.join(words)
    if step.kind == "apt":
        packages = shlex.join(words)
        return (
            f"RUN apt-get update && apt-get install -y --no-install-recommends {packages}"
            " && rm -rf /var/lib/apt/lists/*"
        )
    if step.kind == "env":
        # Taken literally: a Dockerfile would replace $NAME and unescape backslashes.
        value = re.sub(r'([\\"$])', r"\\\1", words[1])
        return f'ENV {words[0]}="{value}"'
    if step.kind in ("copy", "add"):
        return f"{step.kind.upper()} {json.dumps(words, ensure_ascii=False)}"
    command = words[-1]
    if any(mark in command for mark in ("\n", "\r", "<<")) or command.endswith("\\"):
        # As it is, what follows would be read as the next instruction, or a here-document.
        command = json.dumps(["/bin/sh", "-c", command], ensure_ascii=False)
    return " ".join(("RUN", *words[:-1], command))


def _cuda_source(version: str) -> list[str]:
    full = version.split("-")[0]
    full = CUDA_PATCH.get(full, full)
    if full.count(".") < 2 and int(full.split(".")[0]) > 10:
        known = ", ".join(CUDA_PATCH)
        raise OptionError(f"Image.cuda_version: must be one of {known} or a full version, got {version!r}")
    major, minor = (int(part) for part in (full + ".0").split(".")[:2])
    system = "18.04" if major < 11 else "20.04" if (major, minor) < (11, 7) else "22.04"
    return [f"FROM nvidia/cuda:{full}-runtime-ubuntu{system} AS cuda"]


def _cuda_libraries(version: str) -> list[str]:
    short = ".".join(version.split("-")[0].split(".")[:2])
    return [
        f"COPY --from=cuda /usr/local/cuda-{short}/ /usr/local/cuda/",
        'ENV LD_LIBRARY_PATH="/usr/local/cuda/lib64"',
    ]


def files(root: Path, source: str) -> Iterator[tuple[str, str, str]]:
    """(path, kind, link target or hash) of everything a COPY of `source` would take, in a fixed order."""
    top = root / source
    if not top.exists():
        raise OptionError(f"Image.copy: {source} does not exist in {root.resolve()}")
    if not top.resolve().is_relative_to(root.resolve()):
        raise OptionError(f"Image.copy: {source} leads out of {root.resolve()}; copy from inside the folder")
    paths = sorted(top.rglob("*")) if top.is_dir() else [top]
    for path in paths:
        relative = path.relative_to(root).as_posix()
        if path.is_symlink() and path != top:
            yield relative, "link", str(path.readlink())
        elif path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            yield relative, "x" if path.stat().st_mode & 0o100 else "f", content
        elif path.is_dir():
            yield relative, "d", ""
