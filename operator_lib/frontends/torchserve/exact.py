"""What release 0.12.0 answers to an archive that is wrong, word for word, for ``worker start --compat exact``.

It looks at one thing after another and stops at the first mistake; what is a mistake of the user is often an exception
of its own. The words are those that a running server was seen to answer.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from operator_lib.frontends.torchserve.manifest import WAR
from operator_lib.frontends.torchserve.problems import InvalidWorkflow, Problem
from operator_lib.frontends.torchserve.specification import SETTINGS
from operator_lib.frontends.torchserve.yaml_text import load as load_yaml

JAVA = {str: "java.lang.String", float: "java.lang.Double", bool: "java.lang.Boolean", list: "java.util.ArrayList"}
# Bytes of a manifest or a specification that are looked at.
LARGEST = 1_000_000


class Original(Exception):
    """What the original answers: type, and message if there is one."""

    def __init__(self, kind: str, message: str | None = None, code: int = 500) -> None:
        super().__init__(kind, message, code)
        self.kind = kind
        self.message = message
        self.code = code


def judge(path: Path) -> None:
    """Raises Original: it does not register this archive, for a reason that stands in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = next((name for name in archive.namelist() if ".." in Path(name).parts), None)
            if wrong is not None:
                raise Original("IOException", f"Detected Zip Slip vulnerability: {wrong}")
            text = _member(archive, _manifest(archive))
    except zipfile.BadZipFile:
        raise _undefined("Workflow name") from None
    try:
        found = load_yaml(text)
    except ValueError:
        raise Original("InvalidWorkflowException", "Failed to parse yaml.") from None
    if not isinstance(found, dict):
        raise (
            _null("java.util.Map.get(Object)", "this.workflowSpec") if found is None else _cast(found, "java.util.Map")
        )
    _models(found.get("models"))
    _dag(found.get("dag"))


def _manifest(archive: zipfile.ZipFile) -> str:
    """The name of the specification."""
    if WAR not in archive.namelist():
        raise _undefined("Workflow name")
    try:
        found: Any = json.loads(archive.read(WAR)[:LARGEST])
    except ValueError:
        raise Original("InvalidWorkflowException", "Failed to parse signature.json.") from None
    said: dict[str, Any] = (found.get("workflow") if isinstance(found, dict) else None) or {}
    for what, value in (
        ("Workflow name", said.get("workflowName")),
        ("Workflow archive version", found.get("archiverVersion")),
        ("Workflow archive createdOn", found.get("createdOn")),
    ):
        if value is None:
            raise _undefined(what)
    if said.get("specFile") is None or said.get("handler") is None:
        raise Original("NullPointerException")
    return str(said["specFile"])


def _member(archive: zipfile.ZipFile, name: str) -> str:
    if name not in archive.namelist():
        raise Original("NoSuchFileException", name)
    with archive.open(name) as file:
        return file.read(LARGEST).decode(errors="replace")


def _models(found: Any) -> None:
    if found is None:
        raise _null("java.util.Map.entrySet()", "modelsInfo")
    if not isinstance(found, dict):
        raise _cast(found, "java.util.Map")
    for key, value in found.items():
        for name, said in {key: value}.items() if key in SETTINGS else (value or {}).items():
            if name in SETTINGS and type(said) is not int:
                raise _cast(said, "java.lang.Integer")


def _dag(found: Any) -> None:
    if found is None:
        raise _null("java.util.Map.entrySet()", "dagInfo")
    after: dict[str, list[str]] = {}
    for source, targets in found.items():
        if targets is None:
            raise _null("java.util.ArrayList.iterator()", "values")
        if not isinstance(targets, list):
            raise _cast(targets, "java.util.ArrayList")
        after.setdefault(str(source), [])
        for target in map(str, targets):
            if target == source:
                raise Original("InvalidDAGException", "Self loop exception", 400)
            if target in after[str(source)]:
                raise Original("InvalidDAGException", "loop exception", 400)
            if target:
                after[str(source)].append(target)
                after.setdefault(target, [])
    _acyclic(after)


def _acyclic(after: dict[str, list[str]]) -> None:
    before = {name: sum(name in targets for targets in after.values()) for name in after}
    ready = [name for name, count in before.items() if not count]
    if len(ready) != 1:
        raise Original("InvalidDAGException", "DAG should have only one start node", 400)
    seen = 0
    while ready:
        seen += 1
        for target in after[ready.pop()]:
            before[target] -= 1
            if not before[target]:
                ready.append(target)
    if seen != len(after):
        raise Original("InvalidDAGException", "Not a valid DAG", 400)


def refused(problem: InvalidWorkflow) -> Original:
    """What it answers where it begins to start processes and fails, as we have seen before that it would."""
    reasons = [_reason(problem.name, one) for one in problem.problems if one.severity == "error"]
    if not all(reasons):  # it would take this one
        return Original("InvalidWorkflowException", "; ".join(map(str, problem.problems)))
    message = f"Workflow {problem.name} has failed to register. Failures: [{'; '.join(reasons)}]"
    return Original("WorkflowException", message)


def _reason(workflow: str, problem: Problem) -> str:
    node = problem.message.partition(" ")[0].partition(".")[0]
    if ".url is missing" in problem.message:
        return f"Workflow Node {workflow}__{node} failed to register. Details: Check error logs."
    if ".url: there is no" in problem.message:
        file = problem.message.split("'")[1]
        return f"Workflow Node {workflow}__{node} failed to register. Details: Model not found at: {file}"
    if any(words in problem.message for words in (" is neither a model nor ", " is a class in ", " is no model, ")):
        return f"Failed to start workers for model {workflow}__{node} version: 1.0"
    return ""


def _undefined(what: str) -> Original:
    return Original("InvalidWorkflowException", f"{what} is not defined.")


def _null(called: str, what: str) -> Original:
    return Original("NullPointerException", f'Cannot invoke "{called}" because "{what}" is null')


def _cast(value: Any, to: str) -> Original:
    kind = JAVA.get(type(value), "java.lang.Integer" if isinstance(value, int) else "java.util.LinkedHashMap")
    place = f"{kind} and {to} are in module java.base of loader 'bootstrap'"
    return Original("ClassCastException", f"class {kind} cannot be cast to class {to} ({place})")
