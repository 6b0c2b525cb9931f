"""What of an image the local executor can do: packages and commands yes, another system no."""

from __future__ import annotations

import shutil

from operator_lib.executors import children
from operator_lib.options.image import Image


async def unmet(image: Image | None) -> list[str]:
    """What this machine cannot give to a process, in words; what is missing of the system is named at once."""
    if image is None:
        return []
    found: list[str] = []
    if image.base is not None:
        found.append(f"image.base: runs share the system of this worker, {image.base} cannot be started; leave it out")
    if image.cuda_version is not None:
        found.append("image.cuda_version: runs use the CUDA libraries of this worker and its packages; leave it out")
    for step in image.steps:
        if step.kind in ("copy", "add"):
            found.append(
                f"image.{step.kind}: {step.words[1]} would be outside of the run's own folders; the uploaded folder is "
                "there anyway: open the file beside the module (Path(__file__).parent)"
            )
    return [*found, *await _missing(image.system_packages)]


async def _missing(packages: tuple[str, ...]) -> list[str]:
    if not packages:
        return []
    if shutil.which("dpkg-query") is None:
        return [f"image.system_packages: this worker's system has no Debian packages ({', '.join(packages)} asked for)"]
    there = [await _installed(*package.partition("=")[::2]) for package in packages]
    lacking = [package for package, installed in zip(packages, there, strict=True) if not installed]
    if not lacking:
        return []
    words = " ".join(lacking)
    return [f"image.system_packages: not installed on this worker: {words}; there: apt-get install {words}"]


async def _installed(name: str, version: str) -> bool:
    process = await children.start(
        "dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}\n", name,
        stdin=children.DEVNULL, stdout=children.PIPE, stderr=children.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    rows = [line.split() for line in out.decode().splitlines()]
    return any(row[0] == "ii" and (not version or row[1:] == [version]) for row in rows if row)
