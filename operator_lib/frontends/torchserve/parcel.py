"""``python -m operator_lib.frontends.torchserve.parcel``: from an archive to what a worker needs to serve it.

A process of its own, because the archive may come from anywhere: the worker reads nothing of it. Writes ``request`` (a
`DeployRequest`) and ``entry`` into a folder, and says on standard output, as JSON, what it has found.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from operator_lib.client.deploy import pack
from operator_lib.errors import DeployError
from operator_lib.frontends.torchserve import exact
from operator_lib.frontends.torchserve.problems import InvalidArchive, InvalidWorkflow, Problem
from operator_lib.frontends.torchserve.store import fetched
from operator_lib.frontends.torchserve.workflow import Workflow


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("folder", "url", "name", "workflow-store", "model-store"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--exact", action="store_true")
    given = parser.parse_args()
    print(json.dumps(_answer(given)))


def _answer(given: Any) -> dict[str, Any]:
    url: str = given.url
    remote = "://" in url
    if not remote and (".." in Path(url).parts or Path(url).is_absolute()):
        return _refused(404, "WorkflowNotFoundException", f"Relative path is not allowed in url: {url}")
    try:
        with fetched(url, (Path(given.workflow_store),) if given.workflow_store else ()) as path:
            if given.exact:
                exact.judge(path)
            found = Workflow.from_war(path, given.model_store or None, name=given.name)
            return _made(found, url, Path(given.folder))
    except exact.Original as original:
        return _refused(original.code, original.kind, original.message)
    except (OSError, ConnectionError) as problem:
        if remote:
            return _refused(400, "DownloadArchiveException", f"Failed to download archive from: {url}", str(problem))
        return _refused(404, "WorkflowNotFoundException", f"Workflow not found in workflow store: {url}")
    except InvalidWorkflow as problem:
        if given.exact:
            original = exact.refused(problem)
            return _refused(original.code, original.kind, original.message)
        return _invalid(problem)
    except (InvalidArchive, DeployError) as problem:
        return _refused(400, "InvalidWorkflowException", str(problem))
    except ValueError as problem:
        return _refused(400, "BadRequestException", str(problem))


def _made(found: Workflow, url: str, folder: Path) -> dict[str, Any]:
    found._operator_checked()
    package = pack(found, found.name, "serving", {})
    schema = json.loads(package.request.schema_json)
    schema["torchserve"]["workflowUrl"] = url
    package.request.schema_json = json.dumps(schema, sort_keys=True)
    (folder / "entry").write_bytes(package.entry)
    (folder / "request").write_bytes(package.request.SerializeToString())
    files = {file.sha256: str(file.source) for file in package.manifest.files}
    for number, (sha, source) in enumerate(files.items()):
        (folder / f"file{number}").write_bytes(Path(source).read_bytes())
        files[sha] = f"file{number}"
    return {"name": found.name, "files": files, "warnings": [str(problem) for problem in found.check()]}


def _invalid(problem: InvalidWorkflow) -> dict[str, Any]:
    dag = [p for p in problem.problems if _of_the_dag(p)]
    kind = "InvalidDAGException" if dag and len(dag) == len(problem.problems) else "InvalidWorkflowException"
    return _refused(400, kind, "; ".join(map(str, problem.problems)))


def _of_the_dag(problem: Problem) -> bool:
    words = ("feeds itself", "form a circle", "is not reachable from", "`dag` names no nodes")
    return any(word in problem.message for word in words)


def _refused(code: int, kind: str, message: str | None, detail: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "type": kind, "message": message}, "detail": detail}


if __name__ == "__main__":
    sys.stdin.close()
    main()
