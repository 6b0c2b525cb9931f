"""Making a ``.war`` of files, whether or not its models are there: as ``torch-workflow-archiver`` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operator_lib.frontends.torchserve import manifest, pack


def workflow(
    name: str, spec: str | Path, handler: str | Path | None, folder: Path, extra: str, *, force: bool = False
) -> Path:
    """Write ``<name>.war`` into a folder. What the files say is not looked at: see `Workflow.check` for that.

    Raises:
        FileNotFoundError: a file is missing. FileExistsError: the archive is there. ValueError: the name is none.
    """
    manifest.check_name("workflow", name)
    files: dict[str, Any] = dict(pack.collect(extra))
    for path in (spec, handler):
        if path is not None:
            if not Path(path).is_file():
                raise FileNotFoundError(f"there is no file {str(path)!r} in {Path.cwd()}")
            files[Path(path).name] = Path(path)
    inner = {"workflowName": name, "specFile": Path(spec).name, "handler": Path(handler).name if handler else ""}
    return pack.write(folder / f"{name}.war", files, (manifest.WAR, manifest.text("workflow", inner)), force=force)
