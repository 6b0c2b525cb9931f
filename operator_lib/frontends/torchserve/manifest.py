"""``MANIFEST.json``: what an archive says about itself. Field names are those of the format."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operator_lib.frontends.torchserve.problems import InvalidArchive

WAR, MAR = "WAR-INF/MANIFEST.json", "MAR-INF/MANIFEST.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-.]*")
# Handlers that are named without a file: they come with the package `ts`.
READY_MADE = frozenset({
    "base_handler", "text_classifier", "image_classifier", "object_detector", "image_segmenter",
    "dali_image_classifier", "vllm_handler", "trt_llm_handler",
})  # fmt: skip


def check_name(kind: str, name: str) -> str:
    """`name`, when it may be that of a workflow or a model. Raises ValueError."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a {kind}; use letters, digits, _ - and ., and begin with a letter or a digit"
        )
    return name


def read(folder: Path, which: str, archive: str) -> dict[str, Any]:
    """The manifest of an unpacked archive; what the format requires is there and of the right type.

    Raises:
        InvalidArchive: something is missing.
    """
    try:
        found: Any = json.loads((folder / which).read_bytes())
    except (ValueError, RecursionError) as problem:
        raise InvalidArchive(f"{archive}: {which} is not JSON: {problem}") from None
    section = "workflow" if which == WAR else "model"
    required = ("workflowName", "specFile", "handler") if which == WAR else ("modelName", "handler", "modelVersion")
    if not isinstance(found, dict) or not isinstance(found.get(section), dict):
        raise InvalidArchive(f"{archive}: {which} has no object {section!r}")
    for place, names in ((found[section], required), (found, ("createdOn", "archiverVersion"))):
        for name in names:
            if not isinstance(place.get(name), str) or (not place[name] and name != "handler"):
                raise InvalidArchive(f"{archive}: {name} is not defined in {which}")
    check = found[section]["workflowName" if which == WAR else "modelName"]
    try:
        check_name(section, check)
    except ValueError as problem:
        raise InvalidArchive(f"{archive}: {problem}") from None
    return found


def member(folder: Path, name: str, archive: str, what: str) -> Path:
    """A file that the manifest names. Raises InvalidArchive: it is not in the archive."""
    path = Path(os.path.normpath(folder / name))
    if not path.is_relative_to(folder) or not path.is_file():
        raise InvalidArchive(f"{archive} lacks {name!r}, which its manifest names as the {what}")
    return path


def text(section: str, said: Mapping[str, str | None], **around: str) -> str:
    """A manifest. What is None is left out."""
    from operator_lib import __version__

    inner = {name: value for name, value in said.items() if value is not None}
    whole = {
        "createdOn": _now().strftime("%d/%m/%Y %H:%M:%S"),
        **around,
        section: inner,
        "archiverVersion": f"operator_lib {__version__}",
    }
    return json.dumps(whole, indent=2)


def _now() -> datetime:
    """Now; or what https://reproducible-builds.org/specs/source-date-epoch/ says it is."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(said), UTC) if said.isdigit() else datetime.now()
