"""From a request to a serving: the archive is opened by a process of its own, the rest is a deploy like any other."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.http.torchserve.deploying import deploy, turn

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_PARCEL = "operator_lib.frontends.torchserve.parcel"
# Seconds for opening an archive, downloads included.
PATIENCE = 600.0
_CHUNK = 1 << 20


async def register(worker: Worker, url: str, name: str, *, update: bool = False, patience: float = 0.0) -> str:
    """Serve an archive; the name of the workflow.

    Args:
        patience: seconds for its processes to start; 0: the worker's own.

    Raises:
        Refused: it cannot be had, is invalid, cannot be started, or there is one of that name already.
    """
    with tempfile.TemporaryDirectory(prefix="operator-lib-parcel-") as folder:
        found = await _opened(worker, url, name, Path(folder))
        if "error" in found:
            error = found["error"]
            raise Refused(error["code"], error["type"], error.get("message"))
        named = found["name"]
        async with turn(worker, named):
            there = await worker.store.deployment(name=named, kind="serving")
            if there is not None and there.live_version and not update:
                raise Refused(409, "ConflictStatusException", f"Workflow {named} is already registered.")
            request = pb.DeployRequest.FromString((Path(folder) / "request").read_bytes())
            request.timeout = patience
            blobs = {request.entry.sha256: "entry", **found["files"]}
            for sha, file in blobs.items():
                await asyncio.to_thread(_store, worker, sha, Path(folder) / file)
            await deploy(worker, request, f"Workflow {named} has failed to register.")
    return named


async def _opened(worker: Worker, url: str, name: str, folder: Path) -> dict[str, Any]:
    config = worker.config
    flags = {
        "folder": str(folder),
        "url": url,
        "name": name,
        "workflow-store": config.workflow_store or config.model_store,
        "model-store": config.model_store,
    }
    command = [sys.executable, "-P", "-m", _PARCEL, *(f"--{key}={value}" for key, value in flags.items())]
    command += ["--exact"] if config.compat == "exact" else []
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, cwd=folder)
    try:
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    except BaseException:
        process.kill()
        raise
    try:
        found: dict[str, Any] = json.loads(output)
        return found
    except ValueError:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        raise Refused(500, "InternalServerException", f"the archive cannot be opened: {last[0]}") from None


def _store(worker: Worker, sha: str, path: Path) -> None:
    size = path.stat().st_size
    if worker.blobs.has(sha, size):
        return
    with open(path, "rb") as file:
        received = 0
        while chunk := file.read(_CHUNK):
            received = worker.blobs.append(sha, file.tell() - len(chunk), chunk, size=size)
        if not size:
            received = worker.blobs.append(sha, 0, b"", size=0)
    if received >= size:
        worker.blobs.commit(sha)
