"""The OpenAPI document: the table of routes, and the deployments of this worker with their own schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import operator_lib
from operator_lib.worker.http.arguments import Arguments
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.find import methods, options
from operator_lib.worker.http.shown import COMPONENTS, ref
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

FORM = "multipart/form-data"
BYTES = "application/octet-stream"
# What every route may answer besides its own.
ANYWHERE = (400, 401, 403, 500, 503)
WORDS = {
    400: "The request is malformed.",
    401: "The token is missing or wrong.",
    403: "The request comes from a page of another origin, or was meant for another host.",
    404: "There is no such thing.",
    406: "The result has no JSON form.",
    408: "The rest of the body did not come.",
    409: "The state does not allow it.",
    413: "The body is too large.",
    415: "The body is not declared to be JSON.",
    422: "The arguments do not fit: `details` names every place.",
    429: "Too many runs or calls are waiting.",
    500: "The operator's code raised, or the worker failed.",
    503: "It cannot answer now; try again.",
    504: "The run went over its time limit, or the call over what its caller gave it.",
}


async def document(worker: Worker, table: Iterable[Endpoint], title: str = "operator_lib worker") -> Json:
    """The whole worker."""
    rows = list(table)
    made = _Document(title, "Deployments of this worker, their runs, and calls of servings.")
    for kind in ("job", "serving"):
        for deployment in await worker.store.deployments(kind=kind):
            version = await worker.store.version(deployment.id, deployment.live_version)
            if version is not None:
                made.deployment(deployment, version, [r for r in rows if r.tag == f"{kind}s"])
    for row in rows:
        made.add(row)
    return made.finish()


def serving_document(worker: Worker, table: Iterable[Endpoint], row: DeploymentRow, version: VersionRow) -> Json:
    """One serving: what its own token opens."""
    made = _Document(row.name, options(version).get("description") or f"The serving {row.name}.", str(version.number))
    made.deployment(row, version, [r for r in table if r.tag == "servings"])
    return made.finish()


class _Document:
    def __init__(self, title: str, description: str, version: str = operator_lib.__version__) -> None:
        self.info = {"title": title, "description": description, "version": version}
        self.paths: dict[str, Json] = {}
        self.schemas: dict[str, Json] = dict(COMPONENTS)
        self.own: dict[str, list[str]] = {"job": [], "serving": []}

    def finish(self) -> Json:
        bearer = {"type": "http", "scheme": "bearer", "description": "The worker's token, or that of the serving."}
        return {
            "openapi": "3.1.0",
            "info": self.info,
            "security": [{"token": []}],
            "paths": self.paths,
            "components": {"schemas": self.schemas, "securitySchemes": {"token": bearer}},
        }

    def add(self, row: Endpoint, **more: Any) -> None:
        """One operation."""
        told = self.paths.setdefault(row.path, {})
        operation = {**_operation(row), **more}
        if row.kind and "{name}" in row.path and self.own[row.kind]:
            # The general path is for deployments that came after this document: the others have their own schemas.
            name = next(p for p in operation["parameters"] if p["name"] == "name")
            name["schema"] = {**name["schema"], "not": {"enum": self.own[row.kind]}}
        told[row.method.lower()] = operation

    def deployment(self, row: DeploymentRow, version: VersionRow, rows: list[Endpoint]) -> None:
        """The rows that start or call something, with the schemas of this deployment."""
        self.own[row.kind].append(row.name)
        for name, arguments in methods(version).items():
            for endpoint in rows:
                if endpoint.kind and ("{method}" in endpoint.path) is bool(name):
                    self._method(row, name, arguments, endpoint, rows)

    def _method(
        self, row: DeploymentRow, name: str, arguments: Arguments, endpoint: Endpoint, rows: list[Endpoint]
    ) -> None:
        """One path of a deployment, with everything that answers there."""
        path = endpoint.path.replace("{name}", row.name).replace("{method}", name)
        answers, body = self._answers(endpoint, arguments), self._own(arguments.body(), row)
        bodies = self._bodies(endpoint, arguments, row)
        about = replace(
            endpoint, path=path, summary=arguments.name, answers=answers, body=body, bodies=bodies, tag=row.name
        )
        self.add(about, **({"description": arguments.doc} if arguments.doc else {}))
        for other in rows:
            if other.path == endpoint.path and other.method != endpoint.method:
                self.add(replace(other, path=path, tag=row.name))

    def _answers(self, endpoint: Endpoint, arguments: Arguments) -> tuple[Answer, ...]:
        """Those of the route that this method gives: a generator of a serving streams, other methods do not."""
        if endpoint.tag != "servings":
            return endpoint.answers
        if arguments.streams:
            return tuple(answer for answer in endpoint.answers if answer.schema is None)
        value = next(answer for answer in endpoint.answers if answer.schema is not None)
        return value, *(replace(value, schema=None, media=media) for media in arguments.answers)

    def _bodies(self, endpoint: Endpoint, arguments: Arguments, row: DeploymentRow) -> tuple[tuple[str, Json], ...]:
        """Of a serving: a form where an argument is bytes, and raw bytes where that is the only one needed."""
        if endpoint.tag != "servings" or arguments.form is None:
            return ()
        form = (FORM, self._own(arguments.form, row))
        return (form, (BYTES, {})) if arguments.alone_as_bytes else (form,)

    def _own(self, schema: Json, row: DeploymentRow) -> Json:
        """A schema that stands alone, made part of the document: its definitions become components."""
        prefix = f"{row.kind}.{_word(row.name)}."
        defs = schema.get("$defs", {})
        for name, part in defs.items():
            self.schemas[prefix + _component(name)] = cast("Json", _moved(part, prefix))
        return cast("Json", _moved({key: value for key, value in schema.items() if key != "$defs"}, prefix))


def _word(text: str) -> str:
    """Letters, digits and underscores that no other text gives."""
    return re.sub(r"[^A-Za-z0-9]", lambda found: f"_{ord(found[0]):x}", text)


def operation_id(method: str, path: str) -> str:
    """The name of an operation, for links and for generated clients."""
    return method.lower() + "".join(f"_{_word(part.strip('{}'))}" for part in path.split("/")[1:])


def _component(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _moved(part: Any, prefix: str) -> Any:
    if isinstance(part, list):
        return [_moved(item, prefix) for item in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    found = {key: _moved(value, prefix) for key, value in cast("Json", part).items()}
    target = found.get("$ref")
    if isinstance(target, str) and target.startswith("#/$defs/"):
        found["$ref"] = f"#/components/schemas/{prefix}{_component(target.removeprefix('#/$defs/'))}"
    return found


def _operation(row: Endpoint) -> Json:
    told: Json = {
        "tags": [row.tag],
        "summary": row.summary,
        "operationId": operation_id(row.method, row.path),
        "responses": _responses(row),
    }
    parameters = [*_path_parameters(row.path), *(_parameter(p) for p in row.parameters)]
    if parameters:
        told["parameters"] = parameters
    if row.body is not None:
        content = {"application/json": {"schema": row.body}, **{m: {"schema": s} for m, s in row.bodies}}
        told["requestBody"] = {"content": content, "required": _required(row.body)}
    if row.open:
        told["security"] = []
    return told


def _required(body: Any) -> bool:
    """Nothing at all stands for an object without members."""
    arms = body.get("anyOf", [body])
    return any(arm.get("required") for arm in arms if arm.get("type") == "object")


def _path_parameters(path: str) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _parameter(parameter: Any) -> Json:
    about = {"name": parameter.name, "in": parameter.place, "description": parameter.description}
    return {**about, **({"required": True} if parameter.required else {}), "schema": parameter.schema}


def _responses(row: Endpoint) -> Json:
    told: Json = {}
    for answer in row.answers:
        found = told.setdefault(str(answer.status), {"description": answer.description})
        if answer.media:
            found.setdefault("content", {})[answer.media] = {} if answer.schema is None else {"schema": answer.schema}
        if answer.schema == ref("Run") and answer.status == 202:
            found["links"] = _LINKS
        if answer.headers:
            found["headers"] = {n: {"description": d, "schema": {"type": "string"}} for n, d in answer.headers}
    for status in sorted({*row.errors, *(() if row.open else ANYWHERE)}):
        told.setdefault(str(status), _error(status))
    return told


# Where a run that was accepted is looked after.
_LINKS = {
    end.strip("/") or "run": {
        "operationId": operation_id("GET", "/v1/runs/{id}" + end),
        "parameters": {"id": "$response.body#/id"},
    }
    for end in ("", "/result", "/outputs", "/events", "/logs", "/dag", "/dag.svg")
}


def _error(status: int) -> Json:
    told: Json = {"description": WORDS[status], "content": {"application/json": {"schema": ref("Error")}}}
    if status == 429:
        told["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return told
